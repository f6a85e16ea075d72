"""What is deleted while clocks are wrong: nothing that is not over by all that is known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ciao import entries
from ciao.reading import ClockQuality
from gateway.events import Announce, Tick
from gateway.retention import rules
from tests.gateway.test_retention import DAY_S, YEARS_5, Keeper, stamped
from tests.gateway.twins import KEY_ID, UID_ANN, UID_BEN, Journal
from tests.gateway.world import TERMINAL, morning


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    keeper = Keeper(tmp_path)
    yield keeper
    keeper.close()


def test_nothing_goes_by_a_clock_that_cannot_be_believed(keeper: Keeper) -> None:
    stamped(keeper)
    keeper.world.second += 2 * YEARS_5 * DAY_S
    now = keeper.now
    wrong = type(now)(now.at, now.boot, now.up_ms, ClockQuality("rtc", False))
    effects = keeper.world.gateway.step(wrong, [Tick()])
    assert not any(isinstance(one, Announce) for one in effects)
    assert keeper.payloads() == [1, 2]


def test_a_clock_that_goes_forward_by_years_and_back_deletes_nothing(keeper: Keeper) -> None:
    """It says that it is synchronised; in a week somebody will have seen what it does."""
    patient(keeper)
    stamped(keeper)
    second = keeper.world.second
    for ahead in (YEARS_5, 2 * YEARS_5, 0):
        keeper.world.second = second + ahead * DAY_S
        keeper.kill()
        for _ in range(6):
            keeper.wait(1)
    assert keeper.payloads() == [1, 2] and keeper.said() == []


def test_after_years_off_or_on_first_use_a_week_is_waited_and_then_all_goes(
    keeper: Keeper,
) -> None:
    patient(keeper)
    journal = stamped(keeper)
    keeper.wait(YEARS_5)
    assert keeper.payloads() == [1, 2]
    keeper.kill()
    for _ in range(8):
        keeper.wait(1)
    assert keeper.said() == [(journal.origin, 1, 2, "retention")]


def patient(keeper: Keeper) -> None:
    """As a gateway is made: a clock that leapt is believed after a week."""
    keeper.world.settings = replace(keeper.world.settings, retention=rules.DEFAULTS)
    keeper.kill()


def test_what_was_cosigned_by_a_clock_years_behind_is_kept_for_its_whole_time(
    keeper: Keeper,
) -> None:
    """A battery that is empty, and a batch that comes before the time does."""
    right = keeper.world.second
    keeper.world.second = right - 16 * 365 * DAY_S
    journal = morning([(UID_ANN, 1, "in")])
    sealed = b"sealed" * 10
    named = hashlib.sha256(sealed).hexdigest()
    refused = {**journal.common(2), "payload": named, "opening": "00" * 32, "key": KEY_ID}
    journal.add(entries.Refused(**refused, reason="repeat"), sealed)
    keeper.world.run(journal.message(), seconds=5)
    keeper.world.second = right
    second = Journal(TERMINAL, "0000000000000002")
    second.segment(60)
    keeper.world.run(second.message(), seconds=5)
    keeper.wait(400)
    assert keeper.payloads() == [1, 2] and keeper.said() == []
    keeper.wait(YEARS_5 - 400)
    assert keeper.payloads() == []


def test_what_was_cosigned_by_a_clock_years_ahead_is_not_kept_until_then(keeper: Keeper) -> None:
    journal = morning([(UID_ANN, 1, "in"), (UID_BEN, 2, "in")])
    keeper.world.second += 70 * 365 * DAY_S
    for until in (1, 2, 3):
        keeper.world.run(journal.message(0, until), seconds=5)
    keeper.world.second = 60
    keeper.kill()
    journal.heartbeat(60)
    keeper.world.run(journal.message(), seconds=5)
    with keeper.world.ledger.transaction():
        for tap in keeper.world.taps():
            if tap.state not in rules.CLOSED:
                keeper.world.ledger.care.decide("abandon", [str(tap.id)], "nobody's", 0)
    keeper.wait(YEARS_5 + 1)
    keeper.wait(32)
    assert keeper.payloads() == []
