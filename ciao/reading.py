"""One look at every clock at once: what a moment is made of on a terminal.

`at` and `up_ms` belong together and are never rewritten (DESIGN 3.8).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal


@dataclass(frozen=True, slots=True)
class ClockQuality:
    """How far the wall clock can be believed.

    `source` is `ntp`, `rtc` or `none`; `error_ms` is the error bound, absent when unknown.
    """

    source: Literal["ntp", "rtc", "none"]
    synced: bool
    error_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A moment: local time with its offset, boot id, milliseconds since boot, clock quality."""

    at: datetime
    boot: str
    up_ms: int
    clock: ClockQuality


# The one spelling `rfc3339` has; `fromisoformat` holds each number to its range.
_WRITTEN = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{3}"
    r"(?:\+|-(?!00:00))[0-9]{2}:[0-5][0-9]"
)

ReadClock = Callable[[], Reading]


def rfc3339(moment: datetime) -> str:
    """Write an aware moment as RFC 3339 with milliseconds and a numeric offset.

    An offset of zero is written `+00:00`. Raises ValueError for a naive moment, and for an offset
    that RFC 3339 can't write, which has whole minutes only.
    """
    offset = moment.utcoffset()
    if offset is None or offset % timedelta(minutes=1):
        raise ValueError("a moment without an offset of whole minutes")
    return moment.isoformat(timespec="milliseconds")


def parse_rfc3339(text: str) -> datetime:
    """Read back exactly what `rfc3339` writes; raise ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    if _WRITTEN.fullmatch(text) is None:
        raise ValueError(f"not RFC 3339 with milliseconds and an offset: {text!r}")
    return moment
