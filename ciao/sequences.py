"""A person's stamps at one place, in their order, paired into intervals; what is missing is said.

Pure. The logical sequence counts, not the calendar day (Q33): nothing is cut at midnight, and
durations are between instants, so both changes of the hour come out right. A missing stamp
stays missing: nothing is invented, closed or moved (Q36).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ciao.registration import Direction


@dataclass(frozen=True, slots=True)
class Stamp:
    """One IN or OUT: its instant (aware), and the (origin, seq) that identifies it."""

    at: datetime
    direction: Direction
    identity: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Interval:
    """An IN and the OUT that follows it."""

    begin: Stamp
    end: Stamp

    @property
    def duration(self) -> timedelta | None:
        """How long it lasted; None where the clock was set back in between.

        Through UTC: two local times of one zone are subtracted by the face of the clock.
        """
        lasted = self.end.at.astimezone(UTC) - self.begin.at.astimezone(UTC)
        return lasted if lasted >= timedelta(0) else None


class Missing(enum.StrEnum):
    """What a sequence lacks (Q40)."""

    OUT = "forgotten_out"
    IN = "forgotten_in"


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A stamp whose other half never came; `seen_at` is the stamp that showed it."""

    missing: Missing
    stamp: Stamp
    seen_at: Stamp


@dataclass(frozen=True, slots=True)
class Paired:
    """The intervals, the anomalies, and the last IN where its OUT may still come.

    An open IN is no anomaly by itself: the person may be at work.
    """

    intervals: tuple[Interval, ...]
    anomalies: tuple[Anomaly, ...]
    open: Stamp | None


def pair(stamps: Iterable[Stamp]) -> Paired:
    """Pair one person's stamps, given in sequence order, which is never their times' (DESIGN 3.8).

    A second IN shows that an OUT was forgotten; an OUT without an IN, that an IN was. Every
    stamp is in exactly one of intervals, anomalies and open. Raises ValueError for a naive time.
    """
    intervals: list[Interval] = []
    anomalies: list[Anomaly] = []
    begun: Stamp | None = None
    for stamp in stamps:
        if stamp.at.utcoffset() is None:
            raise ValueError("a stamp without an offset")
        if stamp.direction is Direction.IN:
            if begun is not None:
                anomalies.append(Anomaly(Missing.OUT, begun, stamp))
            begun = stamp
        elif begun is None:
            anomalies.append(Anomaly(Missing.IN, stamp, stamp))
        else:
            intervals.append(Interval(begun, stamp))
            begun = None
    return Paired(tuple(intervals), tuple(anomalies), begun)


def last_open(stamps: Iterable[Stamp]) -> Stamp | None:
    """Return the IN that is open now, to warn of a forgotten OUT ("IN since 06:02")."""
    return pair(stamps).open
