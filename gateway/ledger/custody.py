"""Logs, entries, notes, refusals: what is held in custody."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from ciao.checkpoint import Checkpoint
from ciao.evidence.stamped import Checkpointed
from ciao.notes import parse
from ciao.tree import HASH_SIZE, completed_by
from gateway.ledger.rows import Log

_LOG = "id, origin, terminal, key, certificate, size, checkpoint, receipt"


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry to store; `tap` where it is one of the taps in the ledger."""

    seq: int
    leaf: bytes
    hashes: bytes
    payload: bytes | None
    flag: str | None
    tap: int | None


@dataclass(frozen=True, slots=True)
class FlaggedRow:
    """A stored entry that carries a flag, and whose log it is in."""

    log: int
    seq: int
    origin: str
    terminal: str
    leaf: bytes
    hashes: bytes
    payload: bytes | None


class Custody:
    """Reads and writes of what is held; to be used inside the ledger's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def log(self, origin: str) -> Log | None:
        """Look up a segment by its origin."""
        row = self._db.execute(f"SELECT {_LOG} FROM log WHERE origin = ?", [origin]).fetchone()
        return None if row is None else Log(*row)

    def logs(self) -> list[Log]:
        """List every segment, oldest first."""
        return [Log(*row) for row in self._db.execute(f"SELECT {_LOG} FROM log ORDER BY id")]

    def logs_of(self, terminal: str) -> int:
        """Count a terminal's segments."""
        (count,) = self._db.execute(
            "SELECT count(*) FROM log WHERE terminal = ?", [terminal]
        ).fetchone()
        return int(count)

    def newest_log(self, terminal: str) -> Log | None:
        """Look up the segment of a terminal that was extended last."""
        row = self._db.execute(
            f"SELECT {_LOG} FROM log WHERE terminal = ? ORDER BY changed_ms DESC, id DESC LIMIT 1",
            [terminal],
        ).fetchone()
        return None if row is None else Log(*row)

    def heard_since(self, terminal: str, at_ms: int) -> bool:
        """Say whether any segment of a terminal was extended after a moment."""
        row = self._db.execute(
            "SELECT 1 FROM log WHERE terminal = ? AND changed_ms > ?", [terminal, at_ms]
        ).fetchone()
        return row is not None

    def add_log(self, origin: str, terminal: str, key: bytes, certificate: str) -> int:
        """Begin a segment, still empty; return its id."""
        cursor = self._db.execute(
            "INSERT INTO log (origin, terminal, key, certificate, size, checkpoint, receipt,"
            " changed_ms) VALUES (?, ?, ?, ?, 0, '', '', 0)",
            [origin, terminal, key, certificate],
        )
        return int(cursor.lastrowid or 0)

    def add_entries(self, log: int, rows: Sequence[EntryRow]) -> None:
        """Store entries, never to be changed."""
        self._db.executemany(
            "INSERT INTO entry (log, seq, leaf, hashes, payload, flag, tap)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(log, r.seq, r.leaf, r.hashes, r.payload, r.flag, r.tap) for r in rows],
        )

    def flagged(self, flag: str, beyond: tuple[int, int], limit: int) -> list[FlaggedRow]:
        """List entries with a flag after a place (log, seq), in that order."""
        rows = self._db.execute(
            "SELECT entry.log, entry.seq, log.origin, log.terminal, leaf, hashes, payload"
            " FROM entry JOIN log ON log.id = entry.log"
            " WHERE flag = ? AND (entry.log, entry.seq) > (?, ?)"
            " ORDER BY entry.log, entry.seq LIMIT ?",
            [flag, *beyond, limit],
        )
        return [FlaggedRow(*row) for row in rows]

    def understood(self, log: int, seq: int, flag: str | None, tap: int | None) -> None:
        """An entry that was stored blindly is understood now; its bytes stay as they are."""
        self._db.execute(
            "UPDATE entry SET flag = ?, tap = ? WHERE log = ? AND seq = ?", [flag, tap, log, seq]
        )

    def extend(self, log: int, size: int, checkpoint: str, at_ms: int) -> None:
        """Say how far a segment is held, and the terminal's checkpoint of it; no receipt yet."""
        self._db.execute(
            "UPDATE log SET size = ?, checkpoint = ?, receipt = '', changed_ms = ? WHERE id = ?",
            [size, checkpoint, at_ms, log],
        )

    def receipted(self, log: int, receipt: str) -> None:
        """Keep the receipt that is about to be published."""
        self._db.execute("UPDATE log SET receipt = ? WHERE id = ?", [receipt, log])

    def newest_logs(self) -> list[Log]:
        """List of every terminal the segment that was extended last: whose receipt is retained."""
        names = ", ".join(f"log.{name}" for name in _LOG.split(", "))
        rows = self._db.execute(
            f"SELECT {names}, max(changed_ms) FROM log WHERE receipt != '' GROUP BY terminal"
        )
        return [Log(*row[:-1]) for row in rows]

    def heard(self) -> list[tuple[str, int, str]]:
        """List of every terminal when it last brought something, and its newest note's SHA-256."""
        rows = self._db.execute(
            "SELECT terminal, max(changed_ms), receipt FROM log WHERE receipt != ''"
            " GROUP BY terminal"
        )
        return [
            (terminal, heard_ms, hashlib.sha256(receipt.encode()).hexdigest())
            for terminal, heard_ms, receipt in rows
        ]

    def newest_checkpoints(self) -> list[Checkpointed]:
        """List the newest cosigned checkpoint of each terminal's newest log."""
        rows = self._db.execute(
            "SELECT origin, receipt, max(changed_ms) FROM log WHERE receipt != '' GROUP BY terminal"
        )
        found = []
        for origin, receipt, _ in rows:
            digest = hashlib.sha256(receipt.encode()).hexdigest()
            size = Checkpoint.parse(parse(receipt).text).size
            found.append(Checkpointed(origin, digest, size))
        return found

    def subtree(self, log: int, level: int, index: int) -> bytes:
        """Read the hash of a complete subtree of a segment (a `ciao.tree.Subtree`)."""
        seq, offset = completed_by(level, index)
        row = self._db.execute(
            "SELECT substr(hashes, ?, ?) FROM entry WHERE log = ? AND seq = ?",
            [offset + 1, HASH_SIZE, log, seq],
        ).fetchone()
        return bytes(row[0])

    def leaf_hashes(self, log: int, start: int, end: int) -> list[bytes]:
        """Read the hashes of leaves [start, end)."""
        rows = self._db.execute(
            "SELECT substr(hashes, 1, ?) FROM entry WHERE log = ? AND seq >= ? AND seq < ?"
            " ORDER BY seq",
            [HASH_SIZE, log, start, end],
        )
        return [row[0] for row in rows]

    def keep_note(self, origin: str, size: int, note: str) -> None:
        """Keep a cosigned note that heartbeats may name by its hash; not of a log that is gone."""
        self._db.execute(
            "INSERT OR IGNORE INTO note (sha256, origin, size, note) SELECT ?, ?, ?, ?"
            " WHERE NOT EXISTS (SELECT 1 FROM log WHERE origin = ? AND leaves_from > ?)",
            [hashlib.sha256(note.encode()).digest(), origin, size, note, origin, size],
        )

    def largest_note(self, origin: str) -> int:
        """Return the largest size of a log that we are known to have cosigned."""
        (size,) = self._db.execute(
            "SELECT coalesce(max(size), 0) FROM note WHERE origin = ?", [origin]
        ).fetchone()
        return int(size)

    def has_note(self, note: str) -> bool:
        """Say whether a cosigned note is kept already."""
        digest = hashlib.sha256(note.encode()).digest()
        row = self._db.execute("SELECT 1 FROM note WHERE sha256 = ?", [digest]).fetchone()
        return row is not None

    def count_refused(self, terminal: str, reason: str, at_ms: int) -> None:
        """Count a message that was refused."""
        self._db.execute(
            "INSERT INTO refused (terminal, reason, count, last_ms) VALUES (?, ?, 1, ?)"
            " ON CONFLICT DO UPDATE SET count = count + 1, last_ms = excluded.last_ms",
            [terminal, reason, at_ms],
        )

    def fact(self, name: str) -> int | None:
        """Read one of the few numbers the gateway keeps about itself."""
        row = self._db.execute("SELECT value FROM fact WHERE name = ?", [name]).fetchone()
        return None if row is None else int(row[0])

    def put_fact(self, name: str, value: int) -> None:
        """Keep a number about the gateway itself."""
        self._db.execute("INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)", [name, value])
