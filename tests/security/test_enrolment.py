"""From an empty box to a trusted terminal: what a code is good for, and what it is not."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from ciao import code as codes
from ciao import enrolment as wire
from ciao.enrolment import Enrol, Refused, Welcome
from ciao.errors import BadInput
from gateway.enrolment.limits import FAILURES_OF_ADDRESS_MAX, WINDOW_S
from gateway.enrolment.server import CONNECTIONS_MAX
from terminal import config
from terminal.enrolment import enrol as enrolling
from terminal.enrolment import trust
from terminal.enrolment.folder import prepare
from tests.provisioning.test_broker_conf import connect
from tests.security.enrolling import Served, folders, served
from tests.security.operator import Operator
from tests.support.certificates import Authority
from tests.support.waiting import wait_for
from tests.support.world import World, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path / "office", now=datetime.now(UTC))


def enrol(one: Served, code: str, folder: Path) -> Welcome:
    return enrolling.enrol(code, one.url, folder, os.urandom)


def request(one: Served, code: str, folder: Path) -> Enrol:
    return enrolling._request(codes.parse(code), prepare(folder, os.urandom))


def ask(one: Served, request: msgspec.Struct, path: str = wire.ENROL_PATH) -> object:
    """Ask the service itself; return its answer, or why it refused."""
    status, body = one.service().answer("POST", path, wire.encode(request), "198.51.100.7")
    return wire.decode(Refused, body).refused if status != 200 else wire.decode(Welcome, body)


def test_an_empty_box_becomes_a_terminal_that_the_broker_takes(
    office: Operator, tmp_path: Path
) -> None:
    box = tmp_path / "box"
    with served(office.world) as one:
        code = one.code("door-2")
        assert enrol(one, code, box).terminal == "door-2"
        said = office.world.run("terminal", "accept", "door-2").stdout
    assert "enrolled and bound" in said
    read = config.load(box / "terminal.toml")
    assert read.settings.terminal == "door-2" and read.settings.enrolment is not None
    for secret in ("enrolled.pem", "seal.pem", "tls.key"):
        assert (box / secret).stat().st_mode & 0o077 == 0
    context = ssl.create_default_context(cafile=box / "ca.pem")
    context.load_cert_chain(box / "tls.pem", box / "tls.key")
    assert connect(office.port, context) == b"\x20\x02\x00\x00"
    with office.world.registry() as registry:
        (issued,) = registry.bindings("door-2")
        bound = registry.opened(issued).binding
        known = registry.terminal("door-2")
    assert known is not None and bound.enrolled == str(known.enrolled)
    # No private key of it exists anywhere in the office.
    mine = {path.read_bytes() for path in box.glob("*") if path.name in ("enrolled.pem", "tls.key")}
    assert not mine & {path.read_bytes() for path in office.folder.rglob("*") if path.is_file()}


def test_before_the_office_has_bound_it_a_terminal_is_told_nothing(
    world: World, tmp_path: Path
) -> None:
    with served(world) as one:
        enrol(one, one.code("door-2"), tmp_path / "box")
    with world.registry() as registry:
        assert registry.binding_message("door-2", world.now) is None


def test_a_leaked_code_is_useless_twice(world: World, tmp_path: Path) -> None:
    with served(world) as one:
        code = one.code("door-2")
        enrol(one, code, tmp_path / "box")
        with pytest.raises(BadInput, match="used already"):
            enrol(one, code, tmp_path / "thief")
    assert "terminal.toml" not in folders(tmp_path / "thief")


def test_a_leaked_code_that_the_thief_uses_first_shows_at_once(
    world: World, tmp_path: Path
) -> None:
    with served(world) as one:
        code = one.code("door-2")
        enrol(one, code, tmp_path / "thief")
        with pytest.raises(BadInput, match="used already"):
            enrol(one, code, tmp_path / "box")


def test_an_answer_that_was_lost_is_given_again_to_the_same_keys(
    world: World, tmp_path: Path
) -> None:
    with served(world) as one:
        code = one.code("door-2")
        lost = ask(one, request(one, code, tmp_path / "box"))
        assert isinstance(lost, Welcome)
        one.now += timedelta(days=3)  # even when the code has run out meanwhile
        again = enrol(one, code, tmp_path / "box")
    assert again == lost


def test_a_code_runs_out(world: World, tmp_path: Path) -> None:
    with served(world) as one:
        code = one.code("door-2", "--hours", "2")
        one.now += timedelta(hours=2)
        with pytest.raises(BadInput, match="run out"):
            enrol(one, code, tmp_path / "box")


def test_a_newer_code_ends_the_one_before(world: World, tmp_path: Path) -> None:
    with served(world) as one:
        first, second = one.code("door-2"), one.code("door-2")
        with pytest.raises(BadInput, match="not known"):
            enrol(one, first, tmp_path / "box")
        enrol(one, second, tmp_path / "box")


def test_guessing_codes_is_stopped_and_does_not_stop_others(world: World, tmp_path: Path) -> None:
    with served(world) as one:
        good = request(one, one.code("door-2"), tmp_path / "box")
        service = one.service()

        def tried(asked: Enrol, address: str) -> str:
            status, body = service.answer("POST", wire.ENROL_PATH, wire.encode(asked), address)
            return "" if status == 200 else wire.decode(Refused, body).refused

        def guess() -> Enrol:
            code = codes.Code(os.urandom(codes.SECRET_SIZE), "0" * 22)
            return enrolling._request(code, prepare(tmp_path / "thief", os.urandom))

        guesses = [tried(guess(), "203.0.113.9") for _ in range(FAILURES_OF_ADDRESS_MAX + 2)]
        assert guesses == ["code_unknown"] * FAILURES_OF_ADDRESS_MAX + ["too_many"] * 2
        assert tried(good, "203.0.113.9") == "too_many"
        assert tried(good, "198.51.100.7") == ""
        one.up_s = WINDOW_S
        assert tried(guess(), "203.0.113.9") == "code_unknown"


def test_a_code_is_kept_as_a_keyed_hash_only(world: World) -> None:
    with served(world) as one:
        code = codes.parse(one.code("door-2"))
    files = [path for path in world.folder.glob("registry.db*") if path.suffix != ".key"]
    kept = b"".join(path.read_bytes() for path in files)
    for secret in (code.secret, code.bearer.encode(), code.office_key, str(code).encode()):
        assert secret not in kept


def test_somebody_in_between_learns_nothing_and_is_not_believed(
    world: World, tmp_path: Path
) -> None:
    other = make_world(tmp_path / "other" / "office", now=datetime.now(UTC))
    with served(world) as real, served(other) as between:
        code = real.code("door-2")
        with pytest.raises(BadInput, match="not the one that the code is for"):
            enrolling.enrol(code, between.url, tmp_path / "box", os.urandom)


def test_a_server_of_another_name_is_refused_though_its_root_is_ours(
    world: World, tmp_path: Path
) -> None:
    with served(world) as one:
        code = one.code("door-2")
        url = one.url.replace("127.0.0.1", "localhost")
        with pytest.raises(BadInput, match="does not answer as it should"):
            enrolling.enrol(code, url, tmp_path / "box", os.urandom)


def test_a_rogue_gateway_can_not_put_its_keys_in_a_terminals_place(
    world: World, tmp_path: Path
) -> None:
    with served(world) as one:
        code = one.code("door-2")
        real = request(one, code, tmp_path / "box")
        # It saw the bearer, and has keys of its own; the proof it can't make.
        own = prepare(tmp_path / "rogue", os.urandom)
        swapped = replace(codes.parse(code), secret=b"?" * codes.SECRET_SIZE)
        forged = enrolling._request(swapped, own)
        text = wire.enrol_text(
            real.bearer, forged.enrolled, forged.seal, wire.key_digest(own.tls.public_key())
        )
        signature = wire.sign(own.enrolled, text)
        rogue = msgspec.structs.replace(forged, bearer=real.bearer, signature=signature)
        assert isinstance(ask(one, rogue), Welcome)
    said = world.run("terminal", "accept", "door-2", status=2).stderr
    assert "are not those its code was used with" in said
    with world.registry() as registry:
        assert not registry.bindings("door-2")


def test_a_rogue_gateway_can_not_name_its_own_provisioning_key(
    world: World, tmp_path: Path
) -> None:
    other = make_world(tmp_path / "other" / "office", now=datetime.now(UTC))
    with other.registry() as registry:
        foreign = registry.employers()[0].provisioning_key
    with served(world) as one:
        code = one.code("door-2")
        welcome = ask(one, request(one, code, tmp_path / "box"))
        assert isinstance(welcome, Welcome)
        forged = msgspec.structs.replace(welcome, provisioning_key=str(foreign))
        with pytest.raises(BadInput, match="does not come from the office"):
            trust.check_welcome(forged, codes.parse(code))
        trust.check_welcome(welcome, codes.parse(code))


def test_a_certificate_of_another_root_is_not_taken(world: World, tmp_path: Path) -> None:
    foreign = Authority(tmp_path / "foreign").identity
    with served(world) as one:
        code = one.code("door-2")
        asked = request(one, code, tmp_path / "box")
        welcome = ask(one, asked)
    assert isinstance(welcome, Welcome)
    key = prepare(tmp_path / "box", os.urandom).tls.public_key()
    authority = (world.folder / "ca/ca.pem").read_bytes()
    trust.check_chain(welcome.certificate, authority, "door-2", key)
    for pem, name in ((foreign.certificate_pem, "door-2"), (authority, "door-3")):
        with pytest.raises(BadInput):
            trust.check_chain(welcome.certificate, pem, name, key)


def test_replaced_hardware_is_given_the_last_cosigned_note_and_the_old_one_is_out(
    office: Operator, tmp_path: Path
) -> None:
    note = "the last cosigned note\n"
    with served(office.world) as one:
        one.notes["door-1"] = note
        with office.door("door-1") as old:
            said = office.world.run("terminal", "code", "door-1", "--no-wait", status=2)
            assert "--replace" in said.stderr
            enrol(one, one.code("door-1", "--replace"), tmp_path / "box")
            office.world.run("terminal", "accept", "door-1")
            wait_for(lambda: len(old.events) > 1, "the old hardware's session to end")
    assert (tmp_path / "box" / "state" / "predecessor.note").read_text() == note
    context = ssl.create_default_context(cafile=office.folder / "gateway" / "ca.pem")
    context.load_cert_chain(office.folder / "door-1/tls.pem", office.folder / "door-1/tls.key")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        connect(office.port, context)


def test_whoever_says_nothing_keeps_nobody_out(world: World, tmp_path: Path) -> None:
    with served(world) as one:
        silent = [
            socket.create_connection(("127.0.0.1", one.port)) for _ in range(CONNECTIONS_MAX - 1)
        ]
        try:
            enrol(one, one.code("door-2"), tmp_path / "box")
        finally:
            for connection in silent:
                connection.close()


def test_what_is_too_large_or_no_request_of_ours_is_answered_and_changes_nothing(
    world: World,
) -> None:
    context = ssl.create_default_context(cafile=world.folder / "gateway" / "ca.pem")
    with served(world) as one:
        for method, path, body, status in (
            ("GET", "/", b"", 404),
            ("POST", "/enrol", b"{}", 400),
            ("POST", "/enrol", b"x" * 20_000, 413),
            ("PUT", "/enrol", b"", 501),
        ):
            client = http.client.HTTPSConnection("127.0.0.1", one.port, context=context, timeout=5)
            client.request(method, path, body)
            assert client.getresponse().status == status, (method, path)
            client.close()


@pytest.mark.parametrize("text", ["", "ABCDE", "0" * 40, "U" * 40])
def test_what_is_no_code_is_refused_before_anything_is_sent(text: str) -> None:
    with pytest.raises(BadInput):
        codes.parse(text)


def test_a_code_is_read_as_people_type_it_and_a_wrong_letter_is_noticed(world: World) -> None:
    with served(world) as one:
        text = one.code("door-2")
    code = codes.parse(text)
    assert codes.parse(text.lower().replace("-", " ").replace("0", "o").replace("1", "l")) == code
    at = 7
    other = "2" if text[at] != "2" else "3"
    with pytest.raises(BadInput, match="mistyped"):
        codes.parse(text[:at] + other + text[at + 1 :])
