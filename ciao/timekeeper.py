"""Was the wall clock set? Two readings of one boot say so; pure (DESIGN 3.8).

A clock that is only pulled along (at most 500 ppm: adjtimex) is not set. One that becomes
synchronised is told even where it jumped by nothing: from then on earlier times can be derived.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ciao.reading import Reading

STEP = timedelta(milliseconds=100)
PULLED_PPM = 500


@dataclass(frozen=True, slots=True)
class Step:
    """What the clock would have shown at this moment, and what it shows."""

    before: datetime
    after: datetime


@dataclass(slots=True)
class Timekeeper:
    """Remembers the reading before. `went_on` is called once a step has been told."""

    _last: Reading | None = None

    def look(self, now: Reading) -> Step | None:
        """Say whether the clock was set since the reading before, in this boot."""
        last = self._last
        if last is None or last.boot != now.boot:
            return None
        elapsed = timedelta(milliseconds=now.up_ms - last.up_ms)
        expected = last.at.astimezone(UTC) + elapsed
        apart = abs(now.at.astimezone(UTC) - expected)
        synced = now.clock.synced and not last.clock.synced
        if not synced and apart <= STEP + abs(elapsed) * PULLED_PPM / 1_000_000:
            return None
        return Step(expected.astimezone(now.at.tzinfo), now.at)

    def went_on(self, now: Reading) -> None:
        """From here on the clock is compared with this reading."""
        self._last = now
