"""A certificate of the gateway or of a server whose key got out: what holds at once, what later.

Shown at real brokers by what does not arrive, and by what arrives after it by the same way.
"""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from ciao.errors import BadInput
from ciao.link import Connected, Disconnected
from ciao.mqtt import REVOKED_NAME, BrokerSettings, tls_context
from ciao.names import topic
from provisioning import crl
from provisioning.identities import load_identity
from terminal import config
from terminal.enrolment.renew import look_up_revoked
from terminal.enrolment.trust import newer_list
from tests.provisioning.test_broker_conf import connect
from tests.security.enrolling import served
from tests.security.operator import GATEWAY, Operator, bodies, connections, speaks_tls
from tests.support.broker import mosquitto
from tests.support.ports import free_port
from tests.support.session import session
from tests.support.waiting import wait_for
from tests.support.world import World, make_world

ACCEPTED = b"\x20\x02\x00\x00"
WHY = ("--why", "its machine was broken into")
RECEIPT = topic("door-1", "receipt")


def test_a_thief_of_the_gateways_key_is_out_at_once_and_nothing_of_it_arrives(
    office: Operator, tmp_path: Path
) -> None:
    stolen = shutil.copytree(office.folder / "gateway", tmp_path / "stolen")
    with (
        office.door("door-1") as door,
        session(office.settings(stolen), GATEWAY, ("ciao/1/+/journal",)) as thief,
    ):
        thief.publish(RECEIPT, b"before")
        door.wait_for(RECEIPT, b"before")
        said = office.world.run("certificate", "revoke", "gateway", *WHY).stdout
        assert "its session has ended" in said and "restart the gateway" in said
        wait_for(lambda: any(isinstance(e, Disconnected) for e in thief.events), "the end")
        thief.publish(RECEIPT, b"after")
        wait_for(
            lambda: sum(isinstance(event, Disconnected) for event in thief.events) >= 2,
            "another try to be refused",
        )
        assert connections(thief) == 1
        with office.gateway() as gateway:
            gateway.publish(RECEIPT, b"by its new key")
            door.wait_for(RECEIPT, b"by its new key")
        assert b"after" not in bodies(door)
        assert sum(isinstance(event, Connected) for event in door.events) == 1


def test_it_stays_out_after_the_brokers_restart_and_a_terminals_revocation(
    office: Operator, tmp_path: Path
) -> None:
    stolen = shutil.copytree(office.folder / "gateway", tmp_path / "stolen")
    office.add("door-2")
    office.world.run("certificate", "revoke", "gateway", *WHY)
    office.world.run("terminal", "revoke", "door-2", "--why", "stolen")
    office.world.run("broker", *(("--user", "root") if os.geteuid() == 0 else ()))
    assert not accepted(office.port, stolen)
    assert accepted(office.port, office.folder / "gateway")
    assert accepted(office.port, office.folder / "door-1")


def test_run_again_it_ends_nothing_further_unless_it_is_told_to(office: Operator) -> None:
    tls = office.folder / "gateway" / "tls.pem"
    office.world.run("certificate", "revoke", "gateway", *WHY)
    made = tls.read_bytes()
    said = office.world.run("certificate", "revoke", "gateway", *WHY).stdout
    assert "nothing more was revoked" in said and "its session has ended" in said
    assert tls.read_bytes() == made
    office.world.run("certificate", "revoke", "gateway", *WHY, "--again")
    assert tls.read_bytes() != made and len(listed(office.world)) == 2


def test_a_revocation_that_was_killed_half_way_is_finished_by_the_next(office: Operator) -> None:
    gateway = office.folder / "gateway"
    old = {name: (gateway / name).read_bytes() for name in ("tls.pem", "tls.key")}
    office.world.run("certificate", "revoke", "gateway", *WHY)
    # Noted in the registry, and a new key written, without its certificate.
    (gateway / "tls.pem").write_bytes(old["tls.pem"])
    office.world.run("certificate", "revoke", "gateway", *WHY)
    assert load_identity(gateway / "tls.pem", gateway / "tls.key")
    assert accepted(office.port, gateway) and len(listed(office.world)) == 1


def test_with_a_key_go_the_certificates_that_were_renewed_for_it(tmp_path: Path) -> None:
    world = make_world(tmp_path / "office")
    first = serial(world.folder / "gateway" / "enrolment.pem")
    world.run("certificate", "renew", "--force")
    second = serial(world.folder / "gateway" / "enrolment.pem")
    world.run("certificate", "revoke", "enrolment", *WHY)
    assert listed(world) == {first, second}
    assert serial(world.folder / "gateway" / "enrolment.pem") not in listed(world)


def test_who_has_the_brokers_old_key_is_no_broker_to_who_knows_that_it_was_revoked(
    office: Operator, tmp_path: Path
) -> None:
    stolen = shutil.copytree(office.folder / "broker", tmp_path / "stolen")
    user = ("--user", "root") if os.geteuid() == 0 else ()
    office.world.run("certificate", "revoke", "broker", *WHY)
    with impostor(stolen) as port, served(office.world) as server:
        # Nobody has told the terminal yet: chain and name are all it can look at.
        assert takes(office.folder / "door-1", port)
        held = door(office.folder, server.url)
        assert look_up_revoked(held)
        assert not takes(office.folder / "door-1", port)
        assert not takes(office.folder / "gateway", port)
        assert not look_up_revoked(held)
    # The broker itself has another key, once it was started with it.
    office.world.run("broker", *user)
    office.process.kill()
    office.process.wait()
    conf = office.folder / "broker" / "mosquitto.conf"
    with running(conf, office.port):
        assert takes(office.folder / "door-1", office.port)
        assert takes(office.folder / "gateway", office.port)


def test_a_list_that_the_root_did_not_sign_or_an_older_one_is_not_taken(tmp_path: Path) -> None:
    world, other = make_world(tmp_path / "office"), make_world(tmp_path / "other")
    root = (world.folder / "gateway" / "ca.pem").read_bytes()
    lists = []
    for days in range(2):
        world.now += timedelta(days=days)
        world.run("certificate", "revoke", "enrolment", *WHY, "--again")
        lists.append((world.folder / "gateway" / REVOKED_NAME).read_bytes())
    other.run("certificate", "revoke", "enrolment", *WHY)
    foreign = (other.folder / "gateway" / REVOKED_NAME).read_bytes()
    assert newer_list(lists[0], root, None) and newer_list(lists[1], root, lists[0])
    assert not newer_list(lists[0], root, lists[1])
    for bad in (foreign, b"", b"nonsense", lists[1] + foreign, lists[1][:-40]):
        with pytest.raises(BadInput, match="a list of revoked certificates that is none"):
            newer_list(bad, root, lists[0])


def serial(path: Path) -> int:
    return x509.load_pem_x509_certificate(path.read_bytes()).serial_number


def listed(world: World) -> set[int]:
    """The serial numbers on the root's list."""
    (mine,) = crl.read((world.folder / "gateway" / REVOKED_NAME).read_bytes())
    return {one.serial_number for one in mine}


def accepted(port: int, folder: Path) -> bool:
    """Whether the broker begins a session with who has a folder's certificate."""
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    context.load_cert_chain(folder / "tls.pem", folder / "tls.key")
    return _accepted(port, context)


def takes(folder: Path, port: int) -> bool:
    """Whether who has a folder takes what listens at a port for its broker, as our programs do."""
    settings = BrokerSettings("127.0.0.1", port, "ca.pem", "tls.pem", "tls.key")
    context = tls_context(settings, folder)
    assert context is not None
    return _accepted(port, context)


def _accepted(port: int, context: ssl.SSLContext) -> bool:
    try:
        return connect(port, context) == ACCEPTED
    except (ssl.SSLError, ConnectionError):
        return False


def door(folder: Path, url: str) -> config.Config:
    path = folder / "door-1" / "terminal.toml"
    lines = [
        f'server = "{url}"' if line.startswith("server = ") else line
        for line in path.read_text().splitlines()
    ]
    path.write_text("\n".join(lines) + "\n")
    return config.load(path)


@contextmanager
def impostor(stolen: Path) -> Iterator[int]:
    """A broker elsewhere with the stolen key and certificate."""
    port = free_port()
    conf = stolen / "mosquitto.conf"
    lines = conf.read_text().replace(str(stolen.parent / "office" / "broker"), str(stolen))
    told = [
        f"listener {port} 127.0.0.1" if line.startswith("listener ") else line
        for line in lines.splitlines()
    ]
    conf.write_text("\n".join(told) + "\n")
    with running(conf, port):
        yield port


@contextmanager
def running(conf: Path, port: int) -> Iterator[None]:
    process = subprocess.Popen([mosquitto(), "-c", str(conf)], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: speaks_tls(port) or process.poll() is not None, "mosquitto")
        assert process.poll() is None
        yield
    finally:
        process.kill()
        process.wait(10)
