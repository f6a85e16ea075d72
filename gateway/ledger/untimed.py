"""Between what moments a stamp without a trusted time was made: read-only (DESIGN 3.8)."""

from __future__ import annotations

import sqlite3

from ciao import entries
from ciao.derived import Interval
from ciao.entries import Entry

_SYNCED = """instr(leaf, CAST('"synced":true' AS BLOB)) > 0"""


def interval(db: sqlite3.Connection, tap: int) -> Interval | None:
    """Return the interval of a tap whose clock never was right; None where its time is known.

    From the last entry before it of a trusted time to when it was first received.
    """
    row = db.execute(
        "SELECT terminal, log, seq, received_ms FROM tap"
        " WHERE id = ? AND synced = 0 AND derived_at IS NULL",
        [tap],
    ).fetchone()
    if row is None:
        return None
    terminal, log, seq, received_ms = row
    return Interval.of(_last_synced(db, terminal, log, seq), received_ms)


def _last_synced(db: sqlite3.Connection, terminal: str, log: int, seq: int) -> Entry | None:
    """Find the newest entry of a trusted time before a place, in its log or one before it."""
    found = db.execute(
        f"SELECT leaf FROM entry WHERE log = ? AND seq < ? AND {_SYNCED} ORDER BY seq DESC LIMIT 1",
        [log, seq],
    ).fetchone()
    before = db.execute(
        "SELECT id FROM log WHERE terminal = ? AND id < ? ORDER BY id DESC LIMIT 1", [terminal, log]
    ).fetchone()
    if found is None:
        return _last_synced(db, terminal, before[0], 2**62) if before else None
    try:
        return entries.decode(found[0])
    except (entries.NotUnderstood, entries.LeafBroken):
        return None
