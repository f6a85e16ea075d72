"""What every step of forwarding does with a tap: look up, move, and see whose turn it is next."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from typing import Protocol

from ciao.binding import Binding, BindingRefused
from ciao.entries import Tap as TapEntry
from ciao.reading import parse_rfc3339
from ciao.registration import State
from gateway.forwarding.resolution import (
    Facts,
    Hold,
    Unresolved,
    Withhold,
    entry_of,
    is_possible,
)
from gateway.forwarding.turns import turn
from gateway.ledger import Ledger
from gateway.ledger.rows import Moment, Sealed, Tap
from gateway.outcomes import Outcomes
from gateway.people import People
from gateway.restoring import Restoring
from provisioning.registry.records import Resolution

BINDINGS_KEPT_MAX = 512
# Whose a badge was at a moment is asked for twice, when a tap comes and when it goes.
HOLDERS_KEPT_MAX = 16_384


class Whose(Protocol):
    """Whose stamp it is, by the registry's opaque name, and with whose credentials it goes."""

    @property
    def worker(self) -> str:
        """The person."""

    @property
    def employer(self) -> str:
        """The holder of the credentials."""


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
        self._holders: dict[tuple[bytes, str], Resolution | None] = {}
        self._moved: dict[tuple[str, str], None] = {}
        self.version = -1

    def begin(self) -> None:
        """Begin a step: what was remembered of the registry holds while it does not change."""
        version = self.people.version()
        if version != self.version:
            self.version = version
            self._holders.clear()

    def facts(self, tap: Tap, sealed: Sealed | None = None) -> Facts:
        """Gather what a decision on a tap rests on, as the registry knows it now."""
        entry = entry_of(sealed or self.taps.sealed(tap))
        at = parse_rfc3339(tap.stamped_at)
        known = tap.badge if tap.badge and is_possible(at) else None
        holder = self._holder(known, tap.stamped_at, at) if known else None
        return Facts(tap, entry, at, self._binding(entry), holder)

    def _holder(self, badge: bytes, written: str, at: datetime) -> Resolution | None:
        if (badge, written) in self._holders:
            return self._holders[badge, written]
        if len(self._holders) >= HOLDERS_KEPT_MAX:
            self._holders.clear()
        found = self._holders[badge, written] = self.people.resolve(badge, at)
        return found

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
        self,
        tap: Tap,
        after: State,
        reason: str | None,
        now: Moment,
        attempt: int | None = None,
        *,
        due_ms: int | None = None,
        onss_id: str | None = None,
    ) -> Tap:
        """Take a tap to its next state; its terminal is told once that is committed.

        `due_ms` and `onss_id` as in `Taps.move`.
        """
        moved = self.taps.move(tap, after, reason, now, attempt, due_ms=due_ms, onss_id=onss_id)
        self.refresh(moved)
        return self._outcomes.changed(moved)

    def send(self, tap: Tap, now: Moment, attempt: int) -> Tap:
        """Take the head of a line to submitted: whose turn it is then needs no look."""
        moved = self.taps.move(tap, State.SUBMITTED, None, now, attempt)
        if moved.worker is not None:
            self.lines.away(moved.terminal, moved.worker)
        return self._outcomes.changed(moved)

    def wait(self, tap: Tap, due_ms: int) -> None:
        """Let a tap alone until a moment."""
        self.taps.due(tap.id, due_ms)
        self.refresh(tap)

    def assign(self, tap: Tap, whose: Whose, badge: bytes | None = None) -> Tap:
        """Put a tap into the line of its worker, out of any other's; keep its badge, if given."""
        self.refresh(tap)
        if badge is None:
            assigned = self.taps.assigned(tap, whose.worker, whose.employer)
        else:
            assigned = self.taps.placed(tap, badge, whose.worker, whose.employer)
        self.refresh(assigned)
        return assigned

    def set_aside(self, tap: Tap, why: Unresolved | Hold | Withhold, now: Moment) -> None:
        """Take a tap that may not go to the state that says why."""
        after = {Unresolved: State.UNRESOLVED, Hold: State.HELD, Withhold: State.WITHHELD}
        self.move(tap, after[type(why)], why.reason, now)

    def refresh(self, tap: Tap) -> None:
        """Note that something of a tap's line has changed."""
        if tap.worker is not None:
            self._moved[tap.terminal, tap.worker] = None

    def settle(self, now: Moment) -> bool:
        """See whose turn it is in each line that has changed, and keep it; say whether any has.

        Before lines are read, and before the step ends.
        """
        moved, self._moved = self._moved, {}
        for terminal, worker in moved:
            with closing(self.lines.open_taps(terminal, worker)) as line:
                whose = turn(line, now.at_ms)
            self.lines.put(terminal, worker, whose)
        return bool(moved)
