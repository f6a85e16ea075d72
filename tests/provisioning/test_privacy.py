"""A NISS, a UID or a name is nowhere to be read: not in a file, not in what is printed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ciao.errors import BadInput
from provisioning.fields import FieldBroken, Fields
from provisioning.registry import Registry
from tests.support.world import SSINS, UIDS, World

NAME = "Somebody Madeup"


def _identifying() -> list[bytes]:
    uid = UIDS[0]
    return [
        SSINS[0].encode(),
        bytes.fromhex(SSINS[0] + "0"),
        NAME.encode(),
        uid.encode(),
        uid.lower().encode(),
        bytes.fromhex(uid),
    ]


def _found_in(folder: Path) -> set[str]:
    return {
        path.name
        for path in folder.rglob("*")
        if path.is_file()
        for secret in _identifying()
        if secret in path.read_bytes()
    }


def test_nothing_that_identifies_is_in_any_file_wal_included(world: World) -> None:
    with world.registry() as open_elsewhere:  # keeps the WAL from being folded in and removed
        open_elsewhere.version()
        employment = world.employ(SSINS[0], "SM", "--name", NAME)
        badge = world.enrol(UIDS[0], employment)
        world.run("badge", "revoke", badge, "--why", "lost")
        wal = world.folder / "registry.db-wal"
        assert wal.stat().st_size > 0
        assert _found_in(world.folder) == set()
        assert open_elsewhere.ssin_of("p1") == SSINS[0]
        assert open_elsewhere.uid_of(badge).hex().upper() == UIDS[0]
    assert _found_in(world.folder) == set()


def test_the_search_for_plain_text_would_find_it(tmp_path: Path) -> None:
    for number, secret in enumerate(_identifying()):
        (tmp_path / str(number)).write_bytes(b"x" + secret + b"x")
    assert len(_found_in(tmp_path)) == len(_identifying())


def test_what_is_printed_masks_niss_and_uid(world: World) -> None:
    employment = world.employ(SSINS[0], "SM")
    world.enrol(UIDS[0], employment)
    for arguments in (
        ("employment", "list"),
        ("employment", "show", "e1"),
        ("badge", "list"),
        ("badge", "show", "b1"),
    ):
        for form in ((), ("--json",)):
            printed = world.run(*arguments, *form).output
            assert SSINS[0] not in printed
            assert UIDS[0] not in printed.upper()
    assert world.json("employment", "list")[0]["ssin"] == "*********96"
    assert world.json("badge", "list")[0]["uid"] == "************80"


def test_a_bad_niss_is_not_repeated_in_the_error(world: World) -> None:
    options = ("--initials", "X", "--from", "2026-01-01")
    result = world.run("employment", "add", *options, asked="00000000197\n", status=2)
    # (click's runner echoes what it types; a real standard input does not)
    assert "00000000197" not in result.stderr.partition("error:")[2]


def test_the_same_niss_never_looks_the_same_twice() -> None:
    data = Fields(bytes(32), os.urandom)
    first = data.encrypt(b"00000000196", "people", "ssin", 1)
    assert first != data.encrypt(b"00000000196", "people", "ssin", 1)
    assert data.ssin_hash("0102030405") != data.uid_hash(b"0102030405")


@given(st.binary(max_size=64), st.integers(1, 9), st.integers(0, 200))
def test_a_field_opens_only_in_its_place_and_unaltered(plain: bytes, row: int, where: int) -> None:
    data = Fields(bytes(32), os.urandom)
    stored = data.encrypt(plain, "people", "ssin", row)
    assert data.decrypt(stored, "people", "ssin", row) == plain
    altered = bytearray(stored)
    altered[where % len(stored)] ^= 1
    other = Fields(b"\1" * 32, os.urandom)
    for key, sealed, table, column, number in (
        (data, bytes(altered), "people", "ssin", row),
        (data, stored[: where % len(stored)], "people", "ssin", row),
        (data, stored, "people", "ssin", row + 1),
        (data, stored, "badges", "ssin", row),
        (data, stored, "people", "name", row),
        (other, stored, "people", "ssin", row),
    ):
        with pytest.raises(FieldBroken):
            key.decrypt(sealed, table, column, number)


def _readable(world: World) -> None:
    (world.folder / "registry.key").chmod(0o644)


def _missing(world: World) -> None:
    (world.folder / "registry.key").unlink()


def _short(world: World) -> None:
    (world.folder / "registry.key").write_bytes(b"short")


def _of_another(world: World) -> None:
    (world.folder / "registry.key").write_bytes(bytes(32))


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (_readable, "others can read the key"),
        (_missing, "can't read the key"),
        (_short, "a registry key of 5 bytes"),
        (_of_another, "is not the key of"),
    ],
)
def test_a_key_that_is_known_missing_or_wrong_is_refused(
    world: World, spoil: object, what: str
) -> None:
    assert callable(spoil)
    spoil(world)
    with pytest.raises(BadInput, match=what):
        Registry.open(world.folder / "registry.db", world.folder / "registry.key")
    result = world.run("badge", "list", status=2)
    assert what in result.stderr


def test_every_file_with_a_secret_is_ours_alone(world: World) -> None:
    shared = {
        path.name
        for path in world.folder.rglob("*")
        if path.is_file() and path.stat().st_mode & 0o077
    }
    certificates = {"ca.pem", "tls.pem", "issuer.pem", "enrolment.pem", "report.pem"}
    assert shared == {*certificates, "onss-acme.pub.pem"}
