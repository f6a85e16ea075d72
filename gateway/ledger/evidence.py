"""A terminal's logs as the ledger holds them, for evidence: read-only, while the gateway runs.

`LedgerLog` is a `ciao.evidence.source.Log`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ciao.journal.retention import cosigned_at_s
from ciao.journal.store import KeptNote, Row
from ciao.tree import HASH_SIZE, completed_by
from gateway.ledger.store import connect_read_only

_NOTE = "SELECT origin, size, note FROM note WHERE origin = ?"


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open the ledger as it is at this moment; raise BadInput."""
    db = connect_read_only(path)
    db.execute("BEGIN")
    db.execute("SELECT 1 FROM log LIMIT 1").fetchone()
    return db


@dataclass(frozen=True, slots=True)
class LedgerLog:
    """One segment of a terminal, at one moment."""

    db: sqlite3.Connection
    number: int
    origin: str
    certificate: str
    size: int

    def rows(self, start: int, end: int) -> Iterator[Row]:
        """Read entries [start, end) in order, as they are asked for."""
        for row in self.db.execute(
            "SELECT seq, leaf, payload FROM entry WHERE log = ? AND seq >= ? AND seq < ?"
            " ORDER BY seq",
            (self.number, start, end),
        ):
            yield Row(*row)

    def note_from(self, size: int) -> KeptNote | None:
        """Return the smallest cosigned note of at least a size."""
        return self._earliest("SELECT min(size) FROM note WHERE origin = ? AND size >= ?", size)

    def note_upto(self, size: int) -> KeptNote | None:
        """Return the largest cosigned note of at most a size."""
        return self._earliest("SELECT max(size) FROM note WHERE origin = ? AND size <= ?", size)

    def notes(self, low: int, high: int) -> Iterator[KeptNote]:
        """Read the cosigned notes of sizes [low, high], smallest first."""
        yield from self._notes(f"{_NOTE} AND size >= ? AND size <= ? ORDER BY size", low, high)

    def named(self, sha256: str) -> KeptNote | None:
        """Return a cosigned note of this log by its SHA-256."""
        return next(self._notes(f"{_NOTE} AND sha256 = ?", bytes.fromhex(sha256)), None)

    def subtree(self, level: int, index: int) -> bytes:
        """Read the hash of a complete subtree (ciao.tree.Subtree)."""
        seq, offset = completed_by(level, index)
        (found,) = self.db.execute(
            "SELECT substr(hashes, ?, ?) FROM entry WHERE log = ? AND seq = ?",
            (offset + 1, HASH_SIZE, self.number, seq),
        ).fetchone()
        return bytes(found)

    def claim(self) -> None:
        """A gateway signs for nobody but itself."""

    def _earliest(self, which: str, size: int) -> KeptNote | None:
        """Return a note; of two of a size, by a key and by its successor, the earlier.

        That is when it was received, and an inspector's policy may be of before the other key.
        """
        found = self._notes(f"{_NOTE} AND size = ({which})", self.origin, size)
        return min(found, key=lambda kept: cosigned_at_s(kept.note), default=None)

    def _notes(self, statement: str, *values: object) -> Iterator[KeptNote]:
        for row in self.db.execute(statement, (self.origin, *values)):
            yield KeptNote(*row)


def logs_of(db: sqlite3.Connection, terminal: str) -> list[LedgerLog]:
    """List the segments of a terminal, but for what was deleted whole."""
    found = db.execute(
        "SELECT id, origin, certificate, size FROM log WHERE terminal = ? AND leaves_from = 0"
        " ORDER BY id",
        [terminal],
    )
    return [LedgerLog(db, *row) for row in found]


def has_thrown_away(db: sqlite3.Connection, terminal: str) -> bool:
    """Say whether a segment of a terminal was deleted whole, or is being so."""
    asked = "SELECT 1 FROM log WHERE terminal = ? AND leaves_from > 0"
    return db.execute(asked, [terminal]).fetchone() is not None


def is_deleted(db: sqlite3.Connection, origin: str, seq: int) -> bool:
    """Say whether the ledger's own copy of an entry's payload was deleted after its time."""
    row = db.execute(
        "SELECT part.last FROM log JOIN deletion_range AS part ON part.log = log.id"
        " JOIN deletion_said ON deletion_said.deletion = part.deletion"
        " JOIN deletion ON deletion.id = part.deletion"
        " WHERE log.origin = ? AND part.first <= ? AND why = 'retention'"
        " ORDER BY part.first DESC LIMIT 1",
        [origin, seq],
    ).fetchone()
    return row is not None and int(row[0]) >= seq


def deletions_said(
    db: sqlite3.Connection, parts: Mapping[str, tuple[int, int]], terminals: Iterable[str]
) -> Iterator[tuple[str, int]]:
    """Name the entries, (origin, seq) of the gateway's journal, that say what was deleted.

    Of logs' entries [first, end), and of whole logs of terminals.
    """
    found: dict[tuple[str, int], None] = {}
    said = (
        "SELECT deletion_said.origin, deletion_said.seq FROM log"
        " JOIN deletion_range AS part ON part.log = log.id"
        " JOIN deletion_said ON deletion_said.deletion = part.deletion"
        " JOIN deletion ON deletion.id = part.deletion"
    )
    for origin, (first, end) in parts.items():
        where = " WHERE log.origin = ? AND part.first < ? AND part.last >= ? AND why = 'retention'"
        found |= dict.fromkeys(db.execute(said + where, [origin, end, first]))
    for terminal in terminals:
        where = " WHERE log.terminal = ? AND log.leaves_from > 0 AND why = 'segment'"
        found |= dict.fromkeys(db.execute(said + where, [terminal]))
    yield from sorted(found)
