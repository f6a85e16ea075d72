"""Changes of the registry while the system runs: a badge entered, one lost, a terminal rebound.

Made by the registry's own functions, in one commit each, as the commands make them (a command's
own start takes longer than a whole run).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ciao.names import provisioning_key_name
from ciao.notes import Signer
from ciao.sealing import seal
from provisioning.registry import Kind, Period, Registry, badges, issuing, people
from provisioning.registry.store import Change
from tests.sim.clocks import BEGIN, ZONE
from tests.sim.office import (
    DOMAIN,
    EVERYBODY,
    LATE,
    OTHER_DECLARATION,
    PEOPLE,
    signing_key,
    template,
)
from tests.sim.truth import Rebound, Revoked

if TYPE_CHECKING:
    from tests.sim.world import World


@dataclass(frozen=True, slots=True)
class Enrol:
    """The badge of the person who comes late is entered while the system runs."""

    at_ms: int

    def put(self, world: World) -> None:
        """Let it happen."""
        world.agenda.at(self.at_ms, lambda: self._enrol(world))

    def _enrol(self, world: World) -> None:
        def enter(registry: Registry, change: Change, now: datetime) -> None:
            since = Period(datetime(2026, 1, 5, tzinfo=ZONE))
            new = people.NewEmployment(LATE.company, Kind.EMPLOYEE, None, None, "X", "fr", since)
            holder = people.add(registry, change, LATE.ssin, new)
            uid = bytes.fromhex(LATE.uid)
            badges.add(registry, change, uid, holder.id, "uid", None, None, now)

        change_registry(world, "employment add", enter)
        world.truth.enrolled = True


@dataclass(frozen=True, slots=True)
class Revoke:
    """A badge is said to be lost, from a moment that may be past or to come."""

    ssin: str
    at_ms: int
    from_ms: int

    def put(self, world: World) -> None:
        """Let it happen."""
        world.agenda.at(self.at_ms, lambda: self._revoke(world))

    def _revoke(self, world: World) -> None:
        lost_at = _moment(self.from_ms)

        def revoke(registry: Registry, change: Change, _now: datetime) -> None:
            uid = bytes.fromhex(EVERYBODY[self.ssin].uid)
            (badge,) = registry.badges_with(uid)
            badges.revoke(registry, change, badge.id, "lost", lost_at)

        change_registry(world, "badge revoke", revoke)
        world.truth.revoked[self.ssin] = Revoked(lost_at, self.at_ms)


@dataclass(frozen=True, slots=True)
class Rebind:
    """A terminal is bound to another works declaration, from a moment on."""

    terminal: str
    at_ms: int
    from_ms: int

    def put(self, world: World) -> None:
        """Let it happen."""
        world.agenda.at(self.at_ms, lambda: self._rebind(world))

    def _rebind(self, world: World) -> None:
        starts = _moment(self.from_ms)
        serials = []

        def rebind(registry: Registry, change: Change, now: datetime) -> None:
            last = registry.bindings(self.terminal)[-1]
            held = registry.opened(last).binding
            terms = issuing.Terms(
                site=last.site,
                declaration=OTHER_DECLARATION,
                mode=held.mode,
                languages=tuple(held.languages),
                time_zone=held.time_zone,
                lateness=held.lateness,
                starts=starts,
            )
            issued = issuing.bind(registry, change, self.terminal, terms, signer_for, now)
            assert issued is not None
            serials.append(issued.serial)

        change_registry(world, "terminal bind", rebind)
        world.truth.rebound[self.terminal] = Rebound(starts, frozenset(serials))


RegistryDeed = Enrol | Revoke | Rebind

Write = Callable[[Registry, Change, datetime], None]


def change_registry(world: World, what: str, write: Write) -> None:
    """Make one change, rosters included, at this moment of the run."""
    folder, now = world.folder, _moment(world.agenda.now_ms)
    with (
        Registry.open(folder / "registry.db", folder / "registry.key") as registry,
        registry.store.change(what, now) as change,
    ):
        write(registry, change, now)
        issuing.renew_rosters(registry, change, signer_for, seal, now)


def signer_for(employer: str) -> Signer:
    key = signing_key(template() / "keys" / f"{employer}.pem")
    return Signer(provisioning_key_name(DOMAIN, employer), key)


def _moment(ms: int) -> datetime:
    return (BEGIN + timedelta(milliseconds=ms)).astimezone(ZONE)


def draw(rng: random.Random, terminals: Sequence[str], end_ms: int) -> Iterator[RegistryDeed]:
    """Draw what is changed in the registry in one run."""
    if rng.random() < 0.4:
        at_ms = rng.randint(0, end_ms - 20_000)
        from_ms = rng.choice((at_ms, rng.randint(0, at_ms), rng.randint(at_ms, end_ms - 10_000)))
        yield Revoke(rng.choice(PEOPLE).ssin, at_ms, from_ms)
    for terminal in terminals:
        if rng.random() < 0.25:
            at_ms = rng.randint(0, end_ms // 2)
            # far enough ahead that people tap before it begins, and see whether it has
            yield Rebind(terminal, at_ms, rng.randint(at_ms + 20_000, end_ms - 10_000))
