"""An operator's world with a broker that runs, all of it made by the product's own commands."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ciao.link import Connected, Message
from ciao.mqtt import BrokerSettings
from ciao.names import topic
from tests.support.broker import mosquitto
from tests.support.ports import free_port
from tests.support.session import Session, session
from tests.support.waiting import wait_for
from tests.support.world import NUMBER, World, make_world

GATEWAY = "gateway-one"


@dataclass
class Operator:
    """An office, its broker's port, and the ports that its programs listen on."""

    world: World
    port: int
    enrolment_port: int
    process: subprocess.Popen[bytes]

    @property
    def folder(self) -> Path:
        return self.world.folder

    def settings(self, folder: Path) -> BrokerSettings:
        """How the party whose certificate lies in a folder reaches the broker."""
        return BrokerSettings(
            host="127.0.0.1",
            port=self.port,
            ca=str(folder / "ca.pem"),
            certificate=str(folder / "tls.pem"),
            key=str(folder / "tls.key"),
        )

    def gateway(self, *topics: str) -> AbstractContextManager[Session]:
        """The gateway's session."""
        return session(
            self.settings(self.folder / "gateway"), GATEWAY, topics or ("ciao/1/+/journal",)
        )

    def door(self, name: str, folder: Path | None = None) -> AbstractContextManager[Session]:
        """A terminal's session."""
        topics = [topic(name, channel) for channel in ("receipt", "hint", "binding")]
        return session(self.settings(folder or self.folder / name), name, topics)

    def add(self, name: str) -> None:
        """Provision one more terminal."""
        out = str(self.folder / name)
        self.world.run("terminal", "add", name, "--declaration", NUMBER, "--out", out)


@contextmanager
def operator(folder: Path, now: datetime | None = None, *init: str) -> Iterator[Operator]:
    """Make the world, and run its broker for as long as the block lasts."""
    port, enrolment = free_port(), free_port()
    ports = ("--broker-port", str(port), "--enrolment-port", str(enrolment))
    world = make_world(folder / "office", *ports, *init, now=now or datetime.now(UTC))
    world.run("broker", *(("--user", "root") if os.geteuid() == 0 else ()))
    conf = folder / "office" / "broker" / "mosquitto.conf"
    with (folder / "mosquitto.log").open("wb") as log:
        process = subprocess.Popen([mosquitto(), "-c", str(conf)], stdout=log, stderr=log)
    try:
        wait_for(lambda: speaks_tls(port) or process.poll() is not None, "mosquitto")
        assert process.poll() is None, (folder / "mosquitto.log").read_text()
        yield Operator(world, port, enrolment, process)
    finally:
        process.kill()
        process.wait(10)


def speaks_tls(port: int) -> bool:
    """Whether somebody is ready to: mosquitto listens first, and only then reads its key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            context.wrap_socket(plain),
        ):
            return True
    except OSError:
        return False


def connections(client: Session) -> int:
    """How often a session began."""
    return sum(isinstance(event, Connected) for event in client.events)


def bodies(client: Session) -> Sequence[bytes]:
    """What has arrived so far."""
    return [event.payload for event in client.events if isinstance(event, Message)]
