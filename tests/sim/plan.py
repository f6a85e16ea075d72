"""Everything that happens in a run, as a value drawn from its seed: what a failure shrinks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.sim import faults, operators, people, registrar, rolling, surroundings
from tests.sim.faults import ClockFault, Fault
from tests.sim.office import GATEWAY, TERMINALS
from tests.sim.operators import Deed
from tests.sim.people import Tap
from tests.sim.registrar import Enrol, RegistryDeed
from tests.sim.rolling import Roll
from tests.sim.surroundings import Surrounding

FAULTS_MS = 240_000
GATEWAY_MACHINE = f"gateway-{GATEWAY}"

Item = Tap | Fault | ClockFault | Deed | RegistryDeed | Surrounding | Roll


@dataclass(frozen=True, slots=True)
class Plan:
    """One run. Each part of it draws by a name of its own, so that a smaller plan stays alike."""

    seed: int
    terminals: tuple[str, ...]
    items_a_call: int
    items: tuple[Item, ...]

    def rng(self, purpose: str) -> random.Random:
        """Return the randomness of one purpose."""
        return random.Random(f"{self.seed} {purpose}")


def draw(seed: int) -> Plan:
    """Draw the plan of a seed."""
    rng = random.Random(seed)
    terminals = tuple(TERMINALS)[: rng.choice((2, 2, 3, 4))]
    items_a_call = rng.choice((1, 1, 3))
    items = (*_items(rng, terminals), *_registry(seed, terminals), *_service(seed), *_keys(seed))
    around = surroundings.draw(random.Random(f"{seed} surroundings"), terminals, FAULTS_MS)
    return Plan(seed, terminals, items_a_call, (*items, *around))


def _registry(seed: int, terminals: tuple[str, ...]) -> Iterator[Item]:
    """Draw by a name of its own, so that the rest of a seed stays what it was."""
    yield from registrar.draw(random.Random(f"{seed} office"), terminals, FAULTS_MS)


def _service(seed: int) -> Iterator[Item]:
    """The same of the times in which the ONSS does not work at all."""
    yield from faults.draw_service(random.Random(f"{seed} service"), FAULTS_MS)


def _keys(seed: int) -> Iterator[Item]:
    """The same of the gateway's keys that others succeed."""
    yield from rolling.draw(random.Random(f"{seed} keys"), FAULTS_MS)


def _items(rng: random.Random, terminals: tuple[str, ...]) -> Iterator[Item]:
    machines = (GATEWAY_MACHINE, *terminals)
    # A tenth of the runs is kind: what breaks without any fault is seen without any.
    kindly = rng.random() < 0.1
    if not kindly:
        yield from faults.draw(rng, machines, FAULTS_MS)
        yield from faults.draw_clocks(rng, machines, FAULTS_MS)
        yield from operators.draw(rng, terminals, FAULTS_MS)
    yield Enrol(rng.randint(0, FAULTS_MS))
    yield from people.draw(rng, terminals, FAULTS_MS)
