"""What goes wrong by itself: each fault is a value, put into a world before it runs."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from ciao.reading import ClockQuality
from tests.sim.clocks import LOST, SYNCED
from tests.sim.network import RECONNECT_MS, Weather
from tests.sim.onss import DOWN, Moods
from tests.sim.truth import Wrong

if TYPE_CHECKING:
    from tests.sim.world import World

HOUR_MS = 3_600_000
_FREE_RUNNING = ClockQuality("none", synced=False)


@dataclass(frozen=True, slots=True)
class Setting:
    """One probability (or delay) of the network or of the ONSS, until the faults stop."""

    of: str
    name: str
    value: float

    def put(self, world: World) -> None:
        """Set it."""
        setattr(world.broker.weather if self.of == "network" else world.onss.moods, *self._pair)

    @property
    def _pair(self) -> tuple[str, float]:
        return self.name, int(self.value) if self.name.endswith("_ms_max") else self.value


@dataclass(frozen=True, slots=True)
class Mortality:
    """How likely a host crashes before and after each of its commits."""

    machine: str
    before: float
    after: float

    def put(self, world: World) -> None:
        """Set it."""
        fate = world.machine(self.machine).fate
        fate.before, fate.after = self.before, self.after


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL, or SIGTERM; a restart follows by itself."""

    machine: str
    at_ms: int
    politely: bool

    def put(self, world: World) -> None:
        """Let it happen."""
        machine = world.machine(self.machine)
        world.agenda.at(self.at_ms, machine.leave if self.politely else machine.crash)


@dataclass(frozen=True, slots=True)
class Partition:
    """A host is unplugged for a while."""

    machine: str
    at_ms: int
    length_ms: int

    def put(self, world: World) -> None:
        """Let it happen."""
        world.agenda.at(self.at_ms, lambda: self._cut(world))
        world.agenda.at(self.at_ms + self.length_ms, lambda: self._mend(world))

    def _cut(self, world: World) -> None:
        until_ms = self.at_ms + self.length_ms
        cause = "gateway_down" if self.machine == world.gateway.name else "local_link_down"
        world.truth.wrong.append(Wrong(self.machine, cause, "submit", self.at_ms, until_ms))
        if self.machine in world.terminals:
            world.terminals[self.machine].around.fail("cable")
        world.broker.cut(self.machine)

    def _mend(self, world: World) -> None:
        if self.machine in world.terminals:
            world.terminals[self.machine].around.mend("cable")
        world.broker.mend(self.machine)


@dataclass(frozen=True, slots=True)
class BrokerRestart:
    """The broker is killed; it may have forgotten what it retained."""

    at_ms: int
    forgets: bool

    def put(self, world: World) -> None:
        """Let it happen."""
        world.agenda.at(self.at_ms, lambda: self._restart(world))

    def _restart(self, world: World) -> None:
        until_ms = self.at_ms + RECONNECT_MS
        for terminal in world.terminals:
            wrong = Wrong(terminal, "broker_down", "submit", self.at_ms, until_ms)
            world.truth.wrong.append(wrong)
        world.broker.restart(self.forgets)


@dataclass(frozen=True, slots=True)
class DiskFull:
    """A host's disk has no room for a while."""

    machine: str
    at_ms: int
    length_ms: int

    def put(self, world: World) -> None:
        """Let it happen."""
        fate = world.machine(self.machine).fate
        world.agenda.at(self.at_ms, lambda: setattr(fate, "full", True))
        world.agenda.at(self.at_ms + self.length_ms, lambda: setattr(fate, "full", False))


@dataclass(frozen=True, slots=True)
class Drift:
    """A host's wall clock runs too fast or too slow."""

    machine: str
    ppm: int

    def put(self, world: World) -> None:
        """Set it."""
        world.machine(self.machine).clock.drift_ppm = self.ppm


@dataclass(frozen=True, slots=True)
class ClockStep:
    """A host's wall clock jumps; `synced` says whether it still claims to be right."""

    machine: str
    at_ms: int
    by_ms: int
    synced: bool

    def put(self, world: World) -> None:
        """Let it happen."""
        world.agenda.at(self.at_ms, lambda: self._step(world))

    def _step(self, world: World) -> None:
        clock = world.machine(self.machine).clock
        clock.wrong_by_ms += self.by_ms
        clock.quality = SYNCED if self.synced else _FREE_RUNNING


@dataclass(frozen=True, slots=True)
class LostSync:
    """A host knows for a while that it can't trust its clock; then it is set right."""

    machine: str
    at_ms: int
    length_ms: int

    def put(self, world: World) -> None:
        """Let it happen."""
        clock = world.machine(self.machine).clock
        world.agenda.at(self.at_ms, lambda: setattr(clock, "quality", LOST))
        world.agenda.at(self.at_ms + self.length_ms, clock.put_right)


@dataclass(frozen=True, slots=True)
class OnssDown:
    """The ONSS does not work for a while, in one way."""

    how: str
    at_ms: int
    length_ms: int

    def put(self, world: World) -> None:
        """Let it happen."""
        world.agenda.at(self.at_ms, lambda: setattr(world.onss, "down", self.how))
        world.agenda.at(self.at_ms + self.length_ms, lambda: setattr(world.onss, "down", None))


Fault = Setting | Mortality | Kill | Partition | BrokerRestart | DiskFull | OnssDown
ClockFault = Drift | ClockStep | LostSync

_WEATHER = {
    "lost": (0.0, 0.05, 0.3),
    "repeated": (0.0, 0.1, 0.3),
    "forged": (0.0, 0.0, 0.1),
    "garbled": (0.0, 0.0, 0.05),
    "delay_ms_max": (20, 300, 3_000),
}
_MOODS = {
    "stored_no_answer": (0.0, 0.0, 0.1, 0.4),
    "stored_late": (0.0, 0.0, 0.1, 0.3),
    "not_stored_no_answer": (0.0, 0.0, 0.1, 0.4),
    "not_sent": (0.0, 0.0, 0.2),
    "unavailable": (0.0, 0.0, 0.1, 0.4),
    "too_many": (0.0, 0.0, 0.1),
    "expired_token": (0.0, 0.0, 0.1),
    "broken": (0.0, 0.1),
    "item_refused": (0.0, 0.0, 0.1),
    "call_refused": (0.0, 0.0, 0.1),
    "search_fails": (0.0, 0.3),
}
assert set(_WEATHER) == {field.name for field in fields(Weather)}
assert set(_MOODS) == {field.name for field in fields(Moods)}
_CHANCES = (0.0, 0.0, 0.01, 0.05)


def draw(rng: random.Random, machines: Sequence[str], end_ms: int) -> Iterator[Fault]:
    """Draw the faults of one run."""
    for of, table in (("network", _WEATHER), ("onss", _MOODS)):
        for name, values in table.items():
            value = rng.choice(values)
            if value:
                yield Setting(of, name, value)
    for machine in machines:
        before, after = rng.choice(_CHANCES), rng.choice(_CHANCES)
        if before or after:
            yield Mortality(machine, before, after)
        for _ in range(rng.randint(0, 2)):
            yield Kill(machine, rng.randint(0, end_ms), rng.random() < 0.3)
        for _ in range(rng.choice((0, 0, 1, 2))):
            yield Partition(machine, rng.randint(0, end_ms), rng.randint(1_000, 60_000))
        if rng.random() < 0.25:
            yield DiskFull(machine, rng.randint(0, end_ms), rng.randint(1_000, 90_000))
    if rng.random() < 0.2:
        yield BrokerRestart(rng.randint(0, end_ms), rng.random() < 0.5)


def draw_service(rng: random.Random, end_ms: int) -> Iterator[Fault]:
    """Draw when the ONSS does not work at all; once a run, so that its time is plain."""
    if rng.random() < 0.4:
        length_ms = rng.randint(5_000, 120_000)
        yield OnssDown(rng.choice(sorted(DOWN)), rng.randint(0, end_ms - length_ms), length_ms)


def draw_clocks(rng: random.Random, machines: Sequence[str], end_ms: int) -> Iterator[ClockFault]:
    """Draw what the clocks of one run do; the gateway's is a server's, and never far off."""
    for machine in machines:
        if rng.random() < 0.3:
            yield Drift(machine, rng.randint(-300, 300))
        is_server = machine.startswith("gateway")
        if rng.random() < 0.25:
            # Whoever says that it is synced is never far off.
            synced = is_server or rng.random() < 0.5
            far_ms = (30_000, HOUR_MS, 40 * HOUR_MS, 24 * 365 * HOUR_MS)
            by_ms = rng.choice((1, -1)) * rng.choice((300, 5_000) if synced else far_ms)
            yield ClockStep(machine, rng.randint(0, end_ms), by_ms, synced)
        if rng.random() < 0.15:
            yield LostSync(machine, rng.randint(0, end_ms), rng.randint(1_000, 60_000))
