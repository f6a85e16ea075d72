"""Attempts: a row when one begins, a row when it ends, never changed (DESIGN 4).

What was sent is kept sealed, as it names somebody, and so is what was answered: it may echo a NISS.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

_LAST_SENT = """
SELECT begun.employer, begun.trace_id, item.sent FROM transition
LEFT JOIN attempt_begun AS begun ON begun.id = transition.attempt
LEFT JOIN attempt_item AS item ON item.attempt = begun.id AND item.tap = transition.tap
WHERE transition.tap = ? AND (after = 'submitted' OR before = 'recorded' AND after = 'unknown')
ORDER BY transition.id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class LastSent:
    """The last call that a tap was in: with whose credentials, and what it said, sealed.

    `sent` is None where it was begun before that was kept.
    """

    employer: str
    trace_id: str
    sent: bytes | None = field(repr=False)


class Attempts:
    """Reads and writes of attempts and searches; to be used inside the ledger's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def begin(self, at_ms: int, employer: str, trace_id: str, taps: Mapping[int, bytes]) -> int:
        """Write that a call with these taps, in this order, is about to be made; return its id.

        With each, what is sent of it, sealed.
        """
        cursor = self._db.execute(
            "INSERT INTO attempt_begun (at_ms, employer, trace_id) VALUES (?, ?, ?)",
            [at_ms, employer, trace_id],
        )
        attempt = int(cursor.lastrowid or 0)
        self._db.executemany(
            "INSERT INTO attempt_item (attempt, position, tap, sent) VALUES (?, ?, ?, ?)",
            [(attempt, position, *item) for position, item in enumerate(taps.items())],
        )
        return attempt

    def taps(self, attempt: int) -> list[int]:
        """List an attempt's taps, in the order they were sent."""
        rows = self._db.execute(
            "SELECT tap FROM attempt_item WHERE attempt = ? ORDER BY position", [attempt]
        )
        return [row[0] for row in rows]

    def last_sent(self, tap: int) -> LastSent | None:
        """Return what of a tap may be at the service by our doing; None where nothing is known.

        Nothing is after a backup was restored: what was sent since it was made is not in it.
        """
        row = self._db.execute(_LAST_SENT, [tap]).fetchone()
        return None if row is None or row[0] is None else LastSent(*row)

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
