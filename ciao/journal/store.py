"""Edge: one segment of a journal, whole in one SQLite file: key, entries, tree, cosigned notes.

WAL with synchronous=FULL, asserted at opening: the default (DELETE, FULL) loses the last
acknowledged row at a power cut. When `append` returns, the entry is on the disk.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ciao import notes
from ciao.checkpoint import Checkpoint
from ciao.journal.files import (
    Connect,
    StoreDamaged,
    check_not_emptied,
    closed_on_failure,
    connect_durably,
    connect_sqlite,
    converted,
    removed_on_failure,
    transaction,
)
from ciao.notes import NoteBroken, Signer
from ciao.tree import (
    HASH_SIZE,
    Frontier,
    completed_by,
    frontier_at,
    leaf_hash,
    node_hash,
    root_at,
)

_SCHEMA = """
CREATE TABLE segment (
    origin TEXT NOT NULL, seed BLOB NOT NULL, certificate TEXT NOT NULL,
    payloads_from INTEGER NOT NULL
);
CREATE TABLE entry (
    seq INTEGER PRIMARY KEY, leaf BLOB NOT NULL, hashes BLOB NOT NULL, payload BLOB
);
CREATE TABLE note (
    sha256 TEXT PRIMARY KEY, origin TEXT NOT NULL, size INTEGER NOT NULL, note TEXT NOT NULL,
    named INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX note_by_size ON note (origin, size);
"""

# Commits after which the write-ahead log is worth being emptied into the file; SQLite by itself
# does it in the middle of a commit, after about twice as many.
UNTIDIED_MAX = 150

_PAYLOAD_NAMED = re.compile(rb'"payload":"([0-9a-f]{64})"')


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

    `settled` is how many of its entries a cosigned note covers; `payloads_from` is where the
    payloads begin that were not deleted.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection
        self._untidied = 0
        found = self._one("SELECT origin, seed, certificate, payloads_from FROM segment")
        if found is None:
            raise StoreDamaged(f"{path}: a segment without its key")
        self.origin: str = found[0]
        try:
            self.signer = Signer(found[0], Ed25519PrivateKey.from_private_bytes(found[1]))
        except (ValueError, TypeError) as error:
            raise StoreDamaged(f"{path}: its key is not one") from error
        self.certificate: str = found[2]
        self.payloads_from: int = found[3]
        if not isinstance(self.certificate, str) or not isinstance(self.payloads_from, int):
            raise StoreDamaged(f"{path}: its first row is not what was written")
        self.frontier = self._load_frontier()
        newest = self.newest_note()
        self.settled = newest.size if newest else 0
        self._check_settled()

    @classmethod
    def create(
        cls,
        path: Path,
        signer: Signer,
        certificate: str,
        rows: Sequence[Row],
        kept: Sequence[KeptNote],
        connect: Connect = connect_sqlite,
    ) -> SegmentStore:
        """Make a segment with its first entries in one commit; all of it is there, or nothing.

        `kept` are the cosigned notes that these entries name.
        """
        with converted(path), removed_on_failure(path):
            path.touch(mode=0o600)
            db = connect_durably(path, connect)
            with closed_on_failure(db):
                with transaction(db):
                    for statement in _SCHEMA.split(";")[:-1]:
                        db.execute(statement)
                    seed = signer.private.private_bytes_raw()
                    key = (signer.name, seed, certificate)
                    db.execute("INSERT INTO segment VALUES (?, ?, ?, 0)", key)
                    db.executemany("INSERT INTO entry VALUES (?, ?, ?, ?)", _grown(rows))
                    db.executemany(
                        "INSERT OR IGNORE INTO note VALUES (?, ?, ?, ?, 1)",
                        [(note_digest(k.note), k.origin, k.size, k.note) for k in kept],
                    )
                return cls(path, db)

    @classmethod
    def open(cls, path: Path, connect: Connect = connect_sqlite) -> SegmentStore | None:
        """Open a segment; None where its first commit never happened.

        Raises StoreDamaged where the file is not what was written, StoreFailed where the disk
        does not let it be opened now.
        """
        with converted(path):
            check_not_emptied(path)
            db = connect_durably(path, connect)
            with closed_on_failure(db):
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
        with converted(self.path):
            if note_named is None:
                self._db.execute("INSERT INTO entry VALUES (?, ?, ?, ?)", row)
            else:
                with transaction(self._db):
                    self._db.execute("INSERT INTO entry VALUES (?, ?, ?, ?)", row)
                    self._db.execute("UPDATE note SET named = 1 WHERE sha256 = ?", (note_named,))
        self.frontier = grown
        self._untidied += 1

    def tidy(self) -> None:
        """Empty the write-ahead log into the file where that is due: while nobody waits for it."""
        if self._untidied >= UNTIDIED_MAX:
            with converted(self.path):
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            self._untidied = 0

    def reload(self) -> None:
        """After a failed write: believe only what the file holds."""
        with converted(self.path):
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self.frontier = self._load_frontier()

    def rows(self, start: int, end: int) -> Iterator[Row]:
        """Read entries [start, end) in order, as they are asked for.

        Raises StoreDamaged at one that is missing, or not what its hashes say: SQLite itself does
        not notice a flipped bit.
        """
        expected = start
        with converted(self.path):
            found = self._db.execute(
                "SELECT seq, leaf, hashes, payload FROM entry WHERE seq >= ? AND seq < ?"
                " ORDER BY seq",
                (start, end),
            )
            for seq, leaf, hashes, payload in found:
                if seq != expected or not intact(leaf, hashes, payload):
                    break
                expected += 1
                yield Row(seq, leaf, payload)
        if expected < min(end, self.size):
            raise StoreDamaged(f"{self.path}: entry {expected} is not what was written")

    def check(self, start: int, end: int) -> None:
        """Read entries [start, end) and the tree above them; raise StoreDamaged.

        Where no range of a segment raises, every leaf and every subtree is what was written.
        """
        self._check_settled()
        for row in self.rows(start, end):
            self._check_subtrees(row.seq)

    def subtree(self, level: int, index: int) -> bytes:
        """Read the hash of a complete subtree (ciao.tree.Subtree)."""
        seq, offset = completed_by(level, index)
        found = self._one("SELECT hashes FROM entry WHERE seq = ?", seq)
        return hash_in(found[0] if found else None, offset, f"{self.path}: entry {seq}")

    def backlog(self) -> int:
        """Count the entries with a payload, taps and refusals, that no receipt covers."""
        found = self._one(
            "SELECT count(*) FROM entry WHERE seq >= ? AND payload IS NOT NULL", self.settled
        )
        return int(found[0]) if found else 0

    def keep_note(self, note: str, size: int) -> None:
        """Keep a cosigned note durably, instead of the newest one if no entry names that."""
        row = (note_digest(note), self.origin, size, note)
        with converted(self.path), transaction(self._db):
            self._db.execute("DELETE FROM note WHERE named = 0")
            self._db.execute("INSERT OR IGNORE INTO note VALUES (?, ?, ?, ?, 0)", row)
        self.settled = size
        self._untidied += 1

    def notes_from(self, size: int) -> Iterator[KeptNote]:
        """Read this segment's cosigned notes from a size on, smallest first."""
        with converted(self.path):
            found = self._db.execute(
                "SELECT origin, size, note FROM note WHERE origin = ? AND size >= ? ORDER BY size",
                (self.origin, size),
            )
            for row in found:
                yield KeptNote(*row)

    def forget_payloads(self, below: int) -> None:
        """Delete the payloads of all entries below a sequence number, in one commit."""
        with converted(self.path), transaction(self._db):
            self._db.execute(
                "UPDATE entry SET payload = NULL"
                " WHERE seq >= ? AND seq < ? AND payload IS NOT NULL",
                (self.payloads_from, below),
            )
            self._db.execute("UPDATE segment SET payloads_from = ?", (below,))
        self.payloads_from = below

    def newest_note(self) -> KeptNote | None:
        """Return this segment's cosigned note of the largest size."""
        found = self._one(
            "SELECT origin, size, note FROM note WHERE origin = ?"
            " ORDER BY size DESC, named LIMIT 1",
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
            stored = self._one("SELECT leaf, hashes, payload FROM entry WHERE seq = ?", newest)
            if stored is None or not intact(*stored):
                raise StoreDamaged(f"{self.path}: entry {newest} is not what was written")
        return frontier

    def _check_subtrees(self, seq: int) -> None:
        """Each subtree that an entry completes is the hash of its two halves."""
        found = self._one("SELECT hashes FROM entry WHERE seq = ?", seq)
        hashes = found[0] if found and isinstance(found[0], bytes) else b""
        levels = ((seq + 1) & -(seq + 1)).bit_length()
        good = len(hashes) == levels * HASH_SIZE
        for level in range(1, levels if good else 0):
            left = self.subtree(level - 1, ((seq + 1) >> level) * 2 - 2)
            below = (level - 1) * HASH_SIZE
            right, whole = hashes[below : below + HASH_SIZE], hashes[below + HASH_SIZE :]
            good = good and node_hash(left, right) == whole[:HASH_SIZE]
        if not good:
            raise StoreDamaged(f"{self.path}: the tree at entry {seq} is not what was written")

    def _check_settled(self) -> None:
        """The tree still leads to the newest root that was cosigned."""
        newest = self.newest_note()
        if newest is None:
            return
        try:
            cosigned = Checkpoint.parse(notes.parse(newest.note).text)
        except (NoteBroken, TypeError, AttributeError) as error:
            raise StoreDamaged(f"{self.path}: a note that is none: {error}") from error
        size = cosigned.size
        if size != newest.size or size > self.size or root_at(size, self.subtree) != cosigned.root:
            raise StoreDamaged(f"{self.path}: it does not lead to the root that was cosigned")

    def _one(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        with converted(self.path):
            found: tuple[Any, ...] | None = self._db.execute(statement, values).fetchone()
        return found


def hash_in(hashes: object, offset: int, where: str) -> bytes:
    """Cut a subtree's hash out of those stored beside an entry; raise StoreDamaged."""
    if not isinstance(hashes, bytes) or len(hashes) < offset + HASH_SIZE:
        raise StoreDamaged(f"{where} lacks its tree hashes")
    return hashes[offset : offset + HASH_SIZE]


def intact(leaf: object, hashes: object, payload: object) -> bool:
    """Say whether an entry is what was written: the leaf by its hash, the payload by its name."""
    if not isinstance(leaf, bytes) or not isinstance(hashes, bytes):
        return False
    if leaf_hash(leaf) != hashes[:HASH_SIZE]:
        return False
    named = _PAYLOAD_NAMED.search(leaf)
    if payload is None or named is None:
        return True
    return isinstance(payload, bytes) and digest_of(payload) == named[1]


def digest_of(payload: bytes) -> bytes:
    """Name a payload as its leaf does."""
    return hashlib.sha256(payload).hexdigest().encode()


def note_digest(note: str) -> str:
    """Name a cosigned note as entries do: SHA-256 of its bytes, in hex."""
    return hashlib.sha256(note.encode()).hexdigest()


def _grown(rows: Iterable[Row]) -> Iterator[tuple[int, bytes, bytes, bytes | None]]:
    frontier = Frontier()
    for row in rows:
        frontier, hashes = frontier.append(leaf_hash(row.leaf))
        yield row.seq, row.leaf, hashes, row.payload
