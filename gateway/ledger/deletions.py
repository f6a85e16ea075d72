"""What is deleted after its time: planned, said in the journal, carried out; each a row for good.

Only the newest deletion may be open (`deletion_tables` holds it).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ciao.journal.retention import cosigned_at_s
from ciao.registration import State
from gateway.ledger.deletion_tables import FORGOTTEN_OF_ATTEMPT

# retention: payloads, and whose they were; segment: a whole log, its entries and notes.
DeletionKind = Literal["retention", "segment"]


@dataclass(frozen=True, slots=True)
class Part:
    """Entries [first, last] of a log."""

    log: int
    origin: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Deletion:
    """One deletion, open; `said` once an entry of the gateway's journal names it."""

    id: int
    why: DeletionKind
    said: bool
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Behind:
    """A log of which something is left; `settled` is how much of it we cosigned."""

    id: int
    origin: str
    terminal: str
    size: int
    payloads_from: int


@dataclass(frozen=True, slots=True)
class Done:
    """What was deleted for one reason: by how many deletions, how many payloads, when last."""

    why: DeletionKind
    deletions: int
    payloads: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Sealing:
    """An entry that something was sealed with, and its tap as far as its deletion depends on it.

    `at_ms` is when its terminal says that it was made, `dossier_ms` when its newest correction was
    opened or exported. A refusal has no tap.
    """

    seq: int
    state: State | None
    since_ms: int
    at_ms: int
    dossier_ms: int | None


_BEHIND = "id, origin, terminal, size, payloads_from"


def _made_ms(entry: str) -> str:
    """Select when an entry says that it was written; NULL where its leaf is gone."""
    at = f"json_extract(CAST({entry}.leaf AS TEXT), '$.at')"
    return f"CASE WHEN {entry}.leaf != x'' THEN strftime('%s', {at}) * 1000 END"


_SEALING = f"""
SELECT entry.seq, tap.state, coalesce(tap.since_ms, 0),
coalesce(tap.derived_ms, tap.at_ms, {_made_ms("entry")}, 0), (
    SELECT max(at_ms) FROM (
        SELECT at_ms FROM correction JOIN correction_tap ON correction = correction.id
        WHERE tap = entry.tap
        UNION ALL
        SELECT at_ms FROM correction_exported
        WHERE correction IN (SELECT correction FROM correction_tap WHERE tap = entry.tap)
    ))
FROM entry LEFT JOIN tap ON tap.id = entry.tap
WHERE entry.log = ? AND entry.seq >= ? AND entry.seq < ?
AND (entry.payload IS NOT NULL OR entry.tap IS NOT NULL) ORDER BY entry.seq
"""


class Deletions:
    """Reads and writes of deletions; to be used inside the ledger's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def open(self) -> Deletion | None:
        """Return the deletion that is not carried out yet, if there is one."""
        row = self._db.execute(
            "SELECT id, why, EXISTS (SELECT 1 FROM deletion_said WHERE deletion = id),"
            " EXISTS (SELECT 1 FROM deletion_done WHERE deletion = id)"
            " FROM deletion ORDER BY id DESC LIMIT 1"
        ).fetchone()
        if row is None or row[3]:
            return None
        parts = self._db.execute(
            "SELECT log, origin, first, last FROM deletion_range JOIN log ON log.id = log"
            " WHERE deletion = ? ORDER BY log, first",
            [row[0]],
        )
        return Deletion(row[0], row[1], bool(row[2]), tuple(Part(*part) for part in parts))

    def behind(self, beyond: int) -> Behind | None:
        """Find the next log, by its id, of which payloads were not looked at yet."""
        row = self._db.execute(
            f"SELECT {_BEHIND} FROM log WHERE payloads_from < size AND id > ? ORDER BY id LIMIT 1",
            [beyond],
        ).fetchone()
        return None if row is None else Behind(*row)

    def over(self, before_ms: int, now_ms: int) -> Behind | None:
        """Find a log of which nothing has come since a moment, that may go whole.

        A terminal's oldest, never its newest, and only once all its payloads are gone. Where its
        last entry says that it is younger, by the terminal's own clock, it is.
        """
        row = self._db.execute(
            f"SELECT {_BEHIND} FROM log AS old WHERE leaves_from < size AND payloads_from = size"
            " AND changed_ms <= ? AND EXISTS (SELECT 1 FROM log AS newer WHERE"
            "  newer.terminal = old.terminal AND newer.id > old.id"
            "  AND newer.changed_ms > old.changed_ms)"
            " AND NOT EXISTS (SELECT 1 FROM log AS older WHERE older.terminal = old.terminal"
            "  AND older.id < old.id AND older.leaves_from < older.size)"
            " AND NOT EXISTS (SELECT 1 FROM deletion_later WHERE deletion_later.log = old.id)"
            " AND NOT EXISTS (SELECT 1 FROM owed WHERE owed.origin = old.origin)"
            " AND NOT EXISTS (SELECT 1 FROM entry WHERE log = old.id AND seq = old.size - 1"
            f"  AND {_made_ms('entry')} > ? AND {_made_ms('entry')} <= ?)"
            " ORDER BY id LIMIT 1",
            [before_ms, before_ms, now_ms],
        ).fetchone()
        return None if row is None else Behind(*row)

    def note_from(self, origin: str, size: int) -> tuple[int, str] | None:
        """Return the smallest cosigned note of at least a size, with its size.

        Of two of that size, by a key and by its successor, the earlier.
        """
        rows: list[tuple[int, str]] = self._db.execute(
            "SELECT size, note FROM note WHERE origin = ? AND size ="
            " (SELECT min(size) FROM note WHERE origin = ? AND size >= ?)",
            [origin, origin, size],
        ).fetchall()
        return min(rows, key=lambda row: cosigned_at_s(row[1]), default=None)

    def sealed(self, log: int, first: int, end: int) -> list[Sealing]:
        """List the taps and refusals of entries [first, end), and what their deletion rests on."""
        return [_sealing(row) for row in self._db.execute(_SEALING, [log, first, end])]

    def later(self, beyond: tuple[int, int], limit: int) -> list[tuple[Behind, Sealing]]:
        """List entries that were passed over, after a place (log, seq), in that order."""
        rows = self._db.execute(
            "SELECT log, seq FROM deletion_later WHERE (log, seq) > (?, ?)"
            " ORDER BY log, seq LIMIT ?",
            [*beyond, limit],
        ).fetchall()
        found = []
        for log, seq in rows:
            where = self._db.execute(f"SELECT {_BEHIND} FROM log WHERE id = ?", [log]).fetchone()
            found += [(Behind(*where), one) for one in self.sealed(log, seq, seq + 1)]
        return found

    def plan(self, why: DeletionKind, parts: Sequence[Part], at_ms: int) -> Deletion:
        """Decide on a deletion; from now on nothing else is done with what it names."""
        cursor = self._db.execute("INSERT INTO deletion (at_ms, why) VALUES (?, ?)", [at_ms, why])
        number = int(cursor.lastrowid or 0)
        for part in parts:
            self._db.execute(
                "INSERT INTO deletion_range (deletion, log, first, last) VALUES (?, ?, ?, ?)",
                [number, part.log, part.first, part.last],
            )
            self._db.execute(
                "UPDATE tap SET deleted_ms = ? WHERE id IN (SELECT tap FROM entry"
                " WHERE log = ? AND seq BETWEEN ? AND ? AND tap IS NOT NULL)"
                " AND log = ? AND deleted_ms IS NULL",
                [at_ms, part.log, part.first, part.last, part.log],
            )
            self._db.execute(
                "DELETE FROM deletion_later WHERE log = ? AND seq BETWEEN ? AND ?",
                [part.log, part.first, part.last],
            )
        return Deletion(number, why, False, tuple(parts))

    def looked(self, log: int, below: int, waiting: Sequence[int]) -> None:
        """Keep how far a log was looked at, and which entries of it have to wait."""
        self._db.execute("UPDATE log SET payloads_from = ? WHERE id = ?", [below, log])
        self._db.executemany(
            "INSERT OR IGNORE INTO deletion_later (log, seq) VALUES (?, ?)",
            [(log, seq) for seq in waiting],
        )

    def said(self, deletion: int, at_ms: int, origin: str, seq: int) -> None:
        """An entry of the gateway's journal says it; told twice, the first counts."""
        self._db.execute(
            "INSERT INTO deletion_said (deletion, at_ms, origin, seq)"
            " SELECT id, ?, ?, ? FROM deletion WHERE id = ? AND id NOT IN"
            " (SELECT deletion FROM deletion_said)",
            [at_ms, origin, seq, deletion],
        )

    def forget(self, part: Part) -> int:
        """Empty payloads, whose taps they were, what was sent and answered; count payloads."""
        place = [part.log, part.first, part.last]
        where = "log = ? AND seq BETWEEN ? AND ?"
        taps = f"SELECT tap FROM entry WHERE {where} AND tap IS NOT NULL"
        of_taps = f"SELECT id FROM tap WHERE id IN ({taps}) AND deleted_ms IS NOT NULL"
        gone = self._db.execute(
            f"UPDATE entry SET payload = NULL WHERE {where} AND payload IS NOT NULL", place
        ).rowcount
        self._db.execute(
            f"UPDATE tap SET badge = NULL, worker = NULL WHERE id IN ({of_taps})", place
        )
        self._db.execute(
            f"UPDATE search SET answer = x'' WHERE tap IN ({of_taps}) AND answer != x''", place
        )
        self._db.execute(
            "UPDATE attempt_item SET sent = x'' WHERE sent != x''"
            f" AND attempt IN (SELECT attempt FROM transition WHERE tap IN ({of_taps}))"
            f" AND tap IN ({of_taps})",
            place * 2,
        )
        self._db.execute(
            "UPDATE attempt_ended SET answer = x'' WHERE answer != x'' AND attempt IN"
            f" (SELECT attempt FROM transition WHERE tap IN ({of_taps}))"
            f" AND {FORGOTTEN_OF_ATTEMPT.replace('OLD', 'attempt_ended')}",
            place,
        )
        return gone

    def throw_away(self, part: Part, most: int) -> bool:
        """Empty some leaves of a log, and drop their notes but the last; say whether it is over.

        Hashes, the last note and taps' hashes of payloads stay: what comes again is known.
        """
        (start, size) = self._db.execute(
            "SELECT leaves_from, size FROM log WHERE id = ?", [part.log]
        ).fetchone()
        end = min(start + most, part.last + 1)
        self._db.execute(
            "UPDATE entry SET leaf = x'', payload = NULL, flag = NULL"
            " WHERE log = ? AND seq >= ? AND seq < ?",
            [part.log, start, end],
        )
        self._db.execute(
            "DELETE FROM note WHERE origin = ? AND size <= ? AND size < ?", [part.origin, end, size]
        )
        self._db.execute("UPDATE log SET leaves_from = ? WHERE id = ?", [end, part.log])
        return bool(end > part.last)

    def done(self, deletion: int, at_ms: int, payloads: int) -> None:
        """It is carried out."""
        self._db.execute(
            "INSERT INTO deletion_done (deletion, at_ms, payloads) VALUES (?, ?, ?)",
            [deletion, at_ms, payloads],
        )

    def logs(self) -> list[Behind]:
        """List the logs that have their leaves still, oldest first."""
        rows = self._db.execute(f"SELECT {_BEHIND} FROM log WHERE leaves_from < size ORDER BY id")
        return [Behind(*row) for row in rows]

    def changed_ms(self, log: int) -> int:
        """Say when the last entry of a log came."""
        (at_ms,) = self._db.execute("SELECT changed_ms FROM log WHERE id = ?", [log]).fetchone()
        return int(at_ms)

    def count_sealed(self, log: int, first: int, end: int) -> int:
        """Count the payloads of entries [first, end)."""
        (count,) = self._db.execute(
            "SELECT count(*) FROM entry WHERE log = ? AND seq >= ? AND seq < ?"
            " AND payload IS NOT NULL",
            [log, first, end],
        ).fetchone()
        return int(count)

    def all_done(self) -> list[Done]:
        """Add up what was deleted, for each reason."""
        rows = self._db.execute(
            "SELECT why, count(*), sum(payloads), max(deletion_done.at_ms) FROM deletion_done"
            " JOIN deletion ON id = deletion GROUP BY why ORDER BY why"
        )
        return [Done(*row) for row in rows]

    def any_done(self) -> bool:
        """Say whether anything was ever deleted."""
        return self._db.execute("SELECT 1 FROM deletion_done LIMIT 1").fetchone() is not None

    def is_forgotten(self, tap: int) -> bool:
        """Say whether whose tap it is was deleted, or is about to be."""
        row = self._db.execute(
            "SELECT 1 FROM tap WHERE id = ? AND deleted_ms IS NOT NULL", [tap]
        ).fetchone()
        return row is not None

    def wipe(self) -> bool:
        """Empty the write-ahead log, in which deleted bytes still stand; say whether it could be.

        Outside any transaction; where somebody reads it is not waited for.
        """
        (wait_ms,) = self._db.execute("PRAGMA busy_timeout").fetchone()
        self._db.execute("PRAGMA busy_timeout = 0")
        try:
            (busy, _, _) = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:
            return False
        finally:
            self._db.execute(f"PRAGMA busy_timeout = {wait_ms}")
        return not busy


def _sealing(row: Sequence[Any]) -> Sealing:
    seq, state, since_ms, at_ms, dossier_ms = row
    return Sealing(seq, None if state is None else State(state), since_ms, at_ms, dossier_ms)
