"""A host's clocks over virtual time: a wall clock that may be wrong, and the time since boot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ciao.reading import ClockQuality, Reading
from tests.sim.agenda import Agenda

ZONE = ZoneInfo("Europe/Brussels")
# An hour before the clocks go back: a run crosses the change.
BEGIN = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


class HostClock:
    """One host's view of the time."""

    def __init__(self, agenda: Agenda, boot: str) -> None:
        self._agenda = agenda
        self._booted_ms = agenda.now_ms
        self.boot = boot
        self.wrong_by_ms = 0
        self.quality = ClockQuality("ntp", synced=True, error_ms=20)

    def reboot(self, boot: str) -> None:
        """A new boot: the time since boot begins again."""
        self.boot, self._booted_ms = boot, self._agenda.now_ms

    def read(self) -> Reading:
        """Look at every clock at once."""
        passed = timedelta(milliseconds=self._agenda.now_ms + self.wrong_by_ms)
        up_ms = self._agenda.now_ms - self._booted_ms
        return Reading((BEGIN + passed).astimezone(ZONE), self.boot, up_ms, self.quality)
