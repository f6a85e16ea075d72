"""Derived times: what a stamp on an untrusted clock says once that clock was set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ciao import entries
from ciao.derived import Step, step_of
from ciao.entries import ClockStep
from ciao.reading import ClockQuality, Reading, rfc3339

BOOT = "6a0f2f9e-8d0b-4c59-9a51-3a6c5d0b1e77"
OTHER = "6a0f2f9e-8d0b-4c59-9a51-3a6c5d0b1e78"
SET = datetime(2026, 3, 2, 6, 0, tzinfo=timezone(timedelta(hours=1)))


def stepped(synced: bool = True, **changes: Any) -> ClockStep:
    reading = Reading(SET, BOOT, 50_000, ClockQuality("ntp" if synced else "none", synced))
    values = {"before": "1970-01-01T00:00:50.000+00:00", "after": rfc3339(SET), **changes}
    return ClockStep(**entries.common(reading, 7), **values)


def test_a_step_is_the_trusted_time_at_its_moment() -> None:
    assert step_of(stepped()) == Step(BOOT, 50_000, SET)


def test_a_step_to_an_untrusted_clock_says_nothing() -> None:
    assert step_of(stepped(synced=False)) is None


@pytest.mark.parametrize("after", ["yesterday", "2026-03-02T06:00:00Z", ""])
def test_a_step_to_what_is_no_time_says_nothing(after: str) -> None:
    assert step_of(stepped(after=after)) is None


@given(st.integers(0, 50_000))
def test_what_came_before_is_as_much_earlier_as_the_boot_was_younger(up_ms: int) -> None:
    derived = Step(BOOT, 50_000, SET).derive(BOOT, up_ms)
    assert derived is not None
    assert SET - derived == timedelta(milliseconds=50_000 - up_ms)


def test_another_boot_and_what_came_later_get_none() -> None:
    step = Step(BOOT, 50_000, SET)
    assert step.derive(OTHER, 10) is None and step.derive(BOOT, 50_001) is None


def test_a_time_before_the_calendar_is_none() -> None:
    early = Step(BOOT, 2**53 - 1, datetime(1, 1, 1, tzinfo=UTC))
    assert early.derive(BOOT, 0) is None
