"""The commands: what they refuse, that nothing is half done, and that history is kept."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ciao.errors import BadInput
from provisioning.office import Settings, moment, zone
from provisioning.registry import Registry
from tests.support.waiting import wait_for
from tests.support.world import ACME, AGENCY, NUMBER, OTHER_NUMBER, SSINS, UIDS, World

ROOT = Path(__file__).resolve().parents[2]

_EMPLOY = ("employment", "add", "--initials", "X", "--from", "2026-01-01", "--employer", "acme")
# belongs to another employer than the terminal does
FOREIGN = "1Y1000002ABCZ"
_SITE = ("site", "add", "new", "--name", "New")
_BADGE = ("badge", "add", "--employment", "e1")

# command, what is typed, the error, the hint
BAD: list[tuple[tuple[str, ...], str | None, str, str]] = [
    (_EMPLOY, "00000000197", "check digits", "card"),
    (_EMPLOY, "1234", "not a NISS", "11 digits"),
    (_EMPLOY, "", "no NISS was given", "--ssin"),
    ((*_EMPLOY, "--kind", "agency"), SSINS[2], "whose company number", "--company"),
    ((*_EMPLOY, "--company", "0123456748"), SSINS[2], "no Belgian enterprise", "check digits"),
    ((*_EMPLOY, "--employer", "nobody"), SSINS[2], "no employer 'nobody'", "employer list"),
    ((*_EMPLOY, "--until", "2025-12-31"), SSINS[2], "ends before it starts", "--until"),
    ((*_EMPLOY, "--until", "tomorrow"), SSINS[2], "no day and no moment", "2026-01-31"),
    ((*_EMPLOY, "--language", "french"), SSINS[2], "no language", "fr"),
    ((*_EMPLOY, "--name", "a\tb"), SSINS[2], "no name", "one line"),
    (_EMPLOY, SSINS[0], "then already: e1", "employment end e1"),
    (("employment", "end", "e9", "--at", "2026-02-01"), None, "no employment 'e9'", "list"),
    (("employment", "end", "e1", "--at", "2025-02-01"), None, "begins later", "end"),
    (("employment", "show", "e9"), None, "no employment 'e9'", "list"),
    (_BADGE, "04A1", "2 bytes", "4, 7 or 10"),
    (_BADGE, "zz", "not hex", "04:A1"),
    (_BADGE, "08A1B2C3", "changes at every tap", "fixed UID"),
    (_BADGE, UIDS[0], "with e1 in that period", "badge end b1"),
    (("badge", "add", "--employment", "e2"), UIDS[0], "with e1", "badge end b1"),
    (("badge", "add", "--employment", "e9"), UIDS[1], "no employment 'e9'", "list"),
    ((*_BADGE, "--until", "2025-01-01"), UIDS[1], "ends before it starts", "--until"),
    (
        (*_BADGE, "--from", "2020-01-01", "--until", "2020-02-01"),
        UIDS[1],
        "not in force",
        "show e1",
    ),
    (("badge", "revoke", "b9", "--why", "lost"), None, "no badge 'b9'", "badge list"),
    (("badge", "end", "b1", "--at", "2020-01-01"), None, "begins later", "end"),
    (("employer", "add", "acme", "--name", "A", "--company", ACME), None, "already", "another"),
    (("employer", "add", "A!", "--name", "A", "--company", ACME), None, "no employer id", "a-z"),
    (("employer", "add", "b", "--name", "B", "--company", "12"), None, "enterprise", "10 digits"),
    (("employer", "onss", "nobody", "--client", "c"), None, "no employer", "employer list"),
    (("declaration", "add", "1Y10"), None, "no works declaration number", "13 of"),
    (("declaration", "add", "1Y1000009AAAZ"), None, "which employer?", "acme, theirs"),
    (("declaration", "add", NUMBER, "--employer", "acme"), None, "already", "another"),
    (
        (
            *("declaration", "add", "1Y1000003EQCY", "--employer", "acme"),
            *("--from", "2026-02-01", "--until", "2026-01-01"),
        ),
        None,
        "valid from",
        "on or after",
    ),
    (_SITE, None, "an address or coordinates", "--coordinates"),
    ((*_SITE, "--coordinates", "here"), None, "no coordinates", "4.3517"),
    ((*_SITE, "--coordinates", "4.35,north"), None, "not allowed", "--help"),
    ((*_SITE, "--coordinates", "181,5"), None, "no such place", "longitude first"),
    ((*_SITE, "--coordinates", "4.35,50.84", "--box", "1"), None, "an address and", "one"),
    ((*_SITE, "--post-code", "1000"), None, "exactly one", "--street"),
    (("terminal", "add", "door-1", "--out", "{tmp}/x"), None, "which declaration?", NUMBER),
    (
        ("terminal", "add", "door-1", "--declaration", NUMBER, "--out", "{tmp}/x"),
        None,
        "already",
        "another",
    ),
    (("terminal", "add", "gateway-x", "--out", "{tmp}/x"), None, "no terminal id", "a-z"),
    (
        ("terminal", "add", "door-2", "--declaration", NUMBER, "--out", "{world}"),
        None,
        "exists already",
        "--out",
    ),
    (
        ("terminal", "add", "d", "--declaration", NUMBER, "--out", "{tmp}/x", "--reader", "in=/x"),
        None,
        "not allowed",
        "main=PATH",
    ),
    (("terminal", "bind", "door-9"), None, "no terminal 'door-9'", "terminal list"),
    (("terminal", "bind", "door-1", "--site", "no"), None, "no site 'no'", "site list"),
    (("terminal", "bind", "door-1", "--declaration", "no"), None, "no declaration", "list"),
    (("terminal", "bind", "door-1", "--from", "2025-06-01"), None, "not valid on", "show"),
    (("terminal", "bind", "door-1", "--languages", "fr,"), None, "not allowed", "fr,nl"),
    (("terminal", "bind", "door-1", "--languages", "es,fr"), None, "not allowed", "fr,nl"),
    (("terminal", "bind", "door-1", "--declaration", FOREIGN), None, "theirs's", "another id"),
    (("terminal", "bind", "door-1", "--mode", "swipe"), None, "--mode", "--help"),
    (("terminal", "frobnicate"), None, "No such command", "--help"),
    (("badge", "list", "--config", "{world}/none.toml"), None, "can't read", "--config"),
    (("init", "--domain", "badges.example.be"), None, "exists already", "--dir"),
    (("init", "--domain", "Not a domain"), None, "no domain", "lower case"),
    (("broker", "--out", "{world}/provision.toml/x"), None, "can't make", "another"),
    (("broker", "--user", "no-such-account"), None, "no account", "getent passwd"),
    (("broker", "--user", "nobody"), None, "nobody can't enter", "--out"),
]


def _all_of(world: World) -> dict[str, object]:
    """Read every row, and every other file's bytes."""
    with world.registry() as registry:
        database = registry.store.db
        state: dict[str, object] = {
            name: list(database.conn.execute(f"SELECT * FROM {name}"))
            for name in database.table_names()
        }
    for path in world.folder.rglob("*"):
        if path.is_file() and not path.name.startswith("registry.db"):
            state[str(path)] = path.read_bytes()
    return state


@pytest.fixture(scope="module")
def staffed(made: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    world = made.copy(tmp_path_factory.mktemp("staffed") / "world")
    acme = ("--employer", "acme")
    world.run("employer", "add", "theirs", "--name", "Theirs", "--company", AGENCY)
    world.run("declaration", "add", FOREIGN, "--employer", "theirs")
    world.enrol(UIDS[0], world.employ(SSINS[0], "AA", *acme))
    world.employ(SSINS[1], "BB", *acme)
    return world


@pytest.mark.parametrize(("arguments", "typed", "error", "hint"), BAD)
def test_bad_input_is_one_error_one_hint_status_2_and_nothing_written(
    staffed: World,
    tmp_path: Path,
    arguments: tuple[str, ...],
    typed: str | None,
    error: str,
    hint: str,
) -> None:
    before = _all_of(staffed)
    words = [word.format(tmp=tmp_path, world=staffed.folder) for word in arguments]
    result = staffed.run(*words, asked=None if typed is None else f"{typed}\n", status=2)
    assert result.stdout == ""
    typed_line = [typed] if typed else []
    lines = [line for line in result.stderr.splitlines() if [line] != typed_line]
    assert [line.split(":")[0] for line in lines] == ["error", "hint"], lines
    assert error in lines[0] and hint in lines[1], lines
    assert _all_of(staffed) == before
    assert list(tmp_path.iterdir()) == []


def test_files_and_rows_stand_or_fall_together(world: World, tmp_path: Path) -> None:
    (world.folder / "ca" / "ca.key").write_text("spoilt")
    before = _all_of(world)
    options = ("--declaration", NUMBER, "--out", str(tmp_path / "deep" / "door-2"))
    world.run("terminal", "add", "door-2", *options, status=2)
    assert _all_of(world) == before
    assert list(tmp_path.glob("deep*")) == []


def test_a_key_that_is_not_the_employers_signs_nothing(world: World) -> None:
    path = world.folder / "keys" / "acme.pem"
    path.write_bytes((world.folder / "gateway" / "cosigner.pem").read_bytes())
    result = world.run("terminal", "bind", "door-1", "--languages", "nl", status=2)
    assert "is not the key of acme" in result.stderr


def test_settings_and_rows_stand_or_fall_together(world: World) -> None:
    (world.folder / "keys" / "acme.pem").unlink()  # the roster can't be signed
    before = _all_of(world)
    world.run("employer", "onss", "acme", "--client", "self:acme", status=2)
    assert _all_of(world) == before


def test_a_settings_file_that_is_gone_is_said_in_two_lines(world: World) -> None:
    (world.folder / "gateway.toml").unlink()
    result = world.run("employer", "onss", "acme", "--client", "self:acme", status=2)
    assert "gateway.toml" in result.stderr
    assert world.json("employer", "show", "acme")["onss_client"] is None


def test_a_failed_init_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / "registry.key").write_bytes(b"mine")
    World(folder).run("init", "--domain", "a.example", status=2)
    assert [path.name for path in folder.iterdir()] == ["registry.key"]
    assert (folder / "registry.key").read_bytes() == b"mine"


def test_an_odd_check_character_is_a_warning_not_a_refusal(world: World) -> None:
    result = world.run("declaration", "add", "1Y1000003EQAZ")
    assert result.stderr.startswith("warning: ")
    assert "1Y1000003EQAZ" in {one["number"] for one in world.json("declaration", "list")}


def test_no_row_is_ever_changed_or_removed(world: World) -> None:
    badge = world.enrol(UIDS[0], world.employ(SSINS[0], "AA"))
    with world.registry() as registry:
        before = registry.store.rows("SELECT * FROM badges")
    world.run("badge", "revoke", badge, "--why", "lost")
    world.run("badge", "end", badge)
    with world.registry() as registry:
        after = registry.store.rows("SELECT * FROM badges")
        assert after[: len(before)] == before and len(after) == len(before) + 2
        for table in set(registry.store.db.table_names()) - {"rosters", "_sqlite_migrations"}:
            rows = registry.store.rows(f"SELECT * FROM {table}")
            for action in (f"UPDATE {table} SET row = row + 100", f"DELETE FROM {table}"):
                if rows:
                    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                        registry.store.db.conn.execute(action)
    record = world.json("badge", "show", badge)
    assert [one["what"] for one in record["history"]] == [
        "badge add e1",
        "badge revoke b1",
        "badge end b1",
    ]


def test_two_changes_of_one_row_can_not_fork_its_history(world: World) -> None:
    badge = world.enrol(UIDS[0], world.employ(SSINS[0], "AA"))
    world.run("badge", "revoke", badge, "--why", "lost")
    with world.registry() as registry, pytest.raises(sqlite3.IntegrityError):
        row = registry.store.rows("SELECT * FROM badges")[0]
        registry.store.db.table("badges").insert(row | {"row": 99, "replaces": row["row"]})


def test_the_onss_gets_a_public_key_and_the_gateway_its_credentials(world: World) -> None:
    world.run("employer", "onss", "acme", "--client", "self:acme")
    settings = tomllib.loads((world.folder / "gateway.toml").read_text())
    credentials = settings["onss"]["credentials"]["acme"]
    assert credentials["client_id"] == "self:acme"
    assert (world.folder / credentials["key"]).stat().st_mode & 0o777 == 0o600
    public = (world.folder / "gateway" / "onss-acme.pub.pem").read_text()
    assert public.startswith("-----BEGIN PUBLIC KEY-----")
    assert world.json("employer", "show", "acme")["onss_client"] == "self:acme"
    result = world.run("employer", "onss", "acme", "--client", "again", status=2)
    assert "has the client id self:acme already" in result.stderr


def test_settings_are_read_strictly(world: World) -> None:
    path = world.folder / "provision.toml"
    text = path.read_text()
    assert set(tomllib.loads(text)) == set(Settings.__struct_fields__)
    for before, after, error in (
        ("tls = true", 'tls = "yes"', "line 18: 'broker.tls' is not allowed"),
        ("tls = true", "tsl = true", "unknown key 'broker.tsl'"),
        ("Europe/Brussels", "Europe/Nowhere", "is no time zone"),
        ('domain = "badges', 'domain = "BADGES', "is no domain"),
        ("port = 8883", "port = 0", "'broker.port' is not allowed"),
    ):
        path.write_text(text.replace(before, after))
        assert error in world.run("badge", "list", status=2).stderr
    path.write_text(text)
    elsewhere = path.rename(world.folder / "other.toml")
    world.run("badge", "list", "--config", str(elsewhere))


@pytest.mark.parametrize(
    "text",
    [
        "2026-13-01",
        "9999-12-31",
        "",
        "2026-01-01T25:00",
        "1",
        "\u0662\u0660\u0662\u0666-\u0660\u0661-\u0660\u0661",
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        moment(text, zone("Europe/Brussels"), last=True)


def test_a_file_that_is_no_registry_is_refused(world: World, tmp_path: Path) -> None:
    for content, what in ((b"", "is not the key"), (b"not a database" * 99, "is no registry")):
        path = tmp_path / "db"
        path.write_bytes(content)
        with pytest.raises(BadInput, match=what):
            Registry.open(path, world.folder / "registry.key")
    with pytest.raises(BadInput, match="there is no registry"):
        Registry.open(tmp_path / "none", world.folder / "registry.key")


def test_a_registry_of_a_newer_version_is_left_alone(world: World) -> None:
    with world.registry() as registry:
        row = {"migration_set": "registry", "name": "m9999", "applied_at": "-"}
        registry.store.db.table("_sqlite_migrations").insert(row)
    with pytest.raises(BadInput, match="made by a newer version"):
        world.registry()


def _process(world: World, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "provisioning.cli", *arguments, "--dir", str(world.folder)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT)


def test_the_gateway_notices_what_the_real_command_changes(world: World) -> None:
    with world.registry() as gateway:
        waiting = gateway.badge_hmac(bytes.fromhex(UIDS[0]))
        version = gateway.version()
        options = ("--initials", "AA", "--from", "2026-01-01", "--json")
        out, errors = _process(world, "employment", "add", *options).communicate(f"{SSINS[0]}\n")
        assert errors == ""
        record = json.loads(out)
        with _process(world, "badge", "add", "--employment", record["id"]) as writing:
            assert writing.stdin is not None
            writing.stdin.write(f"{UIDS[0]}\n")
            writing.stdin.flush()
            wait_for(lambda: gateway.version() >= version + 2, "the badge to be seen")
            found = gateway.resolve(waiting, world.now)
            assert found is not None and found.ssin == SSINS[0]
            assert writing.wait(10) == 0


def test_the_real_process_says_two_lines_and_exits_with_2(world: World) -> None:
    process = _process(world, "badge", "add", "--employment", "e1")
    out, errors = process.communicate("nonsense\n")
    assert (process.returncode, out) == (2, "")
    assert [line.split(":")[0] for line in errors.splitlines()] == ["error", "hint"]


def test_a_command_waits_for_another_and_says_so_when_it_takes_too_long(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioning.registry.store.BUSY_TIMEOUT_S", 0.05)
    with world.registry() as other, other.store.change("long", world.now):
        version = other.version()
        result = world.run("declaration", "add", OTHER_NUMBER[:-2] + "AZ", status=2)
        assert "is busy" in result.stderr
        assert other.version() == version
