"""What every step of forwarding does with a tap: look up, move, and see whose turn it is next."""

from __future__ import annotations

from contextlib import closing

from ciao.binding import Binding, BindingRefused
from ciao.entries import Tap as TapEntry
from ciao.reading import parse_rfc3339
from ciao.registration import State
from gateway.forward import Turn, turn
from gateway.ledger import Ledger
from gateway.ledger.rows import Moment, Tap
from gateway.outcomes import Outcomes
from gateway.people import People
from gateway.resolution import Facts, Hold, Ready, Unresolved, Withhold, entry_of, is_possible
from gateway.restoring import Restoring

BINDINGS_KEPT_MAX = 512


class Desk:
    """Ledger, registry and outcomes together; to be used inside the ledger's transaction."""

    def __init__(
        self, ledger: Ledger, people: People, outcomes: Outcomes, restoring: Restoring
    ) -> None:
        self.taps = ledger.taps
        self.lines = ledger.lines
        self.attempts = ledger.attempts
        self.people = people
        self.restoring = restoring
        self._outcomes = outcomes
        self._bindings: dict[str, Binding] = {}

    def facts(self, tap: Tap) -> Facts:
        """Gather what a decision on a tap rests on, as the registry knows it now."""
        entry = entry_of(self.taps.sealed(tap))
        at = parse_rfc3339(tap.stamped_at)
        known = tap.badge if tap.badge and is_possible(at) else None
        holder = self.people.resolve(known, at) if known else None
        return Facts(tap, entry, at, self._binding(entry), holder)

    def _binding(self, entry: TapEntry) -> Binding | None:
        """Look up a bundle; those that are there never change, so they are remembered."""
        known = self._bindings.get(entry.binding)
        if known is not None:
            return known
        try:
            found = self.people.binding(entry.binding)
        except BindingRefused:
            return None
        if found is not None:
            if len(self._bindings) >= BINDINGS_KEPT_MAX:
                self._bindings.clear()
            self._bindings[entry.binding] = found
        return found

    def move(
        self, tap: Tap, after: State, reason: str | None, now: Moment, attempt: int | None = None
    ) -> Tap:
        """Take a tap to its next state; its terminal is told once that is committed."""
        moved = self._outcomes.changed(self.taps.move(tap, after, reason, now, attempt))
        self.refresh(moved, now)
        return moved

    def wait(self, tap: Tap, due_ms: int, now: Moment) -> None:
        """Let a tap alone until a moment."""
        self.taps.due(tap.id, due_ms)
        self.refresh(tap, now)

    def assign(self, tap: Tap, ready: Ready, now: Moment) -> Tap:
        """Put a tap into the line of its worker, out of any other's."""
        assigned = self.taps.assigned(tap, ready.worker, ready.employer)
        if tap.worker != assigned.worker:
            self.refresh(tap, now)
        self.refresh(assigned, now)
        return assigned

    def set_aside(self, tap: Tap, why: Unresolved | Hold | Withhold, now: Moment) -> None:
        """Take a tap that may not go to the state that says why."""
        after = {Unresolved: State.UNRESOLVED, Hold: State.HELD, Withhold: State.WITHHELD}
        self.move(tap, after[type(why)], why.reason, now)

    def refresh(self, tap: Tap, now: Moment) -> None:
        """See whose turn it is in a tap's line."""
        if tap.worker is not None:
            self.turn(tap.terminal, tap.worker, now)

    def turn(self, terminal: str, worker: str, now: Moment) -> Turn | None:
        """See whose turn it is in a line, and keep it."""
        fresh = self.lines.has_fresh(terminal, worker)
        with closing(self.lines.open_taps(terminal, worker)) as line:
            whose = turn(line, fresh, now.at_ms)
        self.lines.put(terminal, worker, whose)
        return whose
