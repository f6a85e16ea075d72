"""People: they press, lay a badge down, lift it, and are at one door at a time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ciao.registration import Direction
from hardware.events import CardGone, CardRead, Pressed
from tests.sim.office import EVERYBODY, TERMINALS
from tests.sim.terminal_machine import TerminalMachine
from tests.sim.truth import Press

if TYPE_CHECKING:
    from tests.sim.world import World

TAPS_MAX = 14
# One person is not at two doors within this time, whatever the doors' clocks say.
APART_MS = 12_000


@dataclass(frozen=True, slots=True)
class Tap:
    """One person at one door. Without a press nobody chose, and nothing may be recorded.

    With lanes, the direction says which reader the badge is laid on.
    """

    terminal: str
    ssin: str
    direction: Direction
    laid_ms: int
    pressed_ms: int | None
    lifted_ms: int

    def put(self, world: World) -> None:
        """Let it happen."""
        terminal = world.terminals[self.terminal]
        agenda = world.agenda
        if self.pressed_ms is not None and not terminal.lanes:
            agenda.at(self.pressed_ms, lambda: self._press(world, terminal))
        agenda.at(self.laid_ms, lambda: self._lay(world, terminal))
        agenda.at(self.lifted_ms, lambda: self._lift(terminal))

    def _reader(self, terminal: TerminalMachine) -> str:
        return self.direction.value if terminal.lanes else "main"

    def _press(self, world: World, terminal: TerminalMachine) -> None:
        now = terminal.clock.read()
        lying = terminal.in_field.get("main")
        world.sense(terminal.name, now, lying)
        press = Press(terminal.name, now.boot, now.up_ms, self.direction.value)
        world.truth.presses.append(press)
        terminal.happens(Pressed(self.direction, now))

    def _lay(self, world: World, terminal: TerminalMachine) -> None:
        now = terminal.clock.read()
        reader = self._reader(terminal)
        terminal.in_field[reader] = self.ssin
        world.sense(terminal.name, now, self.ssin)
        uid = bytes.fromhex(EVERYBODY[self.ssin].uid)
        terminal.happens(CardRead(reader, uid, now))

    def _lift(self, terminal: TerminalMachine) -> None:
        reader = self._reader(terminal)
        if terminal.in_field.get(reader) == self.ssin:
            del terminal.in_field[reader]
        terminal.happens(CardGone(reader, bytes.fromhex(EVERYBODY[self.ssin].uid)))


def draw(rng: random.Random, terminals: Sequence[str], end_ms: int) -> Iterator[Tap]:
    """Draw everybody's taps of one run."""
    free_ms = dict.fromkeys(EVERYBODY, 1_000)
    moments = sorted(
        rng.randint(3_000, end_ms) for _ in range(rng.randint(2, TAPS_MAX) * len(terminals) // 2)
    )
    for at_ms in moments:
        able = [ssin for ssin, free in free_ms.items() if free <= at_ms]
        if not able:
            continue
        ssin, terminal = rng.choice(able), rng.choice(terminals)
        free_ms[ssin] = at_ms + APART_MS
        yield _tap(rng, terminal, ssin, at_ms)


def _tap(rng: random.Random, terminal: str, ssin: str, at_ms: int) -> Tap:
    direction = rng.choice(tuple(Direction))
    first_press = rng.random() < 0.7
    pressed_ms = at_ms if first_press else at_ms + rng.randint(200, 900)
    laid_ms = at_ms + rng.randint(100, 800) if first_press else at_ms
    lifted_ms = max(pressed_ms, laid_ms) + rng.randint(300, 2_500)
    chosen = TERMINALS[terminal] == "buttons" and rng.random() < 0.9
    return Tap(terminal, ssin, direction, laid_ms, pressed_ms if chosen else None, lifted_ms)
