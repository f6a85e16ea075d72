"""The production path from a badge's bytes to the disk, without hardware; and its bare limit."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ciao import entries, opening
from ciao.journal import Journal, Owner
from ciao.names import enrolled_key_name
from ciao.notes import Signer
from ciao.reading import ClockQuality, Reading
from ciao.sealing import key_id, payload_info, seal

DOMAIN = "badges.example.be"
BOOT = "6a0f2f9e-8d0b-4c59-9a51-3a6c5d0b1e77"
AT = datetime(2026, 3, 2, 6, 2, tzinfo=ZoneInfo("Europe/Brussels"))
NOW = Reading(AT, BOOT, 1, ClockQuality("ntp", synced=True, error_ms=5))
# What a seal makes of a badge's 90 bytes.
PAYLOAD_SIZE = 150


class Bare:
    """The limit: what no durable, sealed tap can do without."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, row BLOB)")
        self._public = X25519PrivateKey.generate().public_key().public_bytes_raw()
        self._row = os.urandom(600)

    def tap(self) -> None:
        """One seal of a badge's size, one commit of a row of an entry's size."""
        seal(self._public, self._row[:90], b"bare")
        self._db.execute("INSERT INTO bare (row) VALUES (?)", (self._row,))


class Door:
    """A journal, and taps into it: a new one, or the one that is in the folder."""

    def __init__(self, folder: Path) -> None:
        enrolled = Signer(enrolled_key_name(DOMAIN, "door"), Ed25519PrivateKey.generate())
        self._owner = Owner(DOMAIN, "door", enrolled)
        self._folder = folder
        self._public = X25519PrivateKey.generate().public_key().public_bytes_raw()
        self._key = key_id(self._public)
        self._journal = self._open()

    @property
    def size(self) -> int:
        """How many entries the journal has."""
        return self._journal.size

    def start(self) -> None:
        """A cold start: let the journal's files go, and open them again."""
        self._journal.close()
        self._journal = self._open()

    def tap(self) -> None:
        """Seal, hash, write the leaf, grow the tree, commit."""
        said = opening.Opening(salt=os.urandom(16).hex(), uid="04a1b2c3d4e580")
        plaintext = opening.encode(said)
        info = payload_info(self._journal.origin, self._journal.size)
        self._append(seal(self._public, plaintext, info), opening.commitment(plaintext))

    def live(self) -> None:
        """One more entry of a long history: like a tap, but nothing was sealed in its payload."""
        self._append(os.urandom(PAYLOAD_SIZE), "0" * 64)

    def _append(self, payload: bytes, commitment: str) -> None:
        entry = entries.Tap(
            **entries.common(NOW, self._journal.size),
            direction="in",
            chosen="button",
            declaration="1Y1000NF9KCQZ",
            binding="0" * 64,
            tier="uid",
            key=self._key,
            payload=hashlib.sha256(payload).hexdigest(),
            opening=commitment,
        )
        self._journal.append(entry, payload)

    def _open(self) -> Journal:
        journal = Journal(self._folder, self._owner, os.urandom, "bench")
        journal.open(NOW)
        return journal


@contextmanager
def place() -> Iterator[Path]:
    """A folder on the disk of this checkout: a memory disk would flatter."""
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as folder:
        yield Path(folder)
