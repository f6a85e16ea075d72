"""Lines: of each worker at each terminal, whose turn it is. What is asked for is found by index."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator

from ciao.registration import State
from gateway.forward import Open, Turn


class Lines:
    """Reads and writes of lines; to be used inside the ledger's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def open_taps(self, terminal: str, worker: str) -> Generator[Open, None, None]:
        """Read a line's open taps, in the order they were made, as far as they are asked for."""
        rows = self._db.execute(
            "SELECT id, state, since_ms, due_ms FROM tap"
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
            "INSERT OR REPLACE INTO line (terminal, worker, head, fresh, due_ms)"
            " VALUES (?, ?, ?, ?, ?)",
            [terminal, worker, turn.head, turn.fresh, turn.due_ms],
        )

    def due(self, now_ms: int, limit: int) -> list[tuple[str, str]]:
        """List the lines that are due: the fresh lane first, in each the longest due first."""
        found: list[tuple[str, str]] = []
        for fresh in (1, 0):
            found += self._db.execute(
                "SELECT terminal, worker FROM line WHERE fresh = ? AND due_ms <= ?"
                " ORDER BY due_ms, head LIMIT ?",
                [fresh, now_ms, limit - len(found)],
            ).fetchall()
        return found
