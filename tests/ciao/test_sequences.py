"""Sequences of IN and OUT: breaks, nights, both changes of the hour, and what was forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ciao.registration import Direction
from ciao.sequences import Anomaly, Interval, Missing, Stamp, last_open, pair

BRUSSELS = ZoneInfo("Europe/Brussels")
IN, OUT = Direction.IN, Direction.OUT


def local(*parts: int, fold: int = 0) -> datetime:
    year, month, day, hour, minute = parts
    return datetime(year, month, day, hour, minute, tzinfo=BRUSSELS, fold=fold)


def stamps(*made: tuple[Direction, datetime]) -> list[Stamp]:
    return [Stamp(at, way, ("origin", seq)) for seq, (way, at) in enumerate(made)]


def durations(made: list[Stamp]) -> list[timedelta | None]:
    return [interval.duration for interval in pair(made).intervals]


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def test_a_day_with_a_break_is_two_intervals() -> None:
    """Q15: IN at the start, OUT and IN around the break, OUT at the end."""
    day = stamps(
        (IN, local(2026, 3, 2, 6, 0)),
        (OUT, local(2026, 3, 2, 10, 0)),
        (IN, local(2026, 3, 2, 10, 30)),
        (OUT, local(2026, 3, 2, 14, 0)),
    )
    paired = pair(day)
    assert paired.intervals == (Interval(day[0], day[1]), Interval(day[2], day[3]))
    assert durations(day) == [hours(4), hours(3.5)]
    assert (paired.anomalies, paired.open) == ((), None)


def test_a_night_is_one_interval_and_nothing_is_cut_at_midnight() -> None:
    night = stamps((IN, local(2026, 3, 2, 22, 0)), (OUT, local(2026, 3, 3, 6, 0)))
    assert pair(night).intervals == (Interval(night[0], night[1]),)
    assert durations(night) == [hours(8)]


def test_the_night_of_march_is_an_hour_shorter_than_the_clocks_say() -> None:
    assert durations(stamps((IN, local(2026, 3, 28, 22, 0)), (OUT, local(2026, 3, 29, 6, 0)))) == [
        hours(7)
    ]


def test_the_night_of_october_is_an_hour_longer_than_the_clocks_say() -> None:
    assert durations(
        stamps((IN, local(2026, 10, 24, 22, 0)), (OUT, local(2026, 10, 25, 6, 0)))
    ) == [hours(9)]


def test_a_break_inside_the_repeated_hour_lasts_what_it_lasted() -> None:
    first, second = local(2026, 10, 25, 2, 40), local(2026, 10, 25, 2, 10, fold=1)
    night = stamps(
        (IN, local(2026, 10, 24, 22, 0)),
        (OUT, first),
        (IN, second),
        (OUT, local(2026, 10, 25, 6, 0)),
    )
    assert durations(night) == [hours(4) + timedelta(minutes=40), hours(3) + timedelta(minutes=50)]
    assert pair(night).anomalies == ()


def test_a_second_in_shows_a_forgotten_out_and_invents_none() -> None:
    """Q36: after a forgotten OUT the next IN is simply made."""
    made = stamps(
        (IN, local(2026, 3, 2, 6, 0)),
        (IN, local(2026, 3, 3, 6, 0)),
        (OUT, local(2026, 3, 3, 14, 0)),
    )
    paired = pair(made)
    assert paired.intervals == (Interval(made[1], made[2]),)
    assert paired.anomalies == (Anomaly(Missing.OUT, made[0], made[1]),)
    assert paired.open is None


def test_an_out_without_an_in_shows_a_forgotten_in() -> None:
    made = stamps((OUT, local(2026, 3, 2, 14, 0)), (OUT, local(2026, 3, 2, 14, 1)))
    paired = pair(made)
    assert paired.intervals == ()
    assert paired.anomalies == tuple(Anomaly(Missing.IN, stamp, stamp) for stamp in made)


def test_an_open_in_is_said_but_is_no_anomaly() -> None:
    made = stamps((IN, local(2026, 3, 2, 6, 2)))
    assert pair(made).open == made[0]
    assert pair(made).anomalies == ()
    assert last_open(made) == made[0]
    assert last_open([]) is None
    assert last_open(stamps((IN, local(2026, 3, 2, 6, 0)), (OUT, local(2026, 3, 2, 7, 0)))) is None


def test_order_is_the_sequence_even_where_the_clock_was_set_back() -> None:
    made = stamps((IN, local(2026, 3, 2, 6, 0)), (OUT, local(2026, 3, 2, 5, 0)))
    assert pair(made).intervals == (Interval(made[0], made[1]),)
    assert durations(made) == [None]


def test_a_time_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="without an offset"):
        pair(stamps((IN, datetime(2026, 3, 2, 6, 0))))


directions = st.lists(st.sampled_from(Direction), max_size=30)
moments = st.lists(
    st.datetimes(
        datetime(2026, 1, 1),
        datetime(2027, 1, 1),
        timezones=st.just(BRUSSELS),
        allow_imaginary=False,
    ),
    min_size=30,
    max_size=30,
)


@given(directions, moments)
def test_every_stamp_is_in_exactly_one_place_and_none_is_new(
    ways: list[Direction], times: list[datetime]
) -> None:
    made = stamps(*zip(ways, times, strict=False))
    paired = pair(made)
    halves = [stamp for interval in paired.intervals for stamp in (interval.begin, interval.end)]
    single = [anomaly.stamp for anomaly in paired.anomalies]
    still = [paired.open] if paired.open else []
    seen = sorted(stamp.identity for stamp in halves + single + still)
    assert seen == [stamp.identity for stamp in made]


@given(directions, moments)
def test_pairs_are_an_in_and_the_very_next_stamp(
    ways: list[Direction], times: list[datetime]
) -> None:
    made = stamps(*zip(ways, times, strict=False))
    for interval in pair(made).intervals:
        assert (interval.begin.direction, interval.end.direction) == (IN, OUT)
        assert interval.end.identity[1] == interval.begin.identity[1] + 1


@given(moments)
def test_durations_are_between_instants(times: list[datetime]) -> None:
    ordered = sorted(times, key=lambda at: at.astimezone(UTC))
    ways = [IN, OUT] * (len(ordered) // 2)
    made = stamps(*zip(ways, ordered, strict=True))
    for interval in pair(made).intervals:
        seconds = interval.end.at.timestamp() - interval.begin.at.timestamp()
        assert interval.duration is not None
        assert interval.duration.total_seconds() == pytest.approx(seconds, abs=1e-3)


@given(directions)
def test_what_is_open_is_the_last_in(ways: list[Direction]) -> None:
    made = stamps(*((way, local(2026, 3, 2, 6, 0)) for way in ways))
    expected = made[-1] if ways and ways[-1] is IN else None
    assert last_open(made) == expected
