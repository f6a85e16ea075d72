"""Edge: `gateway.toml` as a command finds and changes it; its owner's lines and comments stay.

The gateway reads it strictly (`gateway.config`); here only what names its keys is looked at.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import tomlkit
from tomlkit.exceptions import TOMLKitError

from ciao import names
from ciao.certificate import is_certified
from ciao.errors import BadInput
from ciao.journal.archive import archives
from ciao.keys import (
    RandomBytes,
    load_sealing_key,
    load_signing_key,
    new_sealing_key,
    new_signing_key,
    private_pem,
    replace_file,
)
from ciao.notes import COSIGNATURE_V1, Signer, VerifierKey
from provisioning.files import NewFiles
from provisioning.registry.records import Keys

# As many as the gateway takes.
RETIRED_MAX = 16


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Where a pair of keys is, as the settings write it."""

    hpke: str
    cosigner: str


def change_settings(path: Path, change: Callable[[tomlkit.TOMLDocument], object]) -> None:
    """Change a settings file of ours, whole or not at all; its owner's lines stay."""
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    change(document)
    replace_file(path, tomlkit.dumps(document).encode())


class GatewaySettings:
    """One `gateway.toml`, read once; `take` changes it."""

    def __init__(self, path: Path, document: tomlkit.TOMLDocument) -> None:
        self.path = path
        self._document = document
        self.gateway = str(document["gateway"])
        self._domain = str(document["domain"])
        self._keys: Any = document["keys"]
        self.files = KeyFiles(str(self._keys["hpke"]), str(self._keys["cosigner"]))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file; raise BadInput."""
        try:
            return cls(path, tomlkit.parse(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, TOMLKitError) as error:
            raise BadInput(
                f"can't read the gateway's keys in {path}: {error}",
                "`gateway` in provision.toml says which file it is",
            ) from error

    def keys(self, files: KeyFiles | None = None) -> Keys:
        """Read the public halves of a pair, of the one in use unless another is given."""
        files = files or self.files
        hpke = load_sealing_key(self.path.parent / files.hpke).public_key()
        private = load_signing_key(self.path.parent / files.cosigner)
        signer = Signer(names.cosigner_name(self._domain, self.gateway), private)
        public = b64encode(hpke.public_bytes_raw()).decode()
        return Keys(public, signer.verifier(COSIGNATURE_V1))

    def successors(self, generation: int) -> KeyFiles:
        """Name the files of a pair that is not a gateway's first."""
        parents = Path(self.files.hpke).parent, Path(self.files.cosigner).parent
        hpke, cosigner = (
            str(parent / f"{name}-{generation}.pem")
            for parent, name in zip(parents, ("hpke", "cosigner"), strict=True)
        )
        return KeyFiles(hpke, cosigner)

    def make(self, files: KeyFiles, new: NewFiles, random_bytes: RandomBytes) -> Keys:
        """Make a pair of keys, or take what a roll that was killed left of it."""
        made = (
            (self.path.parent / files.hpke, lambda: new_sealing_key(random_bytes)),
            (self.path.parent / files.cosigner, lambda: new_signing_key(random_bytes)),
        )
        for path, key in made:
            if not path.exists():
                replace_file(new.expected(path), private_pem(key()))
        return self.keys(files)

    def has_room(self) -> bool:
        """Whether one more retired pair may be named."""
        return max(len(self._retired(name)) for name in ("hpke", "cosigners")) < RETIRED_MAX

    def take(self, files: KeyFiles) -> None:
        """Name a pair as the gateway's own, and the one in use as retired; whole or not at all."""
        retired = self.keys().cosigner
        self._keys["retired_hpke"] = [*self._retired("hpke"), self.files.hpke]
        self._keys["retired_cosigners"] = [*self._retired("cosigners"), str(retired)]
        self._keys["hpke"], self._keys["cosigner"] = files.hpke, files.cosigner
        replace_file(self.path, tomlkit.dumps(self._document).encode())

    @property
    def enrolment_port(self) -> int | None:
        """Where enrolment is served; None where it is not."""
        found = self._document.get("enrolment")
        return None if found is None else int(found["port"])

    def serve_enrolment(self, port: int) -> None:
        """Have enrolment served on a port; raise BadInput where it is not served at all."""
        if self.enrolment_port is None:
            raise BadInput(f"{self.path} has no [enrolment]", "it is made with TLS: init")
        table: Any = self._document["enrolment"]
        table["port"] = port
        replace_file(self.path, tomlkit.dumps(self._document).encode())

    def is_run_with(self, cosigner: VerifierKey) -> bool:
        """Whether the gateway has been started with a key: its own journal says so.

        A start with another key begins a segment of it, which that key certifies.
        """
        found, _ = archives(self.path.parent / str(self._document.get("journal", "journal")))
        certifies = VerifierKey(cosigner.name, cosigner.public)
        for archive in found:
            archive.close()
        newest = found[-1] if found else None
        if newest is None:
            return False
        return is_certified(newest.certificate, newest.log_key, [certifies])

    def _retired(self, name: str) -> list[str]:
        return [str(one) for one in self._keys.get(f"retired_{name}", [])]
