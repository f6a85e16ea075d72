"""An enrolment server over an office's folder, with a clock that the test moves."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from ciao.mqtt import REVOKED_NAME
from gateway.enrolment.server import serving
from gateway.enrolment.service import Given, Place, Service
from provisioning import ca
from provisioning.identities import load_identity
from provisioning.registry import Registry
from tests.support.ports import free_port, listens
from tests.support.waiting import wait_for
from tests.support.world import NUMBER, World

DOMAIN = "badges.example.be"


@dataclass
class Served:
    """A server that runs: its URL, and the clock it goes by."""

    world: World
    port: int
    now: datetime
    up_s: float = 0.0
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def code(self, terminal: str, *options: str) -> str:
        """Have the office make a code, at the server's moment."""
        self.world.now = self.now
        made = self.world.json("terminal", "code", terminal, "--declaration", NUMBER, *options)
        return str(made["code"])

    def revoked(self) -> bytes:
        """The list that the office wrote, as the gateway reads it."""
        path = self.world.folder / "gateway" / REVOKED_NAME
        return path.read_bytes() if path.exists() else b""

    def service(self) -> Service:
        """The service behind the server."""
        folder = self.world.folder
        given = Given(
            authority_pem=(folder / "gateway" / "ca.pem").read_bytes(),
            issuer=load_identity(folder / "gateway/issuer.pem", folder / "gateway/issuer.key"),
            challenge_key=b"k" * 32,
            now=lambda: self.now,
            up_s=lambda: self.up_s,
            random_bytes=os.urandom,
            last_note=self.notes.get,
            revoked=self.revoked,
        )
        opened = partial(Registry.open, folder / "registry.db", folder / "registry.key")
        return Service(Place(DOMAIN, "127.0.0.1", 8883), given, opened)


@contextmanager
def served(
    world: World, now: datetime | None = None, certified: datetime | None = None
) -> Iterator[Served]:
    """Serve; `certified` is when the server's certificate was issued, at first its own moment."""
    one = Served(world, free_port(), now or datetime.now(UTC))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server = ca.issue_server(
        load_identity(world.folder / "ca/ca.pem", world.folder / "ca/ca.key"),
        ["127.0.0.1"],
        now=certified or one.now,
        random_bytes=os.urandom,
    )
    pair = world.folder.parent / f"server-{one.port}.pem"
    pair.write_bytes(server.key_pem + server.certificate_pem)
    context.load_cert_chain(pair)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with serving(("127.0.0.1", one.port), context, one.service().answer):
        wait_for(lambda: listens(one.port), "the enrolment server")
        yield one


def folders(folder: Path) -> set[str]:
    """What a terminal's folder holds."""
    return {path.name for path in folder.iterdir()}
