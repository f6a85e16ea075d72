from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from ciao.reading import ClockQuality, parse_rfc3339, rfc3339
from hardware.clock import VirtualClock, system_clock

BRUSSELS = ZoneInfo("Europe/Brussels")


def test_the_machines_clocks_are_read_as_one_moment() -> None:
    read = system_clock(BRUSSELS)
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    up_before = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
    reading = read()
    assert before <= reading.at <= datetime.now(UTC)
    assert up_before <= reading.up_ms <= time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
    assert reading.boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert reading.at.tzinfo is BRUSSELS
    assert parse_rfc3339(rfc3339(reading.at)) == reading.at


def test_time_since_boot_never_runs_backwards() -> None:
    read = system_clock(UTC)
    readings = [read() for _ in range(1000)]
    assert all(a.up_ms <= b.up_ms for a, b in pairwise(readings))


def test_what_is_said_of_the_clock_fits_together() -> None:
    quality = system_clock(UTC)().clock
    assert quality.source in ("ntp", "rtc", "none")
    assert quality.synced is (quality.source == "ntp")
    assert (quality.error_ms is not None) is quality.synced


def test_where_the_kernel_cannot_know_somebodys_word_counts() -> None:
    quality = system_clock(UTC, assured_error_ms=500)().clock
    assert quality.synced
    assert quality.source == "ntp"


def test_a_virtual_clock_goes_through_a_change_of_offset_like_a_real_one() -> None:
    clock = VirtualClock(datetime(2026, 10, 25, 2, 59, 59, tzinfo=BRUSSELS))
    clock.advance(1500)
    assert rfc3339(clock().at) == "2026-10-25T02:00:00.500+01:00"
    assert clock().up_ms == 1500
    clock = VirtualClock(datetime(2026, 3, 29, 1, 59, 59, tzinfo=BRUSSELS))
    clock.advance(1500)
    assert rfc3339(clock().at) == "2026-03-29T03:00:00.500+02:00"


def test_a_virtual_clock_steps_and_reboots() -> None:
    clock = VirtualClock(datetime(1970, 1, 1, tzinfo=UTC), quality=ClockQuality("none", False))
    clock.advance(5000)
    clock.step(datetime(2026, 3, 2, tzinfo=UTC), ClockQuality("ntp", True, 20))
    assert (clock().up_ms, clock().clock.synced) == (5000, True)
    clock.reboot("00000000-0000-4000-8000-000000000002")
    assert (clock().up_ms, clock().boot[-1]) == (0, "2")
