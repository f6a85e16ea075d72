"""Edge: the machine's clocks, read at once.

`at` and `up_ms` are read together (DESIGN 3.8); how far `at` can be believed is what the
kernel says of it: adjtimex(2), STA_UNSYNC and maxerror, which the NTP client keeps up to date.
"""

from __future__ import annotations

import ctypes
import time
from datetime import datetime, tzinfo
from pathlib import Path

from ciao.reading import ClockQuality, ReadClock, Reading

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# 1: the kernel set the system clock from this RTC at boot.
_RTC_SET_THE_CLOCK = Path("/sys/class/rtc/rtc0/hctosys")
_STA_UNSYNC = 0x0040
_TIME_ERROR = 5
_NS_A_MS = 1_000_000
# Between the two looks at the boottime clock the process may have been put aside.
_APART_MAX_NS = _NS_A_MS
_LOOKS_MAX = 5


class _Timex(ctypes.Structure):
    """struct timex of <sys/timex.h>, 64-bit Linux."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time", ctypes.c_long * 2),
        ("tick", ctypes.c_long),
        ("ppsfreq", ctypes.c_long),
        ("jitter", ctypes.c_long),
        ("shift", ctypes.c_int),
        ("stabil", ctypes.c_long),
        ("jitcnt", ctypes.c_long),
        ("calcnt", ctypes.c_long),
        ("errcnt", ctypes.c_long),
        ("stbcnt", ctypes.c_long),
        ("tai", ctypes.c_int),
        ("padding", ctypes.c_int * 11),
    )


def system_clock(timezone: tzinfo, assured_error_ms: int | None = None) -> ReadClock:
    """Return a function that reads this machine's clocks, in this time zone.

    `assured_error_ms` is for containers and virtual machines whose host keeps the clock
    right where adjtimex can't see it: where the kernel says "not synchronised", somebody's
    configuration says that it is, within so many milliseconds.
    A call takes a few microseconds. Raises OSError where /proc has no boot id.
    """
    boot = _BOOT_ID.read_text(encoding="ascii").strip()
    libc = ctypes.CDLL(None, use_errno=True)
    unsynced = ClockQuality("rtc" if _rtc_set_the_clock() else "none", synced=False)
    if assured_error_ms is not None:
        unsynced = ClockQuality("ntp", synced=True, error_ms=assured_error_ms)

    def read() -> Reading:
        at_ns, up_ns = _read_together()
        at = datetime.fromtimestamp(at_ns // 1_000_000_000, timezone)
        at = at.replace(microsecond=at_ns // _NS_A_MS % 1000 * 1000)
        return Reading(at, boot, up_ns // _NS_A_MS, _quality(libc, unsynced))

    return read


def _read_together() -> tuple[int, int]:
    """Return (wall clock, time since boot), both in ns, of one moment."""
    for _ in range(_LOOKS_MAX):
        before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        at = time.time_ns()
        after = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        if after - before < _APART_MAX_NS:
            break
    return at, (before + after) // 2


def _quality(libc: ctypes.CDLL, unsynced: ClockQuality) -> ClockQuality:
    timex = _Timex()
    state = libc.adjtimex(ctypes.byref(timex))
    if state < 0 or state == _TIME_ERROR or timex.status & _STA_UNSYNC:
        return unsynced
    # maxerror is in µs; a bound is rounded up.
    return ClockQuality("ntp", synced=True, error_ms=-(-timex.maxerror // 1000))


def _rtc_set_the_clock() -> bool:
    try:
        return _RTC_SET_THE_CLOCK.read_text(encoding="ascii").strip() == "1"
    except OSError:
        return False
