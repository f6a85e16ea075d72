"""The simulation finds nothing in what we ship, and finds what is broken on purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ciao.link import Publish
from ciao.reading import Reading
from gateway.onss import cases
from gateway.onss.cases import Act, Case
from terminal.exchange import Exchange
from tests.sim.__main__ import simulate

SEEDS = range(1, 25)
# A mutant shows in some seeds only.
MUTANT_SEEDS = range(1, 41)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_ends_with_every_shown_stamp_where_it_belongs(seed: int) -> None:
    assert simulate(seed).violations == ()


def test_the_same_seed_gives_the_same_run() -> None:
    assert simulate(7) == simulate(7)


def test_runs_are_worth_something() -> None:
    results = [simulate(seed) for seed in (1, 2, 3)]
    assert sum(result.taps for result in results) > 10
    assert sum(result.crashes for result in results) > 10


def test_settling_what_was_only_sent_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    send = Exchange.send

    def settle_at_once(self: Exchange, now: Reading) -> list[Publish]:
        sent = send(self, now)
        if sent:
            size = self.uplink.sent
            self.journal.settle(self.journal.checkpoint(size), size)
            self.uplink.settle(size)
        return sent

    monkeypatch.setattr(Exchange, "send", settle_at_once)
    assert _caught("without a cosignature")


def test_sending_again_what_may_have_been_stored_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    blind = {
        case: replace(row, act=Act.RETRY) if row.act is Act.UNKNOWN else row
        for case, row in cases.TABLE.items()
    }
    assert blind[Case.ANSWER_LOST].act is Act.RETRY
    for case, row in blind.items():
        monkeypatch.setitem(cases.TABLE, case, row)
    assert _caught("which no tap claims")


def _caught(words: str) -> bool:
    return any(
        words in violation for seed in MUTANT_SEEDS for violation in simulate(seed).violations
    )
