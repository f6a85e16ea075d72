"""What fails around terminals: cable, router, line, names, portal, broker, power, as values.

Each notes in the truth what was wrong, for whom, and the cause that `docs/protocol/causes.md` has
for it: by hand, since the product's table is what is tested.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.sim.truth import Wrong

if TYPE_CHECKING:
    from tests.sim.world import World

# What is broken, and whose doing the terminal is to call it.
PARTS = {
    "cable": "local_link_down",
    "router": "lan_router_down",
    "line": "isp_upstream",
    "portal": "captive_portal",
    "dns": "dns_isp",
}


@dataclass(frozen=True, slots=True)
class Broken:
    """A part of what is around one terminal fails for a while, and its session with it."""

    terminal: str
    part: str
    at_ms: int
    length_ms: int

    def put(self, world: World) -> None:
        """Let it happen."""
        world.agenda.at(self.at_ms, lambda: self._fail(world))
        world.agenda.at(self.at_ms + self.length_ms, lambda: self._mend(world))

    def _fail(self, world: World) -> None:
        until_ms = self.at_ms + self.length_ms
        wrong = Wrong(self.terminal, PARTS[self.part], "submit", self.at_ms, until_ms)
        world.truth.wrong.append(wrong)
        world.terminals[self.terminal].around.fail(self.part)
        world.broker.cut(self.terminal)

    def _mend(self, world: World) -> None:
        world.terminals[self.terminal].around.mend(self.part)
        world.broker.mend(self.terminal)


@dataclass(frozen=True, slots=True)
class BrokerStopped:
    """Nobody can reach the broker for a while, though the line works."""

    at_ms: int
    length_ms: int

    def put(self, world: World) -> None:
        """Let it happen."""
        world.agenda.at(self.at_ms, lambda: self._stop(world))
        world.agenda.at(self.at_ms + self.length_ms, world.broker.go_on)

    def _stop(self, world: World) -> None:
        for terminal in world.terminals:
            until_ms = self.at_ms + self.length_ms
            wrong = Wrong(terminal, "broker_down", "submit", self.at_ms, until_ms)
            world.truth.wrong.append(wrong)
        world.broker.stop()


@dataclass(frozen=True, slots=True)
class PowerCut:
    """A terminal has no power for a while; nothing tells it why."""

    terminal: str
    at_ms: int
    length_ms: int

    def put(self, world: World) -> None:
        """Let it happen."""
        machine = world.terminals[self.terminal]
        world.agenda.at(self.at_ms, lambda: self._cut(world))
        world.agenda.at(self.at_ms + self.length_ms, machine.power_back)

    def _cut(self, world: World) -> None:
        until_ms = self.at_ms + self.length_ms
        cause = "power_loss_unexplained"
        world.truth.wrong.append(Wrong(self.terminal, cause, "register", self.at_ms, until_ms))
        world.terminals[self.terminal].lose_power()


Surrounding = Broken | BrokerStopped | PowerCut


def draw(rng: random.Random, terminals: Sequence[str], end_ms: int) -> Iterator[Surrounding]:
    """Draw what fails in half of the runs: few things, and long enough to be told apart."""
    if rng.random() < 0.5:
        return
    for terminal in terminals:
        if rng.random() < 0.5:
            yield from _around(rng, terminal, end_ms)
        if rng.random() < 0.2:
            length_ms = rng.randint(8_000, 40_000)
            yield PowerCut(terminal, rng.randint(0, end_ms - length_ms), length_ms)
    if rng.random() < 0.3:
        length_ms = rng.randint(20_000, 60_000)
        yield BrokerStopped(rng.randint(0, end_ms - length_ms), length_ms)


def _around(rng: random.Random, terminal: str, end_ms: int) -> Iterator[Broken]:
    """One part fails once, for long; or again and again, for moments."""
    part = rng.choice(sorted(PARTS))
    if rng.random() < 0.6:
        length_ms = rng.randint(20_000, 70_000)
        yield Broken(terminal, part, rng.randint(0, end_ms - length_ms), length_ms)
        return
    at_ms = rng.randint(0, end_ms - 80_000)
    for _ in range(rng.randint(3, 5)):
        length_ms = rng.randint(7_000, 10_000)
        yield Broken(terminal, part, at_ms, length_ms)
        at_ms += length_ms + rng.randint(1_000, 5_000)
