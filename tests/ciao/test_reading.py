"""Moments, written and read: RFC 3339 with an offset and milliseconds, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from ciao.reading import parse_rfc3339, rfc3339
from tests.ciao import strategies


def test_local_time_keeps_its_own_offset() -> None:
    brussels = ZoneInfo("Europe/Brussels")
    assert rfc3339(datetime(2026, 1, 5, 6, 2, tzinfo=brussels)) == "2026-01-05T06:02:00.000+01:00"
    assert rfc3339(datetime(2026, 7, 5, 6, 2, tzinfo=brussels)) == "2026-07-05T06:02:00.000+02:00"


def test_the_repeated_hour_of_october_is_told_apart() -> None:
    brussels = ZoneInfo("Europe/Brussels")
    first = datetime(2026, 10, 25, 2, 30, tzinfo=brussels)
    assert rfc3339(first) == "2026-10-25T02:30:00.000+02:00"
    assert rfc3339(first.replace(fold=1)) == "2026-10-25T02:30:00.000+01:00"


@given(strategies.moments)
def test_reads_back_what_it_writes_to_the_millisecond(moment: datetime) -> None:
    back = parse_rfc3339(rfc3339(moment))
    assert back.utcoffset() == moment.utcoffset()
    assert timedelta(0) <= moment - back < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-05",
        "2026-01-05T06:02:00.000",
        "2026-01-05T06:02:00.000Z",
        "2026-01-05T06:02:00+01:00",
        "2026-01-05T06:02:00.000000+01:00",
        "2026-01-05T06:02:00.0+01:00",
        "2026-01-05 06:02:00.000+01:00",
        "20260105T060200.000+0100",
        "2026-01-05T06:02:00.000+01:00:30",
        "2026-01-05T06:02:00.000+01",
        "2026-01-05T24:00:00.000+01:00",
        "2026-02-30T06:02:00.000+01:00",
        "2026-01-05T06:02:00.000+01:00\n",
    ],
)
def test_any_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_rfc3339(text)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="without an offset"):
        rfc3339(datetime(2026, 1, 5))


def test_an_offset_with_seconds_is_refused_since_rfc_3339_has_none() -> None:
    with pytest.raises(ValueError, match="whole minutes"):
        rfc3339(datetime(1890, 1, 1, tzinfo=timezone(timedelta(minutes=17, seconds=30))))
