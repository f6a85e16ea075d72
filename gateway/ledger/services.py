"""Troubles of the ONSS as each employer met them: a row when one begins, a row when it ends.

Never changed: these times are evidence of whose doing an outage was (Q44).
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from gateway.ledger.rows import Moment


@dataclass(frozen=True, slots=True)
class TroubleRow:
    """A trouble of one employer's service: `kind` unavailable|refused|paused, `why` a case.

    `since_ms`: its first failure; `ended_ms`: the first call after it that worked, None where it
    lasts. Both by the gateway's wall clock. `begun_ms` is when it was noticed and written down.
    """

    id: int
    employer: str
    kind: str
    why: str
    since_ms: int
    begun_ms: int
    ended_ms: int | None


_SELECT = (
    "SELECT service_begun.id, employer, kind, why, since_ms, service_begun.at_ms,"
    " service_ended.at_ms FROM service_begun"
    " LEFT JOIN service_ended ON service_ended.trouble = service_begun.id"
)


class Services:
    """Reads and writes of troubles; to be used inside the ledger's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def begun(self, employer: str, kind: str, why: str, since_ms: int, now: Moment) -> int:
        """Write that a trouble began; return its id."""
        cursor = self._db.execute(
            "INSERT INTO service_begun (employer, kind, why, since_ms, at_ms, boot, up_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [employer, kind, why, since_ms, now.at_ms, now.boot, now.up_ms],
        )
        return int(cursor.lastrowid or 0)

    def ended(self, trouble: int, now: Moment) -> None:
        """Write that a trouble has ended."""
        self._db.execute(
            "INSERT INTO service_ended (trouble, at_ms, boot, up_ms) VALUES (?, ?, ?, ?)",
            [trouble, now.at_ms, now.boot, now.up_ms],
        )

    def standing(self) -> list[TroubleRow]:
        """List the troubles that last, oldest first."""
        rows = self._db.execute(
            f"{_SELECT} WHERE service_ended.trouble IS NULL ORDER BY service_begun.id"
        )
        return [TroubleRow(*row) for row in rows]

    def between(self, from_ms: int, until_ms: int) -> list[TroubleRow]:
        """List the troubles that touch a span of time, oldest first."""
        rows = self._db.execute(
            f"{_SELECT} WHERE since_ms < ? AND coalesce(service_ended.at_ms, ?) >= ?"
            " ORDER BY service_begun.id",
            [until_ms, until_ms, from_ms],
        )
        return [TroubleRow(*row) for row in rows]
