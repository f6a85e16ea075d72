"""Keys that follow one another, on a terminal that was off meanwhile; and what is refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from ciao import binding
from ciao.keys import load_sealing_key
from ciao.notes import VerifierKey
from gateway import certificates
from gateway import config as gateway_config
from terminal import config
from terminal.held import Held, Trust
from tests.support.world import OTHER_NUMBER, World, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path / "office")


def terminal(world: World) -> Held:
    """What the terminal holds, as it finds it on its disk."""
    read = config.load(world.folder / "door-1" / "terminal.toml")
    read.state.mkdir(exist_ok=True)
    seal = load_sealing_key(read.base / "seal.pem")
    held = Held(read.state, Trust("door-1", read.provisioning_key, seal))
    assert held.load() == []
    return held


def published(world: World) -> tuple[bytes, bytes]:
    with world.registry() as registry:
        message = registry.binding_message("door-1", world.now)
        roster = registry.sealed_roster("door-1")
    assert message is not None and roster is not None
    return message, roster


def key_now(world: World) -> VerifierKey:
    with world.registry() as registry:
        return registry.employers()[0].provisioning_key


def test_a_terminal_that_was_off_while_the_key_was_rolled_twice_follows(world: World) -> None:
    before = terminal(world)
    before.bindings_arrived(published(world)[0])
    first = key_now(world)
    for _ in range(2):
        world.now += timedelta(days=30)
        world.run("employer", "roll", "acme")
    # The office went on with the newest key alone.
    (world.folder / "keys" / "acme.pem").unlink()
    world.now += timedelta(days=30)
    world.run("terminal", "bind", "door-1", "--declaration", OTHER_NUMBER)
    assert key_now(world) != first
    message, roster = published(world)
    after = terminal(world)
    after.bindings_arrived(message)
    after.roster_arrived(roster)
    assert after.known[-1].binding.declaration.number == OTHER_NUMBER
    again = terminal(world)
    assert again.known == after.known and again.roster == after.roster


def test_without_its_links_a_new_key_is_nobodys(world: World) -> None:
    world.run("employer", "roll", "acme")
    world.now += timedelta(days=1)
    world.run("terminal", "bind", "door-1", "--declaration", OTHER_NUMBER)
    with world.registry() as registry:
        notes = [issued.note for issued in registry.bindings("door-1")][-1:]
    bare = binding.Bindings(notes)
    with pytest.raises(binding.BindingRefused, match="signature"):
        terminal(world).bindings_arrived(msgspec.json.encode(bare))


def test_a_link_by_a_stranger_is_not_followed(world: World, tmp_path: Path) -> None:
    other = make_world(tmp_path / "stranger")
    other.run("employer", "roll", "acme")
    with pytest.raises(binding.BindingRefused, match="signature"):
        terminal(world).bindings_arrived(published(other)[0])


def test_what_the_key_before_signed_stays_good(world: World) -> None:
    old = msgspec.json.decode(published(world)[0], type=binding.Bindings)
    world.run("employer", "roll", "acme")
    held = terminal(world)
    held.bindings_arrived(published(world)[0])
    assert [signed.note for signed in held.known] == old.bindings


def test_terminals_follow_sixteen_keys_and_the_office_makes_no_more(world: World) -> None:
    for _ in range(16):
        world.run("employer", "roll", "acme")
    terminal(world).bindings_arrived(published(world)[0])
    assert "as far as terminals follow" in world.run("employer", "roll", "acme", status=2).stderr


def test_certificates_that_run_out_are_told_of_and_renewed_for_the_same_keys(world: World) -> None:
    world.run("broker")
    assert world.run("certificate", "renew").stdout == "none was due\n"
    world.now += timedelta(days=700)
    due = {one["file"]: one["days_left"] for one in world.json("certificate", "list")}
    assert due["gateway/tls.pem"] == due["gateway/enrolment.pem"] == due["broker/broker.pem"] == 30
    config_path = world.folder / "gateway.toml"
    told = list(certificates.ending(gateway_config.load(config_path), world.folder, world.now))
    assert told == [
        f"the certificate gateway/{name}.pem runs out in 30 days: ciao-provision certificate renew"
        for name in ("tls", "enrolment")
    ]
    keys = {path: path.read_bytes() for path in world.folder.glob("*/*.key")}
    assert "renewed tls.pem, enrolment.pem" in world.run("certificate", "renew").stdout
    assert "with a new certificate" in world.run("broker").stdout
    left = {one["file"]: one["days_left"] for one in world.json("certificate", "list")}
    assert {left[name] for name in due if due[name] == 30} == {730}
    assert keys == {path: path.read_bytes() for path in world.folder.glob("*/*.key")}
