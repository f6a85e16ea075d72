"""Lines: of each worker at each terminal, whose turn it is; a queue for each employer.

What is asked for is found by index, however many lines there are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator

from ciao.registration import State
from gateway.forwarding.turns import NEVER_MS, Open, Turn
from gateway.ledger.rows import Sealed, Tap
from gateway.ledger.taps import QUALIFIED, with_sealed

# A line's open taps, and beside each whether a fresh stamp waits anywhere in it: looked up once.
_OPEN = """
SELECT id, state, since_ms, due_ms, employer, EXISTS (
    SELECT 1 FROM tap WHERE terminal = ?1 AND worker = ?2 AND fresh = 1 AND state = 'recorded'
) FROM tap
WHERE terminal = ?1 AND worker = ?2 AND state IN ('recorded', 'submitted', 'unknown')
ORDER BY id
"""

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
        for row in self._db.execute(_OPEN, [terminal, worker]):
            yield Open(row[0], State(row[1]), row[2], row[3], row[4], bool(row[5]))

    def away(self, terminal: str, worker: str) -> None:
        """The head of a line is on its way: until it is back, it is nobody's turn."""
        self._db.execute(
            "UPDATE line SET due_ms = ? WHERE terminal = ? AND worker = ?",
            [NEVER_MS, terminal, worker],
        )

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
