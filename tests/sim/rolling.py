"""A gateway's keys are succeeded while everything else goes on: begun, taken, finished.

By the registry's own functions; the operator restarts the gateway, and finishes once its journal
says that it runs with the new keys, as `ciao-provision gateway roll --finish` does.
"""

from __future__ import annotations

import random
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ciao.certificate import is_certified
from ciao.journal.archive import Archive
from ciao.keys import new_sealing_key, new_signing_key
from ciao.names import cosigner_name
from ciao.notes import COSIGNATURE_V1, Signer
from provisioning.registry import Registry, rolling
from provisioning.registry.following import follow
from provisioning.registry.records import Keys
from provisioning.registry.store import Change
from tests.sim.office import DOMAIN, GATEWAY, OTHER_DECLARATION
from tests.sim.registrar import change_registry, signer_for
from tests.sim.truth import Rebound

if TYPE_CHECKING:
    from tests.sim.world import World

LOOK_AGAIN_MS = 3_000


@dataclass(frozen=True, slots=True)
class Roll:
    """Another pair of keys succeeds the gateway's; each step comes at its moment, or later."""

    begun_ms: int
    taken_ms: int
    finished_ms: int

    def put(self, world: World) -> None:
        """Let it happen."""
        draw = world.plan.rng("new keys").randbytes
        hpke = new_sealing_key(draw).public_key().public_bytes_raw()
        cosigner = Signer(cosigner_name(DOMAIN, GATEWAY), new_signing_key(draw))
        agenda = world.agenda
        agenda.at(self.begun_ms, lambda: _begin(world, hpke, cosigner))
        agenda.at(self.taken_ms, lambda: _take(world, hpke, cosigner))
        agenda.at(self.finished_ms, lambda: _finish(world, cosigner))


def _begin(world: World, hpke: bytes, cosigner: Signer) -> None:
    keys = Keys(b64encode(hpke).decode(), cosigner.verifier(COSIGNATURE_V1))

    def begin(registry: Registry, change: Change, now: datetime) -> None:
        rolling.begin(registry, change, GATEWAY, keys)
        follow(registry, change, signer_for, now)

    change_registry(world, "gateway roll", begin)
    _note_reissued(world)


def _take(world: World, hpke: bytes, cosigner: Signer) -> None:
    """The new keys are in the gateway's settings; it is restarted."""
    world.gateway.succeed(hpke, cosigner)
    world.gateway.leave()


def _finish(world: World, cosigner: Signer) -> None:
    """Again and again, until it is seen that the gateway has the new keys."""
    newest = max((world.gateway.state / "journal").glob("*.db"))
    with closing(Archive(newest)) as log:
        seen = is_certified(log.certificate, log.log_key, [cosigner.verifier()])
    if not seen:
        world.agenda.after(LOOK_AGAIN_MS, lambda: _finish(world, cosigner))
        return

    def finish(registry: Registry, change: Change, now: datetime) -> None:
        rolling.finish(registry, change, GATEWAY)
        follow(registry, change, signer_for, now)

    change_registry(world, "gateway roll --finish", finish)
    _note_reissued(world)
    world.truth.rolled = True


def _note_reissued(world: World) -> None:
    """Each bundle is issued anew with other keys: it stands for the same as before."""
    registry = world.gateway.registry
    for terminal, rebound in world.truth.rebound.items():
        serials = {
            issued.serial
            for issued in registry.bindings(terminal)
            if registry.opened(issued).binding.declaration.number == OTHER_DECLARATION
        }
        world.truth.rebound[terminal] = Rebound(rebound.starts, frozenset(serials))


def draw(rng: random.Random, end_ms: int) -> Iterator[Roll]:
    """Draw whether, and when, in one run."""
    if rng.random() < 0.3:
        begun_ms = rng.randint(0, end_ms // 2)
        taken_ms = begun_ms + rng.randint(500, 60_000)
        yield Roll(begun_ms, taken_ms, taken_ms + rng.randint(500, 40_000))
