"""What is due, by values alone. Pure: the limits of a terminal's upkeep, and when each is met."""

from __future__ import annotations

from datetime import UTC, timedelta

from ciao.reading import Reading

HEARTBEAT_MS = 60_000
SEGMENT_AGE = timedelta(days=365)
# A stamp takes about 2 KiB: then some 30,000 still fit.
DISK_FREE_MIN = 64 * 1024 * 1024


def yearly(began: Reading, now: Reading, settled: int, size: int) -> bool:
    """Say whether a planned segment should begin: a year on, all settled, on a trusted clock.

    `began` is entry 0's moment. Where its clock was wrong one segment may begin early; the next
    begins on a trusted clock, so that this happens once.
    """
    if not now.clock.synced or settled < size:
        return False
    return now.at.astimezone(UTC) - began.at.astimezone(UTC) >= SEGMENT_AGE


def has_room(free_bytes: int) -> bool:
    """Say whether the disk has more room than it takes to warn people in time."""
    return free_bytes >= DISK_FREE_MIN
