"""Tap → durable entry, sealed and in the tree: against one bare commit and one bare seal."""

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

from bench.figures import Figure, paired
from ciao import entries, opening
from ciao.journal import Journal, Owner
from ciao.names import enrolled_key_name
from ciao.notes import Signer
from ciao.reading import ClockQuality, Reading
from ciao.sealing import key_id, payload_info, seal

ROUNDS = 2_000
HISTORY = 100_000
HISTORY_QUICK = 20_000
DOMAIN = "badges.example.be"


def run(*, quick: bool) -> Iterator[Figure]:
    """Measure a fresh journal, then the same over a long history."""
    rounds = ROUNDS // 4 if quick else ROUNDS
    with _place() as folder:
        young = _Door(folder / "young")
        bare = _Bare(folder / "bare.db", young.public)
        yield Figure(
            "tap to durable entry",
            paired(young.tap, bare.commit, rounds),
            "times",
            1.2,
            "one bare WAL+FULL commit + one bare HPKE seal, medians",
        )
        length = HISTORY_QUICK if quick else HISTORY
        old = _Door(folder / "old")
        old.grow(length)
        yield Figure(
            f"tap at {length:,} entries",
            paired(old.tap, young.tap, rounds),
            "times",
            1.1,
            "the same at a few thousand",
        )


class _Bare:
    """The limit: what no durable, sealed tap can do without."""

    def __init__(self, path: Path, public: bytes) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, row BLOB)")
        self._public = public
        self._row = os.urandom(600)

    def commit(self) -> None:
        """One seal of a badge's size, one commit of a row of an entry's size."""
        seal(self._public, self._row[:90], b"bare")
        self._db.execute("INSERT INTO bare (row) VALUES (?)", (self._row,))


class _Door:
    """The production path from a badge's bytes to the disk."""

    def __init__(self, folder: Path) -> None:
        enrolled = Signer(enrolled_key_name(DOMAIN, "door"), Ed25519PrivateKey.generate())
        self.public = X25519PrivateKey.generate().public_key().public_bytes_raw()
        quality = ClockQuality("ntp", synced=True, error_ms=5)
        at = datetime(2026, 3, 2, 6, 2, tzinfo=ZoneInfo("Europe/Brussels"))
        self._now = Reading(at, "6a0f2f9e-8d0b-4c59-9a51-3a6c5d0b1e77", 1, quality)
        self._journal = Journal(folder, Owner(DOMAIN, "door", enrolled), os.urandom, "bench")
        self._journal.open(self._now)
        self._key = key_id(self.public)

    def tap(self) -> None:
        """Seal, hash, write the leaf, grow the tree, commit."""
        journal = self._journal
        said = opening.Opening(salt=os.urandom(16).hex(), uid="04a1b2c3d4e580")
        plaintext = opening.encode(said)
        payload = seal(self.public, plaintext, payload_info(journal.origin, journal.size))
        entry = entries.Tap(
            **entries.common(self._now, journal.size),
            direction="in",
            chosen="button",
            declaration="1Y1000NF9KCQZ",
            binding="0" * 64,
            tier="uid",
            key=self._key,
            payload=hashlib.sha256(payload).hexdigest(),
            opening=opening.commitment(plaintext),
        )
        journal.append(entry, payload)

    def grow(self, length: int) -> None:
        """Live through a long history, by `append` alone."""
        while self._journal.size < length:
            self.tap()


@contextmanager
def _place() -> Iterator[Path]:
    """A folder on the disk of this checkout: a memory disk would flatter."""
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as folder:
        yield Path(folder)
