"""Derived times: what a stamp on an untrusted clock says once the clock was set (DESIGN 3.8). Pure.

The time since boot runs through a step of the wall clock. So a later `clock_step` of the same boot,
which names a trusted time at one `up_ms`, tells when everything before it really was. The leaf
stays as it was written; what is derived lies beside it, with its basis.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ciao.entries import ClockStep, Entry
from ciao.reading import parse_rfc3339, rfc3339


@dataclass(frozen=True, slots=True)
class Step:
    """A wall clock that was set right: the trusted time at one `up_ms` of a boot."""

    boot: str
    up_ms: int
    at: datetime

    def derive(self, boot: str, up_ms: int) -> datetime | None:
        """Return when `up_ms` of a boot was; None in another boot, and for what came later.

        Later, the clock itself said so, or nothing can.
        """
        if boot != self.boot or up_ms > self.up_ms:
            return None
        try:
            return self.at - timedelta(milliseconds=self.up_ms - up_ms)
        except OverflowError:
            return None


def step_of(entry: ClockStep) -> Step | None:
    """Read a `clock_step`; None where the clock was not trusted after it either, or is absurd."""
    if not entry.clock.synced:
        return None
    try:
        return Step(entry.boot, entry.up_ms, parse_rfc3339(entry.after))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Interval:
    """Between what moments an entry of a boot whose clock never was right was made; RFC 3339.

    For a person: nothing is submitted by it. `after` is None where no trusted time came before.
    """

    after: str | None
    before: str

    @classmethod
    def of(cls, last_synced: Entry | None, received_ms: int) -> Interval:
        """Take the last entry before of a trusted time, and when this one was first received."""
        received = datetime.fromtimestamp(received_ms // 1000, UTC)
        before = rfc3339(received.replace(microsecond=received_ms % 1000 * 1000))
        return cls(last_synced.at if last_synced is not None else None, before)
