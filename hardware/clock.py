"""The machine's clock (`ciao.clock`), and its twin that moves only when it is told to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ciao.clock import system_clock
from ciao.reading import ClockQuality, Reading

__all__ = ["VirtualClock", "system_clock"]


@dataclass(slots=True)
class VirtualClock:
    """A clock for tests and the simulation: `clock()` reads it, nothing else moves it."""

    at: datetime
    boot: str = "00000000-0000-4000-8000-000000000001"
    up_ms: int = 0
    quality: ClockQuality = field(
        default_factory=lambda: ClockQuality("ntp", synced=True, error_ms=10)
    )

    def __call__(self) -> Reading:
        """Read it."""
        return Reading(self.at, self.boot, self.up_ms, self.quality)

    def advance(self, ms: int) -> None:
        """Let time pass, also across a change of the local offset."""
        self.up_ms += ms
        utc_offset = self.at.utcoffset() or timedelta()
        moved = (self.at - utc_offset).replace(tzinfo=None) + timedelta(milliseconds=ms)
        zone = self.at.tzinfo
        self.at = (
            moved.replace(tzinfo=zone) if zone is None else zone.fromutc(moved.replace(tzinfo=zone))
        )

    def step(self, at: datetime, quality: ClockQuality | None = None) -> None:
        """Set the wall clock as an NTP client does: time since boot goes on."""
        self.at = at
        self.quality = quality or replace(self.quality)

    def reboot(self, boot: str) -> None:
        """Begin a new boot: time since boot starts again at 0."""
        self.boot, self.up_ms = boot, 0
