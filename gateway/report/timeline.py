"""Spans of a period, cut to local days and placed on bars. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ciao.responsibility import Class, Span, totals

# A day, and when it begins and ends, in UTC.
Day = tuple[date, datetime, datetime]

# What stands for a day in a square: the first of these that it has, else what most of it was.
_SERIOUS = (Class.EMPLOYER, Class.UNDETERMINED, Class.THIRD_PARTY, Class.ONSS)


def local_days(begin: datetime, end: datetime, zone: ZoneInfo) -> list[Day]:
    """List the local days that a period touches, from midnight to midnight.

    In UTC, since a day on which the clocks change has 23 or 25 hours.
    """
    found = []
    day = begin.astimezone(zone).date()
    starts = _midnight(day, zone)
    while starts < end:
        following = day + timedelta(days=1)
        ends = _midnight(following, zone)
        found.append((day, starts, ends))
        day, starts = following, ends
    return found


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def by_day(spans: Sequence[Span], days: Iterable[Day]) -> list[list[Span]]:
    """Cut spans, in the order of time, to days, in the order of time."""
    found: list[list[Span]] = []
    number = 0
    for _day, begin, end in days:
        cut = []
        while number < len(spans) and spans[number].end <= begin:
            number += 1
        look = number
        while look < len(spans) and spans[look].begin < end:
            cut.append(_cut(spans[look], begin, end))
            look += 1
        found.append(cut)
    return found


def _cut(span: Span, begin: datetime, end: datetime) -> Span:
    first, last = max(span.begin, begin), min(span.end, end)
    return Span(first, round((last - first).total_seconds() / 60), span.of)


def drawn(spans: Iterable[Span], begin: datetime, end: datetime) -> list[dict[str, Any]]:
    """Place spans on a bar from 0 to 1: neighbours of one class are drawn as one."""
    length = (end - begin).total_seconds()
    drawn: list[dict[str, Any]] = []
    for span in spans:
        first, last = ((at - begin).total_seconds() / length for at in (span.begin, span.end))
        if drawn and drawn[-1]["class"] == span.of.value:
            drawn[-1]["to"] = last
        else:
            drawn.append({"class": span.of.value, "from": first, "to": last})
    return drawn


def worst(spans: Sequence[Span]) -> str:
    """Name the class that stands for a day in a square."""
    counted = totals(spans)
    serious = next((of for of in _SERIOUS if counted[of]), None)
    return (serious or max(counted, key=lambda of: counted[of])).value
