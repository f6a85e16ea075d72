"""Whose taps they are: payloads opened once, badges looked up again when the registry changes."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from ciao.registration import State
from gateway.forwarding.desk import Desk
from gateway.forwarding.resolution import (
    Decision,
    Hold,
    Ready,
    Unresolved,
    decide,
    identify,
    resolve,
)
from gateway.ledger.rows import Moment, Sealed, Tap
from gateway.people import Opener

# How many waiting taps one step looks at again.
PER_STEP_MAX = 32
# Of how many terminals with a fresh stamp one step looks into taps, at most.
TERMINALS_MAX = 16
CLOCK_SET = "clock_set"


class Identifying:
    """Takes taps from the ledger to their worker's line, or to where they wait."""

    def __init__(self, desk: Desk, openers: Mapping[str, Opener]) -> None:
        self._desk = desk
        self._openers = openers
        self._version = -1
        self._looked_up_to: int | None = None

    def work(self, now: Moment, taps_max: int) -> bool:
        """Look into some taps; return whether there may be more to do, or to send.

        Within one terminal oldest first: whose an older tap is isn't known before it is opened,
        so a fresh one that came before it could overtake one of the same worker. Terminals where
        a fresh one waits come first; so it waits for its own terminal's backlog and no other's.
        """
        found = self._next(taps_max)
        for tap, sealed in found:
            self._identify(tap, sealed, now)
        derived = self._desk.taps.derived(PER_STEP_MAX)
        for tap in derived:
            # Its clock was set since (DESIGN 3.8).
            self.settle(self._desk.move(tap, State.RECORDED, CLOCK_SET, now), now)
        return self._look_again(now) or bool(found or derived)

    def _next(self, taps_max: int) -> list[tuple[Tap, Sealed]]:
        """Choose which taps to look into; each terminal's from its oldest on."""
        taps = self._desk.taps
        urgent = taps.with_fresh_unidentified(min(TERMINALS_MAX, taps_max))
        if not urgent:
            return taps.unidentified(taps_max)
        each = max(1, taps_max // len(urgent))
        return [one for terminal in urgent for one in taps.unidentified_of(terminal, each)]

    def _identify(self, tap: Tap, sealed: Sealed, now: Moment) -> None:
        desk = self._desk
        found = identify(tap, sealed, self._openers, desk.people)
        if isinstance(found, Hold):
            unread = desk.taps.identified(tap, b"")
            # An unknown one stays unknown: it may be at the ONSS, whatever we can't read now.
            if tap.state is State.RECORDED:
                desk.set_aside(unread, found, now)
            return
        known = replace(tap, badge=found.badge)
        decision = self._decided(known, sealed)
        if isinstance(decision, Ready):
            desk.assign(known, decision, found.badge)
            return
        holder = desk.facts(known, sealed).holder
        if holder is None or tap.state is State.UNKNOWN:
            known = desk.taps.identified(tap, found.badge)
        else:
            # Set aside, and somebody's: it is among their stamps.
            known = desk.taps.placed(tap, found.badge, holder.worker, holder.employer)
        self._put(known, decision, now)

    def settle(self, tap: Tap, now: Moment) -> None:
        """Put an identified tap into its line, or where it waits."""
        self._put(tap, self._decided(tap), now)

    def _decided(self, tap: Tap, sealed: Sealed | None = None) -> Decision:
        """Say where an identified tap belongs; one without an answer, to whom alone."""
        facts = self._desk.facts(tap, sealed)
        return resolve(facts) if tap.state is State.UNKNOWN else decide(facts)

    def _put(self, tap: Tap, decision: Decision, now: Moment) -> None:
        if isinstance(decision, Ready):
            self._desk.assign(tap, decision)
        elif tap.state is not State.UNKNOWN:
            self._desk.set_aside(tap, decision, now)

    def _look_again(self, now: Moment) -> bool:
        """After a change in the registry, see whether waiting badges are known now (in parts)."""
        version = self._desk.version
        if version != self._version:
            self._version, self._looked_up_to = version, 0
        if self._looked_up_to is None:
            return False
        waiting = self._desk.taps.unresolved(self._looked_up_to, PER_STEP_MAX)
        for tap in waiting:
            decision = decide(self._desk.facts(tap))
            if isinstance(decision, Ready):
                known = self._desk.move(tap, State.RECORDED, None, now)
                self._desk.assign(known, decision)
            elif isinstance(decision, Hold):
                self._desk.set_aside(tap, decision, now)
            elif not isinstance(decision, Unresolved):
                # Withheld is a decision on a recorded tap (registration.TRANSITIONS).
                self._desk.set_aside(self._desk.move(tap, State.RECORDED, None, now), decision, now)
        self._looked_up_to = waiting[-1].id if len(waiting) == PER_STEP_MAX else None
        return self._looked_up_to is not None
