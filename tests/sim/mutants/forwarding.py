"""Mutants of forwarding: what is sent again, in another order, at another time, for another."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

from ciao.registration import State
from gateway import intake
from gateway.forwarding import resolution
from gateway.forwarding.submitting import Submitting
from gateway.forwarding.turns import retry_ms
from gateway.ledger.attempts import Attempts
from gateway.ledger.lines import Lines
from gateway.ledger.rows import Moment
from gateway.ledger.taps import Taps
from gateway.onss import cases
from gateway.onss.cases import Act
from provisioning.registry import Registry, Resolution
from tests.sim.mutants.mutant import Patch
from tests.sim.office import PEOPLE


def resent_on_timeout(patch: Patch) -> None:
    """No answer means that it was not stored."""
    for case, row in list(cases.TABLE.items()):
        if row.act is Act.UNKNOWN:
            patch(cases.TABLE, case, replace(row, act=Act.RETRY))


def resent_after_a_crash(patch: Patch) -> None:
    """What was under way when the program died is sent again at once."""

    def begin(self: Submitting, now: Moment) -> list[Any]:
        for tap in self._desk.taps.submitted():
            moved = self._desk.move(tap, State.RECORDED, None, now)
            self._desk.wait(moved, now.at_ms + retry_ms(1.0, 1, tap.id))
        return []

    patch(Submitting, "begin", begin)


def restored_as_new(patch: Patch) -> None:
    """After a restored backup, taps are taken as if they had never been seen."""
    _everywhere(patch, intake, "precedes", lambda *_: False)


def attempt_not_begun(patch: Patch) -> None:
    """An attempt is written down when it has ended: after a crash there was none."""
    begun: dict[int, Sequence[int]] = {}

    def begin(self: Attempts, at_ms: int, employer: str, trace_id: str, taps: Sequence[int]) -> int:
        number = -1 - len(begun)
        begun[number] = list(taps)
        return number

    move = Taps.move

    def move_quietly(self: Taps, *values: Any, **more: Any) -> Any:
        return move(self, *values[:4], **more)

    patch(Attempts, "begin", begin)
    patch(Attempts, "taps", lambda self, attempt: list(begun[attempt]))
    patch(Attempts, "end", lambda self, *_: None)
    patch(Taps, "move", move_quietly)


def attempt_not_ended(patch: Patch) -> None:
    """That a call ended is remembered, and not written down."""
    patch(Attempts, "end", lambda self, *_: None)


def retimed(patch: Patch) -> None:
    """A stamp is registered a little later than it was made."""
    resolve = resolution.resolve

    def later(facts: Any) -> Any:
        decided = resolve(facts)
        if isinstance(decided, resolution.Ready):
            at = decided.registration.at + timedelta(seconds=2)
            return replace(decided, registration=replace(decided.registration, at=at))
        return decided

    _everywhere(patch, resolution, "resolve", later)


def somebody_elses(patch: Patch) -> None:
    """Everything is registered for the same person."""
    resolve = resolution.resolve

    def his(facts: Any) -> Any:
        decided = resolve(facts)
        if isinstance(decided, resolution.Ready):
            ssin = PEOPLE[0].ssin
            return replace(decided, registration=replace(decided.registration, ssin=ssin))
        return decided

    _everywhere(patch, resolution, "resolve", his)


def direction_toggled(patch: Patch) -> None:
    """IN is registered as OUT, and OUT as IN."""
    resolve = resolution.resolve

    def turned(facts: Any) -> Any:
        decided = resolve(facts)
        if isinstance(decided, resolution.Ready):
            told = replace(decided.registration, direction=decided.registration.direction.opposite)
            return replace(decided, registration=told)
        return decided

    _everywhere(patch, resolution, "resolve", turned)


def youngest_first(patch: Patch) -> None:
    """Of one worker's stamps, the last one made goes first."""
    open_taps = Lines.open_taps

    def backwards(self: Lines, terminal: str, worker: str) -> Any:
        return (one for one in reversed(list(open_taps(self, terminal, worker))))

    patch(Lines, "open_taps", backwards)


def _everywhere(patch: Patch, owner: ModuleType, name: str, value: Any) -> None:
    """Replace a function in its module, and in every module that imported it by name."""
    original = owner.__dict__[name]
    for path, module in sorted(sys.modules.items()):
        if path.startswith("gateway.") and module.__dict__.get(name) is original:
            patch(module, name, value)


def lost_badge_forgotten(patch: Patch) -> None:
    """A badge is a badge."""
    resolve = Registry.resolve

    def forgiving(self: Registry, badge_hmac: bytes, at: datetime) -> Resolution | None:
        found = resolve(self, badge_hmac, at)
        return None if found is None else replace(found, revoked=False)

    patch(Registry, "resolve", forgiving)
