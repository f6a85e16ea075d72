"""A host's clocks over virtual time: a wall clock that may be wrong, and the time since boot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ciao.reading import ClockQuality, Reading
from tests.sim.agenda import Agenda

ZONE = ZoneInfo("Europe/Brussels")
# Two minutes before the clocks go back: a run crosses the change while people tap.
BEGIN = datetime(2026, 10, 25, 0, 58, tzinfo=UTC)
SYNCED = ClockQuality("ntp", synced=True, error_ms=20)
LOST = ClockQuality("rtc", synced=False)


class HostClock:
    """One host's view of the time."""

    def __init__(self, agenda: Agenda, boot: str) -> None:
        self._agenda = agenda
        self._booted_ms = agenda.now_ms
        self.boot = boot
        # Each boot's beginning, in true ms since the run began.
        self.boots = {boot: agenda.now_ms}
        self.wrong_by_ms = 0
        self.drift_ppm = 0
        self.quality = SYNCED

    def reboot(self, boot: str) -> None:
        """A new boot: the time since boot begins again."""
        self.boot, self._booted_ms = boot, self._agenda.now_ms
        self.boots[boot] = self._booted_ms

    def put_right(self) -> None:
        """The faults stop."""
        self.wrong_by_ms = self.drift_ppm = 0
        self.quality = SYNCED

    def read(self) -> Reading:
        """Look at every clock at once."""
        now_ms = self._agenda.now_ms
        wrong_ms = self.wrong_by_ms + now_ms * self.drift_ppm // 1_000_000
        wall = (BEGIN + timedelta(milliseconds=now_ms + wrong_ms)).astimezone(ZONE)
        return Reading(wall, self.boot, now_ms - self._booted_ms, self.quality)
