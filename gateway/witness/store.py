"""Edge: what a witness has cosigned: of each log the largest size and its root, in SQLite.

It only ever grows, and is on the disk before a cosignature leaves. A witness whose file is lost
must not go on under its old key: it would cosign a second history.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ciao.errors import BadInput
from gateway.witness.protocol import Held

_SCHEMA = """
CREATE TABLE IF NOT EXISTS held (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL
) WITHOUT ROWID
"""
_KEEP = """
INSERT INTO held (origin, size, root) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET size = excluded.size, root = excluded.root WHERE excluded.size > size
"""


class Store:
    """The file; used by one thread at a time, under the witness's lock."""

    def __init__(self, path: Path) -> None:
        """Open or make it; raise BadInput."""
        try:
            path.touch(mode=0o600)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            (mode,) = self._db.execute("PRAGMA journal_mode=WAL").fetchone()
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise BadInput(f"can't use {path}: {error}", "give --state on a local disk") from error
        if mode != "wal":
            raise BadInput(f"{path} can't be kept safe", "put it on a local disk")

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Read, decide and keep in one transaction; it is durable when this ends."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def held(self, origin: str) -> Held:
        """Return what was last cosigned of a log."""
        row = self._db.execute("SELECT size, root FROM held WHERE origin = ?", [origin]).fetchone()
        return Held() if row is None else Held(row[0], bytes(row[1]))

    def keep(self, origin: str, held: Held) -> None:
        """Remember what is about to be cosigned."""
        self._db.execute(_KEEP, [origin, held.size, held.root])

    def close(self) -> None:
        """Close the file."""
        self._db.close()
