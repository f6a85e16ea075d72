"""Moments as people read them: Belgium's time with its offset, and typed back as it stands."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ciao import moments
from ciao.reading import rfc3339

AFTER_1970 = st.datetimes(datetime(1970, 1, 2), datetime(9998, 12, 31), timezones=st.timezones())


@given(AFTER_1970, st.booleans())
@example(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), False)
@example(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), False)
def test_what_is_shown_can_be_typed_back_and_is_the_same_moment(at: datetime, exact: bool) -> None:
    kept = moments.milliseconds(at) if exact else at.replace(microsecond=0)
    shown = moments.shown(kept.astimezone(UTC), exact=exact)
    # In UTC: of an hour that there is twice, Python holds no two zones' moments to be equal.
    assert moments.moment(shown, moments.BELGIUM).astimezone(UTC) == kept.astimezone(UTC)


def test_the_two_half_past_twos_of_october_differ_in_their_offset() -> None:
    summer, winter = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert moments.shown(summer) == "2026-10-25 02:30:00+02:00"
    assert moments.shown(winter) == "2026-10-25 02:30:00+01:00"


def test_text_and_milliseconds_are_shown_as_the_moment_they_tell() -> None:
    at = datetime(2026, 3, 2, 5, 2, 11, 480_000, tzinfo=UTC)
    ms = round(at.timestamp() * 1000)
    assert moments.shown_text(rfc3339(at)) == moments.shown_ms(ms) == "2026-03-02 06:02:11+01:00"
    lisbon = ZoneInfo("Europe/Lisbon")
    assert moments.shown_text(rfc3339(at), lisbon, exact=True) == "2026-03-02 05:02:11.480+00:00"


@pytest.mark.parametrize("text", ["", "now", "2026-03-02", "2026-03-02T06:02:11.480"])
def test_what_is_no_moment_stays_as_it_is(text: str) -> None:
    assert moments.shown_text(text) == text


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00.000+14:00", "9999-12-31T23:59:59.999-14:00"])
def test_a_moment_at_the_end_of_all_time_stops_no_listing(text: str) -> None:
    assert moments.shown_text(text) == text.replace("T", " ")[:19] + text[-6:]
