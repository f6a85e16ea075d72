"""The ONSS's host: sandboxes, and a door in front of them for each gateway, which speaks TLS.

A door stands before the sandbox that knows our client, before one that refuses it, or before a
page that says 503; its certificate is good, somebody else's, or has run out. It can be shut.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ciao.keys import write_secret
from provisioning.ca import Identity, issue_server, make_ca
from tests.demo.office import CLIENT, Office
from tests.demo.people import EXEMPLE
from tests.demo.processes import Process, script
from tests.net.hosts import Hosts, listens, start
from tests.net.networks import ONSS_NAME

BASE_URL = f"https://{ONSS_NAME}/REST/presenceRegistration/v1"
TOKEN_URL = f"https://{ONSS_NAME}/REST/oauth/v5/token"

Behind = Literal["sandbox", "refusing", "sorry"]
Certificate = Literal["good", "foreign", "expired"]
_PORTS: dict[Behind, int] = {"sandbox": 9001, "refusing": 9002, "sorry": 9003}


@dataclass
class Door:
    """Where one gateway knocks."""

    hosts: Hosts
    folder: Path
    address: str
    name: str
    _front: Process | None = field(default=None, init=False)

    def show(self, behind: Behind = "sandbox", certificate: Certificate = "good") -> None:
        """Open it, or open it upon something else; who was connected is not any more."""
        self.shut()
        pair = f"{self.folder / certificate}.crt@{self.folder / certificate}.key"
        service = f"front@{self.address}@{pair}@{_PORTS[behind]}"
        self._front = self.hosts.server("onss", service, f"-{self.name}")
        start(self._front)

    def shut(self) -> None:
        """Nobody listens any more."""
        if self._front is not None:
            self._front.kill()


@dataclass
class Onss:
    """The host with all its doors; `ca` is the authority that gateways are told of."""

    hosts: Hosts
    folder: Path
    doors: dict[str, Door] = field(default_factory=dict)

    @property
    def ca(self) -> Path:
        """The authority's certificate."""
        return self.folder / "ca.crt"

    def open(self, office: Office, doors: dict[str, str]) -> None:
        """Start everything; `doors` are addresses by name."""
        self.folder.mkdir()
        self._certify()
        client = CLIENT.format(EXEMPLE.id)
        ours = office.folder / "gateway" / f"onss-{EXEMPLE.id}.pub.pem"
        theirs = self.folder / "other.pub.pem"
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
        theirs.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        self._sandbox("sandbox", f"{client}={ours}")
        self._sandbox("refusing", f"{client}={theirs}")
        self.hosts.serve("onss", f"sorry@127.0.0.1@{_PORTS['sorry']}", "-sorry")
        for name, address in doors.items():
            self.doors[name] = Door(self.hosts, self.folder, address, name)
            self.doors[name].show()

    def _sandbox(self, name: Behind, client: str) -> None:
        words = [script("ciao-gateway"), "sandbox", "--port", str(_PORTS[name])]
        words += ["--db", f"{self.folder}/{name}.db", "--client", client]
        made = self.hosts.process(f"onss-{name}", "onss", [*words, "--url", f"https://{ONSS_NAME}"])
        made.start(lambda: listens(made.pid, _PORTS[name]))

    def _certify(self) -> None:
        now = datetime.now(UTC)
        ours, other = (
            make_ca(name, now=now, random_bytes=os.urandom) for name in ("ONSS", "somebody else")
        )
        self.ca.write_bytes(ours.certificate_pem)
        long_ago = now - timedelta(days=1000)
        made: dict[Certificate, tuple[Identity, datetime]] = {
            "good": (ours, now),
            "foreign": (other, now),
            "expired": (ours, long_ago),
        }
        for name, (authority, then) in made.items():
            one = issue_server(authority, [ONSS_NAME], now=then, random_bytes=os.urandom)
            (self.folder / f"{name}.crt").write_bytes(one.certificate_pem)
            write_secret(self.folder / f"{name}.key", one.key_pem)
