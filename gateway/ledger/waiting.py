"""The taps that wait for somebody or something: read-only, while their gateway runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ciao.registration import State
from gateway.ledger.deletions import Deletions
from gateway.ledger.store import connect_read_only, explained

STATES = (State.HELD, State.UNRESOLVED, State.UNKNOWN, State.REJECTED, State.WITHHELD)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One tap that is not on its way; names nobody.

    `at` is its own time, `derived_at` what a later step of its clock (`basis`) makes of it.
    `since_ms`: when it came into its state. `asked`: a decision on it is written, but not taken.
    `stamped_ms`, `received_ms`: its time as it counts, and when it reached us.
    """

    tap: int
    terminal: str
    origin: str
    seq: int
    direction: str
    at: str
    derived_at: str | None
    basis: str | None
    state: str
    reason: str | None
    since_ms: int
    tries: int
    asked: str | None
    stamped_ms: int
    received_ms: int


_ROW = (
    "SELECT tap.id, tap.terminal, first_origin, first_seq, direction, at, derived_at,"
    " basis, state, reason, since_ms, tries,"
    " (SELECT what FROM decision WHERE subject = CAST(tap.id AS TEXT)"
    "  AND what IN ('release', 'abandon', 'found', 'absent')"
    "  AND id > (SELECT coalesce(max(decision), 0) FROM decision_taken)),"
    " coalesce(derived_ms, at_ms), received_ms"
    " FROM tap"
)


def waiting_row(db: sqlite3.Connection, tap: int) -> Waiting | None:
    """Read how one tap stands, whether it waits or not."""
    row = db.execute(f"{_ROW} WHERE tap.id = ?", [tap]).fetchone()
    return None if row is None else Waiting(*row)


def waiting(path: Path, states: Sequence[State], terminal: str | None, limit: int) -> list[Waiting]:
    """List waiting taps, oldest first; raise BadInput."""
    marks = ", ".join("?" * len(states))
    with closing(connect_read_only(path)) as db, explained(path):
        rows = db.execute(
            f"{_ROW} WHERE state IN ({marks}) AND (? IS NULL OR tap.terminal = ?)"
            " ORDER BY tap.id LIMIT ?",
            [*states, terminal, terminal, limit],
        )
        return [Waiting(*row) for row in rows]


def state_of(path: Path, tap: int) -> State | None:
    """Look up a tap's state; None where there is no such tap; raise BadInput."""
    with closing(connect_read_only(path)) as db, explained(path):
        row = db.execute("SELECT state FROM tap WHERE id = ?", [tap]).fetchone()
    return None if row is None else State(row[0])


def is_forgotten(path: Path, tap: int) -> bool:
    """Say whether whose tap it is was deleted after its time; raise BadInput."""
    with closing(connect_read_only(path)) as db, explained(path):
        return Deletions(db).is_forgotten(tap)


def has_terminal(path: Path, terminal: str) -> bool:
    """Say whether the ledger holds anything of a terminal; raise BadInput."""
    with closing(connect_read_only(path)) as db, explained(path):
        row = db.execute(
            "SELECT 1 FROM log WHERE terminal = ? UNION SELECT 1 FROM alert WHERE terminal = ?",
            [terminal, terminal],
        ).fetchone()
    return row is not None
