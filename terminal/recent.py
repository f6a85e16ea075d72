"""Edge: the last stamps of each badge, 48 hours, to warn and to tell outcomes. A cache.

Nothing is promised here, and no stamp fails for it: it lives in a file of its own, a damaged
file is simply begun anew, and what the disk does not take is forgotten. Badges are named by
the roster's keyed hash.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ciao.registration import Direction

KEPT = timedelta(hours=48)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS recent (
    badge TEXT NOT NULL, origin TEXT NOT NULL, seq INTEGER NOT NULL,
    direction TEXT NOT NULL, at TEXT NOT NULL, state TEXT, reason TEXT,
    PRIMARY KEY (origin, seq)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS recent_badge ON recent (badge, at);
"""


@dataclass(frozen=True, slots=True)
class RecentStamp:
    """One stamp of a badge, with the newest that is known of its fate."""

    direction: Direction
    at: datetime
    state: str | None
    reason: str | None


class Recent:
    """The table, in one file."""

    def __init__(self, path: Path) -> None:
        try:
            self._db = _open(path)
        except (sqlite3.Error, OSError):
            with suppress(OSError):
                for suffix in ("", "-wal", "-shm"):
                    path.with_name(path.name + suffix).unlink(missing_ok=True)
            try:
                self._db = _open(path)
            except (sqlite3.Error, OSError):
                self._db = _open(None)

    def last(self, badge: str, now: datetime) -> RecentStamp | None:
        """Return the last stamp of a badge, if it is not older than 48 hours."""
        found = None
        with suppress(sqlite3.Error):
            found = self._db.execute(
                "SELECT direction, at, state, reason FROM recent WHERE badge = ? AND at >= ?"
                " ORDER BY at DESC LIMIT 1",
                (badge, _sortable(now - KEPT)),
            ).fetchone()
        if found is None:
            return None
        return RecentStamp(
            Direction(found[0]), datetime.fromisoformat(found[1]), found[2], found[3]
        )

    def add(self, badge: str, origin: str, seq: int, direction: Direction, at: datetime) -> None:
        """Remember a stamp, and forget what is older than 48 hours."""
        oldest = _sortable(at - KEPT)
        with suppress(sqlite3.Error):
            self._db.execute("DELETE FROM recent WHERE at < ?", (oldest,))
            self._db.execute(
                "INSERT OR REPLACE INTO recent VALUES (?, ?, ?, ?, ?, NULL, NULL)",
                (badge, origin, seq, direction.value, _sortable(at)),
            )

    def outcome(self, origin: str, seq: int, state: str, reason: str | None) -> None:
        """Remember what became of a stamp."""
        with suppress(sqlite3.Error):
            self._db.execute(
                "UPDATE recent SET state = ?, reason = ? WHERE origin = ? AND seq = ?",
                (state, reason, origin, seq),
            )

    def close(self) -> None:
        """Let the file go."""
        self._db.close()


def _open(path: Path | None) -> sqlite3.Connection:
    """Open the table in a file, or without one in memory."""
    if path is not None:
        path.touch(mode=0o600)
    db = sqlite3.connect(path or ":memory:", isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        # No flush for each row: losing this to a power cut costs a warning, not a stamp.
        db.execute("PRAGMA synchronous = NORMAL")
        db.executescript(_SCHEMA)
    except sqlite3.Error:
        db.close()
        raise
    return db


def _sortable(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
