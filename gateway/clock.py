"""Edge: the gateway's own clocks, read together, as a terminal's are."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from ciao.reading import ClockQuality, ReadClock, Reading

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def system_clock() -> ReadClock:
    """Return a reader of this machine's clocks: UTC, boot id, milliseconds since boot.

    Whether the wall clock is right is the machine's own affair (NTP): the gateway's core times
    what it waits for by the time since boot.
    """
    boot = _BOOT_ID.read_text().strip()
    quality = ClockQuality("none", synced=False)

    def read() -> Reading:
        now = datetime.now(UTC)
        up_ms = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
        return Reading(
            now.replace(microsecond=now.microsecond // 1000 * 1000), boot, up_ms, quality
        )

    return read
