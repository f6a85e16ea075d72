"""Two gateways on one machine: each serves enrolment on a port of its own."""

from __future__ import annotations

import socket
import tomllib
from pathlib import Path

from gateway import config as gateway_config
from provisioning.ports import first_free, is_taken
from tests.support.ports import free_port
from tests.support.world import World


def test_a_port_that_somebody_listens_on_is_taken_and_the_next_free_one_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert is_taken(port)
        assert first_free(port, lambda one: one == port) == port + 1
    assert not is_taken(port)
    assert first_free(65_530, lambda _: True) == 65_530


def test_a_gateways_enrolment_moves_to_another_port_in_both_settings(world: World) -> None:
    port = free_port()
    told = world.json("gateway", "enrolment", "--port", str(port))
    assert told == {"server": f"https://127.0.0.1:{port}", "told_the_old_one": ["door-1"]}
    read = gateway_config.load(world.folder / "gateway.toml")
    assert read.enrolment is not None and read.enrolment.port == port
    text = (world.folder / "provision.toml").read_text()
    assert tomllib.loads(text)["enrolment"] == told["server"]
    # What its owner wrote stays, and the office goes on with it.
    assert "# Where terminals enrol.\n" in text and "# What ciao-provision works on." in text
    assert told == world.json("gateway", "enrolment", "--port", str(port))


def test_a_port_that_is_taken_is_refused_in_two_lines_and_nothing_is_changed(
    world: World,
) -> None:
    before = [(world.folder / name).read_bytes() for name in ("gateway.toml", "provision.toml")]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        said = world.run("gateway", "enrolment", "--port", str(port), status=2).stderr
    assert said == f"error: the port {port} is taken on this machine\nhint: give another --port\n"
    assert before == [
        (world.folder / name).read_bytes() for name in ("gateway.toml", "provision.toml")
    ]


def test_a_new_world_takes_the_first_port_that_is_free(tmp_path: Path) -> None:
    def ported(folder: Path, *taken: int) -> int:
        world = World(folder, is_taken=lambda port: port in taken)
        said = world.run("init", "--domain", "badges.example.be").stdout
        assert ("is taken here" in said) is bool(taken)
        read = gateway_config.load(folder / "gateway.toml")
        assert read.enrolment is not None
        return read.enrolment.port

    assert ported(tmp_path / "one") == 8884
    assert ported(tmp_path / "two", 8884, 8885) == 8886
