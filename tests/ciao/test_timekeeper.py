"""The wall clock was set: said in the journal, once, with both times of one moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ciao import entries
from ciao.reading import ClockQuality
from ciao.timekeeper import Timekeeper
from hardware.clock import VirtualClock
from tests.journal.making import full_disk
from tests.terminal.world import ANNA, IN, ZONE, World, bound_world

NTP = ClockQuality("ntp", synced=True, error_ms=10)
NONE = ClockQuality("none", synced=False)


def steps_in(world: World) -> list[tuple[str, str]]:
    found = [entry for entry in world.entries() if isinstance(entry, entries.ClockStep)]
    return [(entry.before, entry.after) for entry in found]


def a_clock(quality: ClockQuality = NTP) -> VirtualClock:
    return VirtualClock(datetime(2026, 3, 2, 6, 2, tzinfo=ZONE), quality=quality)


@pytest.mark.parametrize(("ms", "told"), [(0, False), (99, False), (-99, False), (150, True),
                                          (-150, True), (86_400_000, True)])  # fmt: skip
def test_what_jumps_further_than_a_clock_is_pulled_is_a_step(ms: int, told: bool) -> None:
    clock, keeper = a_clock(), Timekeeper()
    keeper.went_on(clock())
    clock.advance(200)
    expected = clock.at
    clock.step(clock.at + timedelta(milliseconds=ms))
    step = keeper.look(clock())
    assert (step is not None) is told
    if step is not None:
        assert (step.before, step.after) == (expected, clock.at)


def test_a_clock_that_is_pulled_along_for_hours_is_not_set() -> None:
    clock, keeper = a_clock(), Timekeeper()
    for _ in range(1000):
        keeper.went_on(clock())
        clock.advance(60_000)
        clock.step(clock.at + timedelta(milliseconds=25))
        assert keeper.look(clock()) is None


@pytest.mark.parametrize(
    "before", [datetime(2026, 3, 29, 1, 59, 59), datetime(2026, 10, 25, 2, 59, 59)]
)
def test_the_changes_to_and_from_summer_time_are_none(before: datetime) -> None:
    clock, keeper = VirtualClock(before.replace(tzinfo=ZONE)), Timekeeper()
    offset = clock.at.utcoffset()
    for _ in range(20):
        keeper.went_on(clock())
        clock.advance(200)
        assert keeper.look(clock()) is None
    assert clock.at.utcoffset() != offset


def test_another_boot_is_not_compared() -> None:
    clock, keeper = a_clock(), Timekeeper()
    keeper.went_on(clock())
    clock.reboot("00000000-0000-4000-8000-000000000002")
    clock.step(clock.at + timedelta(days=300))
    assert keeper.look(clock()) is None


def test_becoming_synchronised_is_told_also_where_the_clock_was_right() -> None:
    """Else a tap before it would wait for a time that can be derived from nothing."""
    clock, keeper = a_clock(NONE), Timekeeper()
    keeper.went_on(clock())
    clock.advance(200)
    clock.step(clock.at, NTP)
    step = keeper.look(clock())
    assert step is not None and step.before == step.after


def test_a_step_is_journalled_before_what_comes_after_it_and_alters_nothing(
    tmp_path: Path,
) -> None:
    world = bound_world(tmp_path / "state")
    world.clock.step(datetime(2000, 1, 1, 0, 0, tzinfo=ZONE), NONE)
    world.do()
    world.stamp(ANNA, IN)
    world.clock.step(datetime(2026, 3, 2, 6, 3, tzinfo=ZONE), replace(NTP))
    world.do()
    world.wait(1_000)
    assert steps_in(world) == [
        ("2026-03-02T06:02:00.000+01:00", "2000-01-01T00:00:00.000+01:00"),
        ("2000-01-01T00:00:10.200+01:00", "2026-03-02T06:03:00.000+01:00"),
    ]
    (tap,) = [entry for entry in world.entries() if isinstance(entry, entries.Tap)]
    assert tap.at.startswith("2000-01-01") and not tap.clock.synced


def test_a_step_while_the_program_was_down_is_seen_in_the_same_boot(tmp_path: Path) -> None:
    world = bound_world(tmp_path / "state")
    world.stamp(ANNA, IN)
    world.power_cut()
    world.clock.advance(5_000)
    world.clock.step(world.clock.at + timedelta(hours=1))
    world.power_on()
    assert len(steps_in(world)) == 1


def test_a_step_that_the_disk_refused_is_said_when_it_can_be(tmp_path: Path) -> None:
    world = bound_world(tmp_path / "state")
    with full_disk():
        world.clock.step(world.clock.at + timedelta(hours=1))
        world.wait(1_000)
    world.wait(400)
    ((before, after),) = steps_in(world)
    moments = [datetime.fromisoformat(text) for text in (before, after)]
    assert moments[1] - moments[0] == timedelta(hours=1)
