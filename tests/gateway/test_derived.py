"""Taps on an untrusted clock: held, until a later step of that clock says when they were."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ciao import entries
from ciao.entries import Carried
from gateway.events import Tick
from tests.gateway import twins
from tests.gateway.twins import Journal
from tests.gateway.world import TERMINAL, World, morning, retained_receipt

# The clock starts in 1970, say, and is set right 100 s after the boot.
WRONG_S = -56 * 365 * 86_400
OTHER_BOOT = "6a0f2f9e-8d0b-4c59-9a51-3a6c5d0b1e78"
REAL = "2026-03-02T05:00:20.000Z"


def untrusted() -> Journal:
    journal = morning()
    journal.tap(twins.UID_ANN, 20, synced=False, wrong_s=WRONG_S)
    return journal


def test_a_later_step_of_the_clock_releases_a_held_tap_at_its_derived_time(world: World) -> None:
    journal = untrusted()
    world.second = 30
    world.run(journal.message())
    assert world.outcomes() == [(1, "held", "untrusted_clock")]
    journal.clock_step(100, WRONG_S)
    world.second = 101
    world.run(journal.message(2))
    assert world.outcomes()[-1] == (1, "accepted", None)
    assert [row["registrationDate"] for row in world.onss.rows] == [REAL]
    (tap,) = world.taps()
    assert tap.basis == f"{journal.origin}#2"
    assert tap.derived_at == "2026-03-02T06:00:20.000+01:00"
    # What was signed stays as it was, beside it.
    leaf = entries.decode(world.ledger.taps.sealed(tap).leaf)
    assert leaf.at == tap.at and tap.at < "1971"


def test_tap_and_step_in_one_batch_need_no_hold(world: World) -> None:
    journal = untrusted()
    journal.clock_step(100, WRONG_S)
    world.second = 101
    world.run(journal.message())
    assert world.outcomes() == [(1, "accepted", None)]
    assert [row["registrationDate"] for row in world.onss.rows] == [REAL]


def test_a_step_that_came_before_its_carried_tap_counts(world: World) -> None:
    first = untrusted()
    second = Journal(TERMINAL, "0123456789abcdef")
    second.clock_step(100, WRONG_S)
    second.carry(first, 1)
    world.second = 101
    world.run(second.message())
    assert [row["registrationDate"] for row in world.onss.rows] == [REAL]
    assert world.taps()[0].basis == f"{second.origin}#0"


def test_a_carried_step_names_its_first_place(world: World) -> None:
    journal = untrusted()
    common = {**journal.common(100), "carried": Carried("x", 9)}
    after = journal.common(100)["at"]
    journal.add(entries.ClockStep(**common, before=after, after=after))
    world.run(journal.message())
    assert world.taps()[0].basis == "x#9"


@pytest.mark.parametrize("why", ["another boot", "still untrusted", "before the tap", "no time"])
def test_a_step_that_says_nothing_of_the_tap_leaves_it_held(world: World, why: str) -> None:
    journal = untrusted()
    world.second = 30
    world.run(journal.message())
    match why:
        case "another boot":
            journal.clock_step(100, WRONG_S, boot=OTHER_BOOT)
        case "still untrusted":
            journal.clock_step(100, WRONG_S, synced=False)
        case "before the tap":
            journal.clock_step(19, WRONG_S)
        case _:
            journal.add(entries.ClockStep(**journal.common(100), before="x", after="y"))
    world.second = 101
    world.run(journal.message(2))
    assert world.states() == ["held"] and world.onss.calls == 0


def test_another_terminals_step_says_nothing(world: World) -> None:
    world.people.add_terminal("hall-9")
    world.run(untrusted().message())
    other = Journal("hall-9")
    other.clock_step(100, WRONG_S)
    world.run(other.message())
    assert world.states() == ["held"]


def test_the_first_step_after_a_tap_counts_and_is_kept(world: World) -> None:
    journal = untrusted()
    journal.clock_step(200, WRONG_S + 1)
    journal.clock_step(100, WRONG_S)
    world.run(journal.message(0, 3))
    basis = world.taps()[0].basis
    world.run(journal.message(3))
    assert world.taps()[0].basis == basis == f"{journal.origin}#2"


def test_a_derived_time_is_late_by_the_policy(world: World) -> None:
    journal = untrusted()
    world.second = 30 * 3600
    journal.clock_step(world.second - 1, WRONG_S)
    world.run(journal.message())
    assert world.outcomes() == [(1, "held", "late")]


def test_a_badge_is_looked_up_at_the_derived_time(world: World) -> None:
    since = twins.START - timedelta(hours=1)
    world.people.enrol(twins.UID_NEW, twins.Badge("worker-new", twins.BEN, since))
    journal = morning()
    journal.tap(twins.UID_NEW, 20, synced=False, wrong_s=WRONG_S)
    world.run(journal.message())
    assert world.outcomes() == [(1, "held", "untrusted_clock")]
    journal.clock_step(100, WRONG_S)
    world.run(journal.message(2))
    assert [row["registrationDate"] for row in world.onss.rows] == [REAL]


def test_many_held_taps_are_released_in_parts_and_in_order(world: World) -> None:
    journal = Journal(TERMINAL)
    for number in range(100):
        direction = "out" if number % 2 else "in"
        journal.tap(twins.UID_ANN, number, direction, synced=False, wrong_s=WRONG_S)
    world.second = 120
    world.run(journal.message())
    assert set(world.states()) == {"held"}
    journal.clock_step(120, WRONG_S)
    world.restart()
    world.online()
    world.run(journal.message(100))
    dates = [row["registrationDate"] for row in world.onss.rows]
    assert len(dates) == 100 and dates == sorted(dates)


def test_an_untrusted_tap_of_a_restored_ledger_waits_for_its_time_before_it_is_searched(
    world: World,
) -> None:
    """It may be at the ONSS under its derived time; searched by its own it would be missed."""
    journal = untrusted()
    journal.clock_step(100, WRONG_S)
    world.second = 101
    world.run(journal.message())
    (receipt,) = [one for one in world.published if one.topic.endswith("/receipt")]
    (world.path.parent / "again").mkdir()
    restored = World(world.path.parent / "again")
    restored.onss, restored.second = world.onss, 110
    restored.online()
    restored.step(retained_receipt(receipt.payload))
    restored.run(journal.message(0, 2), seconds=1200, every=10)
    assert restored.states() == ["unknown"] and len(world.onss.rows) == 1
    restored.run(journal.message(2), seconds=1200, every=10)
    assert restored.states() == ["accepted"] and len(world.onss.rows) == 1


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00.000+14:00", "9999-12-31T23:59:59.999-14:00"])
@pytest.mark.parametrize(("synced", "reason"), [(True, "absurd_time"), (False, "untrusted_clock")])
def test_a_time_that_can_not_be_reckoned_with_is_held(
    world: World, at: str, synced: bool, reason: str
) -> None:
    journal = morning()
    journal.tap(twins.UID_ANN, 20, at=at, synced=synced)
    world.run(journal.message())
    assert world.outcomes() == [(1, "held", reason)]
    world.run(Tick(), seconds=100)
    assert world.onss.calls == 0
