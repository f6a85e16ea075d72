"""What provisioning writes is what the broker, the terminal and the gateway read."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from ciao import binding
from ciao.mqtt import BrokerSettings
from gateway import config as gateway_config
from terminal import config as terminal_config
from tests.support.broker import mosquitto
from tests.support.ports import free_port, listens
from tests.support.session import session
from tests.support.waiting import wait_for
from tests.support.world import World, make_world


def test_the_terminal_reads_its_settings(world: World) -> None:
    read = terminal_config.load(world.folder / "door-1" / "terminal.toml")
    with world.registry() as registry:
        employer = registry.employer("acme")
    assert employer is not None and read.provisioning_key == employer.provisioning_key
    assert read.settings.terminal == "door-1"
    for name in (read.settings.keys.enrolled, read.settings.keys.seal):
        assert (read.base / name).is_file()


def test_the_gateway_reads_its_settings(world: World) -> None:
    world.run("employer", "onss", "acme", "--client", "self:acme")
    read = gateway_config.load(world.folder / "gateway.toml")
    (credential,) = gateway_config.onss_configs(read.onss, world.folder).values()
    assert credential.client_id == "self:acme"
    assert (world.folder / read.registry).is_file()
    assert len((world.folder / read.keys.answers).read_bytes()) == 32


@pytest.fixture
def live(tmp_path: Path) -> Iterator[World]:
    """A world whose broker runs, from the folder that the command wrote."""
    port = free_port()
    world = make_world(tmp_path / "world", "--broker-port", str(port), now=datetime.now(UTC))
    user = ("--user", "root") if os.geteuid() == 0 else ()
    world.run("broker", "--out", str(tmp_path / "broker"), *user)
    conf = str(tmp_path / "broker" / "mosquitto.conf")
    process = subprocess.Popen([mosquitto(), "-c", conf], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: listens(port), "mosquitto to listen")
        yield world
    finally:
        process.kill()
        process.wait(10)


def _absolute(settings: BrokerSettings, folder: Path) -> BrokerSettings:
    assert settings.ca and settings.certificate and settings.key
    return msgspec.structs.replace(
        settings,
        ca=str(folder / settings.ca),
        certificate=str(folder / settings.certificate),
        key=str(folder / settings.key),
    )


def test_a_binding_reaches_the_terminal_through_the_broker_that_was_written(live: World) -> None:
    door = terminal_config.load(live.folder / "door-1" / "terminal.toml")
    gateway = gateway_config.load(live.folder / "gateway.toml")
    topic = "ciao/1/door-1/binding"
    with live.registry() as registry:
        message = registry.binding_message("door-1", live.now)
    assert message is not None
    with (
        session(
            _absolute(gateway.broker, live.folder), "gateway-one", ["ciao/1/+/journal"]
        ) as publishing,
        session(_absolute(door.settings.broker, door.base), "door-1", [topic]) as receiving,
    ):
        publishing.publish(topic, message, retain=True)
        receiving.wait_for(topic, message)
    (signed,) = binding.open_message(message, door.provisioning_key, "door-1", 0)
    assert signed.binding.site.name == "Tower"
