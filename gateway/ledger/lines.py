"""Lines: of each worker at each terminal, whose turn it is; a queue for each employer.

What is asked for is found by index, however many lines there are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator

from ciao.registration import State
from gateway.forwarding.turns import Open, Turn
from gateway.ledger.rows import Sealed, Tap
from gateway.ledger.taps import QUALIFIED, with_sealed

# The distinct employers of an index, one look-up each.
_EMPLOYERS = """
WITH RECURSIVE found (employer) AS (
    SELECT min(employer) FROM line
    UNION ALL
    SELECT (SELECT min(line.employer) FROM line WHERE line.employer > found.employer)
    FROM found WHERE found.employer IS NOT NULL
)
SELECT employer FROM found WHERE employer IS NOT NULL
"""


class Lines:
    """Reads and writes of lines; to be used inside the ledger's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def open_taps(self, terminal: str, worker: str) -> Generator[Open, None, None]:
        """Read a line's open taps, in the order they were made, as far as they are asked for."""
        rows = self._db.execute(
            "SELECT id, state, since_ms, due_ms, employer FROM tap"
            " WHERE terminal = ? AND worker = ? AND state IN ('recorded', 'submitted', 'unknown')"
            " ORDER BY id",
            [terminal, worker],
        )
        for row in rows:
            yield Open(row[0], State(row[1]), *row[2:])

    def has_fresh(self, terminal: str, worker: str) -> bool:
        """Say whether a fresh stamp waits in a line."""
        row = self._db.execute(
            "SELECT 1 FROM tap WHERE terminal = ? AND worker = ?"
            " AND fresh = 1 AND state = 'recorded' LIMIT 1",
            [terminal, worker],
        ).fetchone()
        return row is not None

    def put(self, terminal: str, worker: str, turn: Turn | None) -> None:
        """Keep whose turn it is; None ends the line."""
        if turn is None:
            self._db.execute(
                "DELETE FROM line WHERE terminal = ? AND worker = ?", [terminal, worker]
            )
            return
        self._db.execute(
            "INSERT OR REPLACE INTO line (terminal, worker, employer, head, fresh, due_ms)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [terminal, worker, turn.employer, turn.head, turn.fresh, turn.due_ms],
        )

    def employers(self) -> list[str]:
        """List the employers that have lines."""
        return [row[0] for row in self._db.execute(_EMPLOYERS)]

    def due(self, employer: str, now_ms: int, limit: int) -> list[tuple[Tap, Sealed]]:
        """List the heads of an employer's due lines: fresh ones first, then the longest due."""
        found: list[tuple[Tap, Sealed]] = []
        for fresh in (1, 0):
            rows = self._db.execute(
                f"SELECT {QUALIFIED}, entry.leaf, entry.payload FROM line"
                " CROSS JOIN tap ON tap.id = line.head"
                " CROSS JOIN entry ON entry.log = tap.log AND entry.seq = tap.seq"
                " WHERE line.employer = ? AND line.fresh = ? AND line.due_ms <= ?"
                " ORDER BY line.due_ms, line.head LIMIT ?",
                [employer, fresh, now_ms, limit - len(found)],
            )
            found += map(with_sealed, rows)
            if len(found) >= limit:
                break
        return found
