"""A gateway killed between any two steps ends as one that was never killed: all of them tried.

The faults here belong to a stamp, not to a moment: so the same happens to it, killed or not.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from gateway.events import Consult, Submit
from gateway.forwarding.submitting import Limits
from tests.forwarding.checks import judge, look
from tests.forwarding.machine import memory
from tests.forwarding.world import PEOPLE, TERMINALS, World, uid

SSINS = sorted(PEOPLE)
NOBODYS = "00000000797"
# What happens to the first calls that bring a person's IN to the service, one after the other.
FATES: dict[str, list[dict[str, Any]]] = {
    SSINS[0]: [],
    SSINS[1]: [{"fault": "drop_after_storing"}],
    SSINS[2]: [{"fault": "503", "seconds": 1}, {"fault": "429", "seconds": 2}],
    SSINS[3]: [{"fault": "500", "stored": True}],
    SSINS[4]: [
        {"fault": "401"},
        {"fault": "drop_before"},
        {"fault": "malformed", "stored": True},
    ],
    SSINS[5]: [],
}
# Whom the ONSS does not know.
UNKNOWN_THERE = SSINS[5]
CALLS_A_STEP = 2
OUT_AFTER_S = 1000


class Story:
    """One short morning, in which the gateway is killed at some moments, by their numbers."""

    def __init__(self, kills: frozenset[int]) -> None:
        self._kills = kills
        self._moment = count()
        self._taps = count(1)
        self._arrivals: dict[str, int] = defaultdict(int)
        self.world = World(memory(), Limits(CALLS_A_STEP, ahead_max=1))
        self.world.peer.refuse([UNKNOWN_THERE])

    def play(self) -> tuple[list[Any], list[Any], int]:
        """Return how each tap ended, what is registered, and how many moments there were."""
        try:
            for place, terminal in enumerate(TERMINALS):
                for ssin in [*SSINS[place::2], NOBODYS]:
                    self._tap(terminal, ssin, "in")
                self.world.bring(terminal)
                self._perhaps_die()
            self._work()
            for terminal in TERMINALS:
                self._tap(terminal, SSINS[TERMINALS.index(terminal)], "out")
                self.world.bring(terminal)
                self._perhaps_die()
            self._work()
            rested = self.world.come_to_rest([UNKNOWN_THERE])
            seen = look(self.world, rested)
            judge(seen)
        finally:
            self.world.close()
        taps = [(tap.terminal, tap.seq, tap.direction, tap.state, tap.reason) for tap in seen.taps]
        rows = [
            (row["ssin"], row["item"]["registrationDate"], row["type"])
            for row in seen.stored.values()
        ]
        return sorted(taps), sorted(rows), next(self._moment)

    def _tap(self, terminal: str, ssin: str, direction: str) -> None:
        """Always at the same second, however long starts have taken."""
        number = next(self._taps)
        at_s = 10.0 * number + (0 if direction == "in" else OUT_AFTER_S)
        assert at_s >= self.world.second
        self.world.pass_time(at_s - self.world.second)
        self.world.journals[terminal].tap(uid(ssin), at_s, direction)

    def _work(self) -> None:
        """Some seconds: each call, each answer and each tick is a step of its own."""
        for _ in range(6):
            for call in self._calls():
                self._fate(call)
                self.world.make(call)
                self._perhaps_die()
                self.world.hear()
                self._perhaps_die()
            self.world.tick(20)
            self._perhaps_die()

    def _calls(self) -> Iterator[Submit | Consult]:
        """Whatever is begun just now; a start forgets what was begun before it."""
        for _ in range(CALLS_A_STEP + 1):
            if self.world.calls:
                yield self.world.calls.pop(0)

    def _fate(self, call: Submit | Consult) -> None:
        """Let happen to this stamp what is to happen to it, at its so-manieth arrival."""
        if not isinstance(call, Submit):
            return
        (item,) = call.items
        key = json.dumps(item, sort_keys=True)
        fates = FATES[item["ssin"]] if item["type"] == "in" else []
        if self._arrivals[key] < len(fates):
            fate = fates[self._arrivals[key]]
            self.world.peer.fault({"on": "register", "count": 1, "seconds": 0, **fate})
        self._arrivals[key] += 1

    def _perhaps_die(self) -> None:
        if next(self._moment) in self._kills:
            self.world.kill()


@pytest.fixture(scope="module")
def unharmed() -> tuple[list[Any], list[Any], int]:
    return Story(frozenset()).play()


def test_the_morning_has_stamps_that_end_in_every_way(
    unharmed: tuple[list[Any], list[Any], int],
) -> None:
    taps, registered, moments = unharmed
    assert {state for *_, state, _ in taps} == {"accepted", "rejected", "unresolved"}
    assert len(registered) == 7
    assert moments > 30


def test_killed_between_any_two_steps_it_ends_the_same(
    unharmed: tuple[list[Any], list[Any], int],
) -> None:
    *ended, moments = unharmed
    for moment in range(moments):
        assert list(Story(frozenset({moment})).play()[:2]) == ended, f"killed at {moment}"


def test_killed_again_and_again_it_ends_the_same(
    unharmed: tuple[list[Any], list[Any], int],
) -> None:
    *ended, moments = unharmed
    for every in (1, 2, 3, 5, 7):
        kills = frozenset(range(0, 20 * moments, every))
        assert list(Story(kills).play()[:2]) == ended, f"killed at each {every}th"
