"""What a person is to know, and decides: alerts, decisions, what a restored backup owes."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

# What an operator acknowledges of a terminal.
AlertKind = Literal["fork", "rolled_back", "damaged", "segments", "owed"]
# What a person can decide: of taps, of a terminal's alerts, of the ledger itself; and that what
# badges said is disclosed, in a bundle.
DecisionKind = Literal["release", "abandon", "terminal", "restored", "disclose", "found", "absent"]


@dataclass(frozen=True, slots=True)
class OwedRow:
    """A log of which we once cosigned more than we hold; `note` is that cosigned checkpoint."""

    origin: str
    terminal: str
    size: int
    root: bytes
    note: str
    forked: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided: on a tap (by its id), a terminal (by its name), or "" for all.

    `value` is the ONSS id with `found`, else "".
    """

    id: int
    what: DecisionKind
    subject: str
    why: str
    value: str


_OWED = "origin, terminal, size, root, note, forked"


def _owed(row: Sequence[Any]) -> OwedRow:
    origin, terminal, size, root, note, forked = row
    return OwedRow(origin, terminal, size, root, note, bool(forked))


class Care:
    """Reads and writes of these; to be used inside the ledger's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._owing: set[str] | None = None

    def begin(self) -> None:
        """Look up of which logs anything is owed: each batch asks, and nearly always none is."""
        self._owing = {row[0] for row in self._db.execute("SELECT origin FROM owed")}

    def _may_owe(self, origin: str) -> bool:
        return self._owing is None or origin in self._owing

    def owed(self, origin: str) -> OwedRow | None:
        """Look up what is owed of a log."""
        if not self._may_owe(origin):
            return None
        rows = self._db.execute(f"SELECT {_OWED} FROM owed WHERE origin = ?", [origin])
        return next(map(_owed, rows), None)

    def owed_by(self, terminal: str | None = None) -> list[OwedRow]:
        """List what is owed, of one terminal or of all."""
        rows = self._db.execute(
            f"SELECT {_OWED} FROM owed WHERE ? IS NULL OR terminal = ? ORDER BY since_ms",
            [terminal, terminal],
        )
        return list(map(_owed, rows))

    def owe(self, row: OwedRow, at_ms: int) -> None:
        """Keep the largest note beyond what we hold of a log."""
        if self._owing is not None:
            self._owing.add(row.origin)
        self._db.execute(
            "INSERT INTO owed (origin, terminal, size, root, note, since_ms)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET size = excluded.size,"
            " root = excluded.root, note = excluded.note WHERE excluded.size > size",
            [row.origin, row.terminal, row.size, row.root, row.note, at_ms],
        )

    def forked(self, origin: str) -> None:
        """Say that what is owed of a log contradicts what its terminal sends."""
        self._db.execute("UPDATE owed SET forked = 1 WHERE origin = ?", [origin])

    def paid(self, origin: str, size: int, at_ms: int) -> None:
        """A log is held up to a size; where that is all we ever cosigned, nothing is owed of it."""
        if not self._may_owe(origin):
            return
        owed = self._db.execute("DELETE FROM owed WHERE origin = ? AND size <= ?", [origin, size])
        if owed.rowcount:
            self._db.execute(
                "UPDATE alert SET acknowledged_ms = ? WHERE kind = 'owed' AND origin = ?",
                [at_ms, origin],
            )

    def alert(self, terminal: str, kind: AlertKind, origin: str, detail: str, at_ms: int) -> bool:
        """Note something for the operator; return whether it was not known, or settled, before."""
        (standing,) = self._db.execute(
            "SELECT count(*) FROM alert WHERE terminal = ? AND kind = ? AND origin = ?"
            " AND acknowledged_ms IS NULL",
            [terminal, kind, origin],
        ).fetchone()
        self._db.execute(
            "INSERT INTO alert (terminal, kind, origin, detail, count, first_ms, last_ms)"
            " VALUES (?, ?, ?, ?, 1, ?, ?) ON CONFLICT DO UPDATE SET count = count + 1,"
            " detail = excluded.detail, last_ms = excluded.last_ms, acknowledged_ms = NULL",
            [terminal, kind, origin, detail, at_ms, at_ms],
        )
        return not standing

    def acknowledge(self, terminal: str, at_ms: int) -> int:
        """An operator has seen a terminal's alerts; return how many."""
        return self._db.execute(
            "UPDATE alert SET acknowledged_ms = ? WHERE terminal = ? AND acknowledged_ms IS NULL",
            [at_ms, terminal],
        ).rowcount

    def decide(
        self, what: DecisionKind, subjects: Sequence[str], why: str, at_ms: int, value: str = ""
    ) -> None:
        """Write what a person decided; the gateway takes it in one of its next steps."""
        self._db.executemany(
            "INSERT INTO decision (at_ms, what, subject, why, value) VALUES (?, ?, ?, ?, ?)",
            [(at_ms, what, subject, why, value) for subject in subjects],
        )

    def undone(self, limit: int) -> list[Decision]:
        """List decisions not taken yet, oldest first."""
        rows = self._db.execute(
            "SELECT id, what, subject, why, value FROM decision"
            " WHERE id > (SELECT coalesce(max(decision), 0) FROM decision_taken)"
            " ORDER BY id LIMIT ?",
            [limit],
        )
        return [Decision(*row) for row in rows]

    def done(self, decision: int, at_ms: int, result: str) -> None:
        """Write what a decision came to."""
        self._db.execute(
            "INSERT INTO decision_taken (decision, at_ms, result) VALUES (?, ?, ?)",
            [decision, at_ms, result],
        )

    def add_step(self, terminal: str, boot: str, up_ms: int, at: str, basis: str) -> None:
        """Keep a trusted step of a terminal's clock; the first word on one moment counts."""
        self._db.execute(
            "INSERT OR IGNORE INTO clock_step (terminal, boot, up_ms, at, basis)"
            " VALUES (?, ?, ?, ?, ?)",
            [terminal, boot, up_ms, at, basis],
        )

    def step_after(self, terminal: str, boot: str, up_ms: int) -> tuple[int, str, str] | None:
        """Find the first trusted step of a boot from a moment on: its `up_ms`, time and basis."""
        row: tuple[int, str, str] | None = self._db.execute(
            "SELECT up_ms, at, basis FROM clock_step WHERE terminal = ? AND boot = ?"
            " AND up_ms >= ? ORDER BY up_ms LIMIT 1",
            [terminal, boot, up_ms],
        ).fetchone()
        return row
