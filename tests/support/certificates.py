"""An authority and its certificates in a folder, as an operator's would lie there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ciao.keys import write_secret
from ciao.names import GATEWAY_PREFIX
from provisioning import crl
from provisioning.ca import Identity, issue_client, issue_server, make_ca


@dataclass(frozen=True, slots=True)
class PairFiles:
    """Where a certificate and its key lie."""

    certificate: Path
    key: Path


class Authority:
    """A CA in `folder`; each party's files are made when first asked for."""

    def __init__(self, folder: Path, name: str = "test operator") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.identity = make_ca(name, now=datetime.now(UTC), random_bytes=os.urandom)
        self.certificate = folder / "ca.crt"
        self.certificate.write_bytes(self.identity.certificate_pem)
        self.revoked = folder / "crl.pem"
        self.revoked.write_bytes(crl.write(self.identity, [], [], datetime.now(UTC)))

    def broker(self) -> PairFiles:
        """The broker's files, for 127.0.0.1 and localhost."""
        made = issue_server(
            self.identity,
            ["localhost", "127.0.0.1"],
            now=datetime.now(UTC),
            random_bytes=os.urandom,
        )
        return self._write("broker", made)

    def client(self, common_name: str) -> PairFiles:
        """A terminal's files; the common name is its id."""
        files = self._files(common_name)
        if files.key.exists():
            return files
        now = datetime.now(UTC)
        made = issue_client(self.identity, common_name, now=now, random_bytes=os.urandom)
        return self._write(common_name, made)

    def gateway(self, gateway: str) -> PairFiles:
        """A gateway's files."""
        return self.client(GATEWAY_PREFIX + gateway)

    def _files(self, name: str) -> PairFiles:
        return PairFiles(self.folder / f"{name}.crt", self.folder / f"{name}.key")

    def _write(self, name: str, made: Identity) -> PairFiles:
        files = self._files(name)
        files.certificate.write_bytes(made.certificate_pem)
        write_secret(files.key, made.key_pem)
        return files
