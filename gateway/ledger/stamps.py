"""One person's taps: read-only, while their gateway runs."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gateway.ledger.store import connect_read_only, explained

STAMPS_MAX = 100_000
_FORGOTTEN = "SELECT max(at_ms) FROM deletion WHERE why = 'retention'"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A tap as its maker may see it; `derived_at` where its clock was set later.

    `tap` is its number here; `stamped_ms` and `received_ms`, its time as it counts and when it
    reached us.
    """

    tap: int
    at: str
    derived_at: str | None
    terminal: str
    direction: str
    state: str
    reason: str | None
    onss_id: str | None
    stamped_ms: int
    received_ms: int


def stamps_of(path: Path, worker: str, limit: int) -> list[Stamp]:
    """List somebody's taps, the newest first; raise BadInput."""
    with closing(connect_read_only(path)) as db, explained(path):
        rows = db.execute(
            "SELECT id, at, derived_at, terminal, direction, state, reason, onss_id,"
            " coalesce(derived_ms, at_ms), received_ms"
            " FROM tap WHERE worker = ? ORDER BY id DESC LIMIT ?",
            [worker, limit],
        )
        return [Stamp(*row) for row in rows]


def last_forgotten_ms(path: Path) -> int | None:
    """Say when stamps were last made nobody's, after their time; None: never. Raise BadInput."""
    with closing(connect_read_only(path)) as db, explained(path):
        (at_ms,) = db.execute(_FORGOTTEN).fetchone()
        return None if at_ms is None else int(at_ms)
