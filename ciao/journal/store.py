"""Edge: one segment of a journal, whole in one SQLite file: key, entries, tree, cosigned notes.

WAL with synchronous=FULL, asserted at opening: the default (DELETE, FULL) loses the last
acknowledged row at a power cut. When `append` returns, the entry is on the disk.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ciao.notes import Signer
from ciao.tree import HASH_SIZE, Frontier, completed_by, frontier_at, leaf_hash

_SCHEMA = """
CREATE TABLE segment (origin TEXT NOT NULL, seed BLOB NOT NULL, certificate TEXT NOT NULL);
CREATE TABLE entry (
    seq INTEGER PRIMARY KEY, leaf BLOB NOT NULL, hashes BLOB NOT NULL, payload BLOB
);
CREATE TABLE note (
    sha256 TEXT PRIMARY KEY, origin TEXT NOT NULL, size INTEGER NOT NULL, note TEXT NOT NULL,
    named INTEGER NOT NULL
) WITHOUT ROWID;
"""


# What SQLite says of a file that is not what was written. Anything else (no room, no rights,
# another process) says nothing against the file: it stays where it is, and is tried again.
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
_UNREADABLE = frozenset({sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ})

# The file itself, and what SQLite keeps beside it.
SUFFIXES = ("", "-wal", "-shm")


class StoreFailed(Exception):
    """The disk did not take it, or did not give it back; nothing was acknowledged."""


class StoreDamaged(StoreFailed):
    """The file is not what was written: to be put aside, never deleted."""


@dataclass(frozen=True, slots=True)
class KeptNote:
    """A cosigned note as stored, of this segment or of one before it."""

    origin: str
    size: int
    note: str


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as stored. `payload` is None where the entry has none, or where it was deleted."""

    seq: int
    leaf: bytes
    payload: bytes | None


class SegmentStore:
    """One open segment. Not for two threads, nor for two processes that write.

    `settled` is how many of its entries a cosigned note covers.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection
        found = self._one("SELECT origin, seed, certificate FROM segment")
        if found is None:
            raise StoreDamaged(f"{path}: a segment without its key")
        self.origin: str = found[0]
        try:
            self.signer = Signer(found[0], Ed25519PrivateKey.from_private_bytes(found[1]))
        except (ValueError, TypeError) as error:
            raise StoreDamaged(f"{path}: its key is not one") from error
        self.certificate: str = found[2]
        self.frontier = self._load_frontier()
        newest = self.newest_note()
        self.settled = newest.size if newest else 0

    @classmethod
    def create(
        cls,
        path: Path,
        signer: Signer,
        certificate: str,
        rows: Sequence[Row],
        notes: Sequence[KeptNote],
    ) -> SegmentStore:
        """Make a segment with its first entries in one commit; all of it is there, or nothing.

        `notes` are the cosigned notes that these entries name.
        """
        with _converted(path), _removed_on_failure(path):
            path.touch(mode=0o600)
            db = _connect(path)
            with _closed_on_failure(db):
                with _transaction(db):
                    for statement in _SCHEMA.split(";")[:-1]:
                        db.execute(statement)
                    seed = signer.private.private_bytes_raw()
                    key = (signer.name, seed, certificate)
                    db.execute("INSERT INTO segment VALUES (?, ?, ?)", key)
                    db.executemany("INSERT INTO entry VALUES (?, ?, ?, ?)", _grown(rows))
                    db.executemany(
                        "INSERT OR IGNORE INTO note VALUES (?, ?, ?, ?, 1)",
                        [(note_digest(k.note), k.origin, k.size, k.note) for k in notes],
                    )
                return cls(path, db)

    @classmethod
    def open(cls, path: Path) -> SegmentStore | None:
        """Open a segment; None where its first commit never happened.

        Raises StoreDamaged where the file is not what was written, StoreFailed where the disk
        does not let it be opened now.
        """
        with _converted(path):
            _check_not_emptied(path)
            db = _connect(path)
            with _closed_on_failure(db):
                if db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                    return cls(path, db)
            db.close()
            return None

    @property
    def size(self) -> int:
        """How many entries there are, which is also the next sequence number."""
        return self.frontier.size

    def append(self, leaf: bytes, payload: bytes | None, note_named: str | None = None) -> None:
        """Add an entry; when this returns it is durable. Raise StoreFailed where it is not.

        `note_named` is the SHA-256 of the cosigned note that the entry names, kept from then on.
        """
        grown, hashes = self.frontier.append(leaf_hash(leaf))
        row = (self.size, leaf, hashes, payload)
        with _converted(self.path):
            if note_named is None:
                self._db.execute("INSERT INTO entry VALUES (?, ?, ?, ?)", row)
            else:
                with _transaction(self._db):
                    self._db.execute("INSERT INTO entry VALUES (?, ?, ?, ?)", row)
                    self._db.execute("UPDATE note SET named = 1 WHERE sha256 = ?", (note_named,))
        self.frontier = grown

    def reload(self) -> None:
        """After a failed write: believe only what the file holds."""
        with _converted(self.path):
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self.frontier = self._load_frontier()

    def rows(self, start: int, end: int) -> Iterator[Row]:
        """Read entries [start, end) in order, as they are asked for."""
        with _converted(self.path):
            found = self._db.execute(
                "SELECT seq, leaf, payload FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq",
                (start, end),
            )
            for seq, leaf, payload in found:
                yield Row(seq, leaf, payload)

    def subtree(self, level: int, index: int) -> bytes:
        """Read the hash of a complete subtree (ciao.tree.Subtree)."""
        seq, offset = completed_by(level, index)
        found = self._one("SELECT hashes FROM entry WHERE seq = ?", seq)
        if found is None or len(found[0]) < offset + HASH_SIZE:
            raise StoreDamaged(f"{self.path}: entry {seq} lacks its tree hashes")
        return bytes(found[0][offset : offset + HASH_SIZE])

    def backlog(self) -> int:
        """Count the entries with a payload, taps and refusals, that no receipt covers."""
        found = self._one(
            "SELECT count(*) FROM entry WHERE seq >= ? AND payload IS NOT NULL", self.settled
        )
        return int(found[0]) if found else 0

    def keep_note(self, note: str, size: int) -> None:
        """Keep a cosigned note durably, instead of the newest one if no entry names that."""
        row = (note_digest(note), self.origin, size, note)
        with _converted(self.path), _transaction(self._db):
            self._db.execute("DELETE FROM note WHERE named = 0")
            self._db.execute("INSERT OR IGNORE INTO note VALUES (?, ?, ?, ?, 0)", row)
        self.settled = size

    def newest_note(self) -> KeptNote | None:
        """Return this segment's cosigned note of the largest size."""
        found = self._one(
            "SELECT origin, size, note FROM note WHERE origin = ? ORDER BY size DESC LIMIT 1",
            self.origin,
        )
        return KeptNote(*found) if found else None

    def note(self, digest: str) -> KeptNote | None:
        """Return a cosigned note by its SHA-256."""
        found = self._one("SELECT origin, size, note FROM note WHERE sha256 = ?", digest)
        return KeptNote(*found) if found else None

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    def _load_frontier(self) -> Frontier:
        found = self._one("SELECT max(seq) FROM entry")
        newest = found[0] if found and found[0] is not None else -1
        frontier = frontier_at(newest + 1, self.subtree)
        if newest >= 0:
            stored = self._one("SELECT leaf FROM entry WHERE seq = ?", newest)
            if stored is None or leaf_hash(stored[0]) != self.subtree(0, newest):
                raise StoreDamaged(f"{self.path}: entry {newest} is not what was written")
        return frontier

    def _one(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        with _converted(self.path):
            found: tuple[Any, ...] | None = self._db.execute(statement, values).fetchone()
        return found


def note_digest(note: str) -> str:
    """Name a cosigned note as entries do: SHA-256 of its bytes, in hex."""
    return hashlib.sha256(note.encode()).hexdigest()


def _grown(rows: Iterable[Row]) -> Iterator[tuple[int, bytes, bytes, bytes | None]]:
    frontier = Frontier()
    for row in rows:
        frontier, hashes = frontier.append(leaf_hash(row.leaf))
        yield row.seq, row.leaf, hashes, row.payload


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    with _closed_on_failure(connection):
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        connection.execute("PRAGMA synchronous = FULL")
        level = connection.execute("PRAGMA synchronous").fetchone()[0]
        if (mode, level) != ("wal", 2):
            raise StoreFailed(f"{path}: journal_mode {mode}, synchronous {level}; not durable")
    return connection


def _check_not_emptied(path: Path) -> None:
    """SQLite takes an empty file for a new one, and deletes what waits in the WAL beside it."""
    log = path.with_name(path.name + "-wal")
    if path.stat().st_size == 0 and log.exists() and log.stat().st_size:
        raise StoreDamaged(f"{path}: empty, beside a write-ahead log that is not")


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; afterwards no transaction is open, or an append would land inside it."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def _closed_on_failure(db: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        db.close()
        raise


@contextmanager
def _removed_on_failure(path: Path) -> Iterator[None]:
    """Nobody was told of it; found later, it would hide what the segment before goes on to hold."""
    try:
        yield
    except BaseException:
        for suffix in SUFFIXES:
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        raise


@contextmanager
def _converted(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0)
        damaged = code & 0xFF in _DAMAGE or code in _UNREADABLE
        raise (StoreDamaged if damaged else StoreFailed)(f"{path}: {error}") from error
    except OSError as error:
        raise StoreFailed(f"{path}: {error}") from error
