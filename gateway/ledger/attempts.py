"""Attempts: a row when one begins, a row when it ends, never changed (DESIGN 4).

What the service answered is kept sealed: it may echo a NISS.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence


class Attempts:
    """Reads and writes of attempts and searches; to be used inside the ledger's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def begin(self, at_ms: int, employer: str, trace_id: str, taps: Sequence[int]) -> int:
        """Write that a call with these taps, in this order, is about to be made; return its id."""
        cursor = self._db.execute(
            "INSERT INTO attempt_begun (at_ms, employer, trace_id) VALUES (?, ?, ?)",
            [at_ms, employer, trace_id],
        )
        attempt = int(cursor.lastrowid or 0)
        self._db.executemany(
            "INSERT INTO attempt_item (attempt, position, tap) VALUES (?, ?, ?)",
            [(attempt, position, tap) for position, tap in enumerate(taps)],
        )
        return attempt

    def taps(self, attempt: int) -> list[int]:
        """List an attempt's taps, in the order they were sent."""
        rows = self._db.execute(
            "SELECT tap FROM attempt_item WHERE attempt = ? ORDER BY position", [attempt]
        )
        return [row[0] for row in rows]

    def end(self, attempt: int, at_ms: int, what: str, answer: bytes) -> None:
        """Write how a call ended: `what` in a word, and the sealed answer."""
        self._db.execute(
            "INSERT INTO attempt_ended (attempt, at_ms, what, answer) VALUES (?, ?, ?, ?)",
            [attempt, at_ms, what, answer],
        )

    def searched(self, tap: int, at_ms: int, what: str, answer: bytes) -> None:
        """Write what a search for a tap ended with."""
        self._db.execute(
            "INSERT INTO search (tap, at_ms, what, answer) VALUES (?, ?, ?, ?)",
            [tap, at_ms, what, answer],
        )
