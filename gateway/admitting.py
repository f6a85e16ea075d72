"""From stored entries to what they mean here: taps, trusted clock steps, a terminal's troubles.

Also for entries that were stored before this version knew their kind (`Rereading`).
"""

from __future__ import annotations

from collections.abc import Sequence

from ciao.derived import Step, step_of
from ciao.entries import ClockStep, Segment
from ciao.entries import Tap as TapEntry
from ciao.reading import parse_rfc3339, rfc3339
from ciao.registration import State
from gateway import custody
from gateway.custody import NOT_UNDERSTOOD, Held
from gateway.events import Effect, Report
from gateway.intake import DIFFERS, epoch_ms, linked_as, new_tap, precedes
from gateway.ledger import Ledger
from gateway.ledger.care import AlertKind
from gateway.ledger.rows import Moment, NewTap, Tap
from gateway.outcomes import Outcomes
from gateway.restoring import REASON_RESTORED, Restoring

# How many entries one step reads again.
REREAD_MAX = 64
# Why a segment began that an operator must know of.
_TROUBLES: dict[str, AlertKind] = {"rolled_back": "rolled_back", "damaged": "damaged"}

# Of an entry, by its seq: the tap it is, and what is odd about it.
Links = dict[int, tuple[int, str | None]]


class Admitting:
    """Makes taps of entries; each method runs inside the ledger's transaction."""

    def __init__(self, ledger: Ledger, outcomes: Outcomes, restoring: Restoring) -> None:
        self._taps = ledger.taps
        self._care = ledger.care
        self._outcomes = outcomes
        self._restoring = restoring

    def admit(
        self, terminal: str, log: int, origin: str, held: Sequence[Held], now: Moment
    ) -> tuple[Links, list[Effect]]:
        """Take in what some entries of a log mean; say which taps they are."""
        effects: list[Effect] = []
        for one in held:
            if isinstance(one.entry, ClockStep):
                self._stepped(terminal, origin, one.entry)
            elif isinstance(one.entry, Segment) and one.entry.why in _TROUBLES:
                effects += self._troubled(terminal, origin, one.entry, now)
        return self._link(terminal, log, origin, held, now), effects

    def _link(
        self, terminal: str, log: int, origin: str, held: Sequence[Held], now: Moment
    ) -> Links:
        """Find or make the taps of some entries; the same payload is the same tap."""
        came = [
            new_tap(one.entry, terminal, log, origin, now.at_ms)
            for one in held
            if isinstance(one.entry, TapEntry)
        ]
        if not came:
            return {}
        known: dict[bytes, tuple[int, Tap | NewTap]] = {
            tap.payload: (tap.id, tap)
            for tap in self._taps.by_payload(terminal, [one.payload for one in came]).values()
        }
        added: dict[int, NewTap] = {}
        links: Links = {}
        following = self._taps.next_id()
        for one in came:
            before = known.get(one.payload)
            if before is None:
                number = following + len(added)
                known[one.payload] = (number, one)
                added[number] = one
                links[one.seq] = (number, None)
            else:
                links[one.seq] = (before[0], linked_as(before[1], one))
        self._taps.add(added, now)
        for linked, odd in links.values():
            if odd == DIFFERS:
                self._taps.flag(linked, DIFFERS)
        for number, new in added.items():
            self._admitted(number, new, now)
        return links

    def _admitted(self, number: int, new: NewTap, now: Moment) -> None:
        """Give a new tap its derived time, and its doubt if a backup was restored."""
        if not new.synced:
            found = self._care.step_after(new.terminal, new.boot, new.up_ms)
            if found is not None:
                up_ms, at, basis = found
                self._derive(number, new.up_ms, Step(new.boot, up_ms, parse_rfc3339(at)), basis)
        if precedes(new, self._restoring.at_ms):
            tap = self._taps.get(number)
            moved = self._taps.move(tap, State.UNKNOWN, REASON_RESTORED, now)
            self._outcomes.changed(moved)

    def _stepped(self, terminal: str, origin: str, entry: ClockStep) -> None:
        """Keep a trusted step of the clock, and derive the times of what its boot did before."""
        step = step_of(entry)
        if step is None:
            return
        first = entry.carried
        basis = f"{first.origin}#{first.seq}" if first else f"{origin}#{entry.seq}"
        self._care.add_step(terminal, step.boot, step.up_ms, rfc3339(step.at), basis)
        for number, up_ms in self._taps.unsynced(terminal, step.boot, step.up_ms):
            self._derive(number, up_ms, step, basis)

    def _derive(self, tap: int, up_ms: int, step: Step, basis: str) -> None:
        at = step.derive(step.boot, up_ms)
        if at is not None:
            self._taps.derive(tap, rfc3339(at), epoch_ms(at), basis)

    def _troubled(self, terminal: str, origin: str, entry: Segment, now: Moment) -> list[Effect]:
        before = entry.previous
        detail = f"began at {entry.at}" + (f", after {before.size} entries" if before else "")
        kind = _TROUBLES[entry.why]
        self._care.alert(terminal, kind, origin, detail, now.at_ms)
        return [Report("segment", {"terminal": terminal, "why": entry.why, "detail": detail})]


class Rereading:
    """At a start, reads again what an older version stored without understanding it."""

    def __init__(self, ledger: Ledger, admitting: Admitting) -> None:
        self._custody = ledger.custody
        self._admitting = admitting
        self._beyond: tuple[int, int] | None = (0, -1)

    def work(self, now: Moment) -> tuple[bool, list[Effect]]:
        """Read some entries again; return whether there may be more, and what to report."""
        if self._beyond is None:
            return False, []
        rows = self._custody.flagged(NOT_UNDERSTOOD, self._beyond, REREAD_MAX)
        effects: list[Effect] = []
        for row in rows:
            held = custody.reread(row.seq, row.leaf, row.hashes, row.payload)
            if held is not None:
                links, told = self._admitting.admit(row.terminal, row.log, row.origin, [held], now)
                tap, odd = links.get(row.seq, (None, None))
                self._custody.understood(row.log, row.seq, held.flag or odd, tap)
                effects += told
        self._beyond = (rows[-1].log, rows[-1].seq) if len(rows) == REREAD_MAX else None
        return self._beyond is not None, effects
