"""Which payloads may go: 30 days after a gateway had them in custody (DESIGN 3.5). Pure.

When that was is written in the cosignatures: a gateway's, and witnesses', are timed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from datetime import datetime, timedelta

from ciao import notes
from ciao.journal.store import KeptNote

KEPT = timedelta(days=30)
_COSIGNATURE_SIZE = 8 + 64


def forgettable_below(kept: Iterable[KeptNote], now: datetime) -> int:
    """Return the largest size that was cosigned 30 days before `now`, or 0.

    `kept` are in ascending order, and were checked; `now` must be a synced clock's.
    """
    below = 0
    now_s = int(now.timestamp())
    latest_s = now_s - int(KEPT.total_seconds())
    for note in kept:
        at_s = cosigned_at_s(note.note)
        # A time that has not come is nobody's: anybody may add a line to a note.
        if latest_s < at_s <= now_s:
            break
        if at_s <= latest_s:
            below = note.size
    return below


def cosigned_at_s(note: str) -> int:
    """Return when the last of its cosigners saw a note that was checked, in Unix seconds."""
    signatures = notes.parse(note).signatures
    blobs = [s.blob for s in signatures if len(s.blob) == _COSIGNATURE_SIZE]
    return max(int(struct.unpack(">Q", blob[:8])[0]) for blob in blobs)
