"""Whose taps they are: payloads opened once, badges looked up again when the registry changes."""

from __future__ import annotations

from collections.abc import Mapping

from ciao.registration import State
from gateway.desk import Desk
from gateway.ledger.rows import Moment, Tap
from gateway.people import Opener
from gateway.resolution import Hold, Ready, Unresolved, decide, identify, resolve

# How many taps one step looks into, so that receipts never wait long.
PER_STEP_MAX = 32
CLOCK_SET = "clock_set"


class Identifying:
    """Takes taps from the ledger to their worker's line, or to where they wait."""

    def __init__(self, desk: Desk, openers: Mapping[str, Opener]) -> None:
        self._desk = desk
        self._openers = openers
        self._version = -1
        self._looked_up_to: int | None = None

    def work(self, now: Moment) -> bool:
        """Look into some taps, oldest first; return whether there may be more to do."""
        taps = self._desk.taps.unidentified(PER_STEP_MAX)
        for tap in taps:
            self._identify(tap, now)
        derived = self._desk.taps.derived(PER_STEP_MAX)
        for tap in derived:
            # Its clock was set since (DESIGN 3.8).
            self.settle(self._desk.move(tap, State.RECORDED, CLOCK_SET, now), now)
        full = PER_STEP_MAX in (len(taps), len(derived))
        return self._look_again(now) or full

    def _identify(self, tap: Tap, now: Moment) -> None:
        desk = self._desk
        found = identify(tap, desk.taps.sealed(tap), self._openers, desk.people)
        if isinstance(found, Hold):
            unread = desk.taps.identified(tap, b"")
            # An unknown one stays unknown: it may be at the ONSS, whatever we can't read now.
            if tap.state is State.RECORDED:
                desk.set_aside(unread, found, now)
            return
        self.settle(desk.taps.identified(tap, found.badge), now)

    def settle(self, tap: Tap, now: Moment) -> None:
        """Put an identified tap into its line, or where it waits."""
        facts = self._desk.facts(tap)
        if tap.state is State.UNKNOWN:
            known = resolve(facts)
            if isinstance(known, Ready):
                self._desk.assign(tap, known, now)
            return
        decision = decide(facts)
        if isinstance(decision, Ready):
            self._desk.assign(tap, decision, now)
        else:
            self._desk.set_aside(tap, decision, now)

    def _look_again(self, now: Moment) -> bool:
        """After a change in the registry, see whether waiting badges are known now (in parts)."""
        version = self._desk.people.version()
        if version != self._version:
            self._version, self._looked_up_to = version, 0
        if self._looked_up_to is None:
            return False
        waiting = self._desk.taps.unresolved(self._looked_up_to, PER_STEP_MAX)
        for tap in waiting:
            decision = decide(self._desk.facts(tap))
            if isinstance(decision, Ready):
                known = self._desk.move(tap, State.RECORDED, None, now)
                self._desk.assign(known, decision, now)
            elif isinstance(decision, Hold):
                self._desk.set_aside(tap, decision, now)
            elif not isinstance(decision, Unresolved):
                # Withheld is a decision on a recorded tap (registration.TRANSITIONS).
                self._desk.set_aside(self._desk.move(tap, State.RECORDED, None, now), decision, now)
        self._looked_up_to = waiting[-1].id if len(waiting) == PER_STEP_MAX else None
        return self._looked_up_to is not None
