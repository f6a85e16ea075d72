"""What a terminal gets: its folder, its binding, its roster; and what it must refuse."""

from __future__ import annotations

import base64
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from ciao import binding, names, roster
from ciao.keys import load_sealing_key, load_signing_key
from ciao.notes import Signer, VerifierKey
from ciao.reading import ClockQuality, Reading, rfc3339
from ciao.registration import Address, Direction, Registration
from provisioning.registry import IssuedBinding, place
from provisioning.registry.published import published
from tests.support.world import ACME, NUMBER, OTHER_NUMBER, SSINS, START, UIDS, World

BRUSSELS = ZoneInfo("Europe/Brussels")


def _root(world: World) -> VerifierKey:
    text = (world.folder / "door-1" / "terminal.toml").read_text()
    return VerifierKey.parse(tomllib.loads(text)["provisioning_key"])


def _opened(world: World, serial_min: int = 0) -> list[binding.Signed]:
    """Open the retained message as the terminal does."""
    with world.registry() as registry:
        message = registry.binding_message("door-1", world.now)
    assert message is not None
    return binding.open_message(message, _root(world), "door-1", serial_min)


def _roster(world: World, serial_min: int = 0) -> roster.Roster:
    with world.registry() as registry:
        sealed = registry.sealed_roster("door-1")
    assert sealed is not None
    private = load_sealing_key(world.folder / "door-1" / "seal.pem")
    return roster.open_roster(sealed, private, [_root(world)], "door-1", serial_min)


def test_a_terminals_folder_fits_its_binding_and_its_certificate(world: World) -> None:
    door = world.folder / "door-1"
    settings = tomllib.loads((door / "terminal.toml").read_text())
    (signed,) = _opened(world)
    name = names.enrolled_key_name(settings["domain"], settings["terminal"])
    enrolled = Signer(name, load_signing_key(door / settings["keys"]["enrolled"])).verifier()
    assert signed.binding.enrolled_key() == enrolled
    assert settings["language"] == signed.binding.languages[0]
    assert settings["time_zone"] == signed.binding.time_zone
    certificate = x509.load_pem_x509_certificate(
        (door / settings["broker"]["certificate"]).read_bytes()
    )
    assert certificate.subject.rfc4514_string() == "CN=door-1,O=terminals"
    with world.registry() as registry:
        known = registry.terminal("door-1")
        assert known is not None and known.enrolled == enrolled
        seal = load_sealing_key(door / settings["keys"]["seal"])
        assert known.seal == seal.public_key().public_bytes_raw()


def test_the_binding_lists_the_gateways_own_keys(world: World) -> None:
    settings = tomllib.loads((world.folder / "gateway.toml").read_text())
    (gateway,) = _opened(world)[0].binding.gateways
    hpke = load_sealing_key(world.folder / settings["keys"]["hpke"])
    cosigner = load_signing_key(world.folder / settings["keys"]["cosigner"])
    assert base64.b64decode(gateway.hpke) == hpke.public_key().public_bytes_raw()
    listed = VerifierKey.parse(gateway.cosigner)
    assert listed.public == cosigner.public_key().public_bytes_raw()
    assert listed.name == names.cosigner_name(settings["domain"], settings["gateway"])


def test_a_taps_declaration_and_place_come_from_the_binding_in_force_then(world: World) -> None:
    (first,) = _opened(world)
    world.now += timedelta(days=1)
    world.run("terminal", "bind", "door-1", "--declaration", OTHER_NUMBER)
    with world.registry() as registry:
        then = registry.binding(first.sha256)
        assert then is not None and then.declaration.number == NUMBER
        where = place(then.site)
        assert where == Address("1000", "Brussel", "Grasmarkt", "1")
        assert registry.binding("0" * 64) is None
        Registration(START, SSINS[0], registry.employers()[0].company, NUMBER, where, Direction.IN)
    assert _opened(world)[0].binding.declaration.number == OTHER_NUMBER


def test_binding_again_to_the_same_issues_nothing(world: World) -> None:
    (before,) = _opened(world)
    world.now += timedelta(days=1)
    assert world.run("terminal", "bind", "door-1").stdout == "door-1: unchanged\n"
    assert _opened(world) == [before]


def test_serials_grow_even_within_one_second(world: World) -> None:
    serials = [_opened(world)[0].binding.serial]
    for language in ("nl", "de", "en"):
        world.run("terminal", "bind", "door-1", "--languages", language)
        serials.append(_opened(world)[0].binding.serial)
    assert serials == list(range(serials[0], serials[0] + 4))


def test_a_binding_to_come_is_published_beside_the_one_in_force(world: World) -> None:
    world.run("terminal", "bind", "door-1", "--declaration", OTHER_NUMBER, "--from", "2026-04-01")
    now, following = _opened(world)
    assert (now.binding.declaration.number, following.binding.declaration.number) == (
        NUMBER,
        OTHER_NUMBER,
    )
    assert following.binding.starts_at() == datetime(2026, 4, 1, tzinfo=BRUSSELS)
    world.now = datetime(2026, 4, 1, tzinfo=BRUSSELS)
    assert _opened(world) == [following]


def test_what_is_not_given_stays(world: World) -> None:
    options = ("--mode", "lanes", "--languages", "nl,fr", "--lateness", "hold", "--send-hours", "2")
    world.run("terminal", "bind", "door-1", *options)
    world.run("terminal", "bind", "door-1", "--declaration", OTHER_NUMBER)
    last = _opened(world)[0].binding
    assert (last.mode, last.languages) == ("lanes", ["nl", "fr"])
    assert last.lateness == binding.Lateness("hold", 2)


def test_the_roster_greets_and_tells_who_is_revoked(world: World) -> None:
    assert _roster(world).badges == {}
    badge = world.enrol(UIDS[0], world.employ(SSINS[0], "SM", "--language", "nl"))
    first = _roster(world)
    assert first.find(bytes.fromhex(UIDS[0])) == roster.Holder("SM", "nl")
    assert first.find(bytes.fromhex(UIDS[1])) is None
    world.run("badge", "revoke", badge, "--why", "lost")
    second = _roster(world, first.serial)
    assert second.find(bytes.fromhex(UIDS[0])) == roster.Holder("SM", "nl", True)
    assert second.serial > first.serial
    world.run("badge", "end", badge)
    assert _roster(world).badges == {}


def test_a_badge_that_changes_hands_greets_who_has_it_now(world: World) -> None:
    first, second = world.employ(SSINS[0], "AA"), world.employ(SSINS[1], "BB")
    badge = world.enrol(UIDS[0], first)
    world.run("badge", "end", badge, "--at", "2026-03-05")
    world.enrol(UIDS[0], second, "--from", "2026-03-06")
    found = _roster(world).find(bytes.fromhex(UIDS[0]))
    assert found is not None and found.initials == "AA"


def test_a_change_of_nobodys_badge_issues_no_roster(world: World) -> None:
    before = _roster(world).serial
    world.now += timedelta(days=1)
    world.employ(SSINS[0], "SM")
    assert _roster(world).serial == before


def test_older_tampered_and_foreign_messages_are_refused(world: World) -> None:
    with world.registry() as registry:
        message = registry.binding_message("door-1", world.now)
        sealed = registry.sealed_roster("door-1")
    assert message is not None and sealed is not None
    root = _root(world)
    serial = _opened(world)[0].binding.serial
    private = load_sealing_key(world.folder / "door-1" / "seal.pem")

    def reason(attempt: object) -> str:
        assert callable(attempt)
        with pytest.raises(binding.BindingRefused) as refused:
            attempt()
        return refused.value.reason

    def opened(data: bytes, terminal: str = "door-1", minimum: int = 0) -> object:
        return lambda: binding.open_message(data, root, terminal, minimum)

    assert reason(opened(message, minimum=serial + 1)) == "older"
    assert reason(opened(message, terminal="door-2")) == "foreign"
    tampered = message.replace(NUMBER.encode(), OTHER_NUMBER.encode())
    assert tampered != message
    assert reason(opened(tampered)) == "signature"

    def greeted(terminal: str, minimum: int) -> object:
        return lambda: roster.open_roster(sealed, private, [root], terminal, minimum)

    assert reason(greeted("door-1", serial + 1)) == "older"
    assert reason(greeted("door-2", 0)) == "malformed"


def test_a_registry_whose_bindings_were_altered_is_not_believed(world: World) -> None:
    with world.registry() as registry:
        sha256 = registry.bindings("door-1")[0].sha256
        connection = registry.store.db.conn
        connection.execute("DROP TRIGGER bindings_no_update")
        connection.execute("UPDATE bindings SET note = replace(note, ?, ?)", (NUMBER, OTHER_NUMBER))
        connection.commit()
        with pytest.raises(binding.BindingRefused, match="signature"):
            registry.binding(sha256)


def test_a_binding_under_a_hash_that_is_not_its_own_is_not_believed(world: World) -> None:
    with world.registry() as registry:
        connection = registry.store.db.conn
        connection.execute("DROP TRIGGER bindings_no_update")
        connection.execute("UPDATE bindings SET sha256 = ?", ("0" * 64,))
        connection.commit()
        with pytest.raises(binding.BindingRefused, match="not its own"):
            registry.binding("0" * 64)


def test_without_tls_a_terminals_settings_name_no_certificates(tmp_path: Path) -> None:
    world = World(tmp_path / "plain")
    world.run("init", "--domain", "a.example", "--no-broker-tls", "--broker-port", "1883")
    world.run("employer", "add", "acme", "--name", "Acme", "--company", ACME)
    world.run("declaration", "add", NUMBER)
    world.run("site", "add", "bridge", "--name", "Bridge", "--coordinates", "4.3517,50.8466")
    door = tmp_path / "door"
    options = ("--mode", "lanes", "--reader", "out=/tmp/other")
    world.run("terminal", "add", "door-1", "--out", str(door), *options)
    settings = tomllib.loads((door / "terminal.toml").read_text())
    assert settings["broker"] == {"host": "127.0.0.1", "port": 1883}
    assert settings["readers"] == {"in": {"path": "/dev/ttyS0"}, "out": {"path": "/tmp/other"}}
    gateway = tomllib.loads((world.folder / "gateway.toml").read_text())
    assert gateway["broker"] == settings["broker"]
    assert not (door / "tls.key").exists()


def test_broker_folder_has_what_mosquitto_needs(world: World, tmp_path: Path) -> None:
    out = tmp_path / "broker"
    world.run("broker", "--out", str(out))
    key = (out / "broker.key").read_bytes()
    world.run("broker", "--out", str(out), "--listen", "0.0.0.0")
    assert (out / "broker.key").read_bytes() == key
    assert {path.name for path in out.iterdir()} == {
        "acl",
        "broker.key",
        "broker.pem",
        "ca.pem",
        "crl.pem",
        "mosquitto.conf",
    }
    assert "listener 8883 0.0.0.0" in (out / "mosquitto.conf").read_text()
    assert "user gateway-one" in (out / "acl").read_text()


# Whatever was issued, a terminal that holds only what is published stands where one that holds
# everything would: until the second change from then, which it has not been told of yet.

_ISSUED = st.lists(st.integers(0, 9), max_size=6)


def _in_force(known: list[IssuedBinding], at: datetime) -> int | None:
    reading = Reading(at, "", 0, ClockQuality("ntp", True))
    signed = [_signed(one) for one in known]
    found = binding.in_force(signed, None, reading)
    return found.binding.serial if found else None


def _signed(one: IssuedBinding) -> binding.Signed:
    bundle = binding.Binding(
        v=1,
        serial=one.serial,
        employer="acme",
        terminal="door-1",
        enrolled="-",
        site=binding.Site("-"),
        declaration=binding.Declaration(NUMBER),
        effective_from=rfc3339(one.effective_from),
        mode="buttons",
        languages=["fr"],
        gateways=[],
        lateness=binding.Lateness(),
        time_zone="Europe/Brussels",
    )
    return binding.Signed(bundle, "", "")


@given(_ISSUED, st.integers(0, 9))
def test_what_is_published_puts_the_same_binding_in_force(hours: list[int], hour: int) -> None:
    issued = [
        IssuedBinding("door-1", serial, "", START + timedelta(hours=begins), "", "")
        for serial, begins in enumerate(hours)
    ]
    now = START + timedelta(hours=hour)
    told = published(issued, now)
    assert len(told) <= 2
    truth = [_in_force(issued, now + timedelta(hours=ahead)) for ahead in range(11)]
    believed = [_in_force(told, now + timedelta(hours=ahead)) for ahead in range(11)]
    changes = [ahead for ahead in range(1, 11) if truth[ahead] != truth[ahead - 1]]
    horizon = changes[1] if len(changes) > 1 else 11
    assert believed[:horizon] == truth[:horizon]


def test_days_are_local_days(world: World) -> None:
    world.now = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)  # 29 March in Brussels, the DST change
    world.run("terminal", "bind", "door-1", "--languages", "nl")
    assert _opened(world)[0].binding.effective_from == "2026-03-29T00:30:00.000+01:00"
