"""What stamps say: the binding in force, what is disclosed of a badge, what was deleted. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ciao import opening
from ciao.entries import BindingChanged, Deletion, Refused, Segment, Tap
from ciao.verifier.deletions import Deletions
from ciao.verifier.findings import Findings, Place, at, range_place, row_place
from ciao.verifier.ranges import Ranges
from ciao.verifier.segment import Passed
from ciao.verifier.trust import Trust


@dataclass(slots=True)
class Stamps:
    """Counts what one terminal's entries say, and holds each stamp to its binding.

    `deletions` are what gateways say that they deleted, in a gateway's bundle; in a terminal's own
    it speaks for itself.
    """

    terminal: str
    trust: Trust
    full: bool
    findings: Findings
    deletions: Deletions | None = None
    counted: Counter[str] = field(default_factory=Counter)
    sites: Counter[str] = field(default_factory=Counter)
    _in_force: str | None = None
    _gone: Ranges = field(default_factory=Ranges)
    _deleted: Ranges = field(default_factory=Ranges)
    _going: bool = False

    def passed(self, one: Passed) -> None:
        """Look at one entry."""
        entry, place = one.facts.entry, row_place(one.row)
        self._time(one, place)
        match entry:
            case None:
                self.findings.unknown("kind", place)
            case Segment():
                # What was in force before a break is not known behind it, until it is said again.
                self._in_force = self._in_force if entry.why == "yearly" else None
            case BindingChanged():
                self._in_force = entry.binding
                self._bound(entry.binding, None, one, place)
            case Deletion() if entry.why == "retention" and self.deletions is None:
                for part in entry.ranges:
                    self._deleted.add(part.origin, part.first, part.last)
            case Tap():
                self._count(one, entry.direction)
                self._bound(entry.binding, entry.declaration, one, place)
                self._opened(one, entry.opening, place)
            case Refused():
                self._count(one, "refused")
                if entry.opening is not None:
                    self._opened(one, entry.opening, place)
            case _:
                self.counted[one.facts.kind] += not one.claimed
        self._sealed_nothing(one, place)

    def _count(self, one: Passed, what: str) -> None:
        """Count what was cosigned: of the rest nobody knows whether it is all, or unchanged."""
        if not one.claimed:
            self.counted["carried" if one.facts.carried else what] += 1

    def close(self) -> None:
        """Whatever is said to be deleted on purpose: does an entry say so, too?"""
        for origin, first, last in self._gone.all():
            self._gone_by(origin, first, last)
        for origin, first, last in self._gone.outside(self._deleted):
            self.findings.unknown("said_deleted", range_place(origin, first, last))

    def _gone_by(self, origin: str, first: int, last: int) -> None:
        """Say of a range when a gateway deleted it, where its journal says so."""
        if self.deletions is None:
            self.findings.unknown("deleted", range_place(origin, first, last))
            return
        for start, end, when in self.deletions.split(origin, first, last):
            if when is not None:
                self._deleted.add(origin, start, end)
                place = at("entries_deleted", origin=origin, first=start, last=end, when=when)
                self.findings.unknown("deleted", place)

    def _time(self, one: Passed, place: Place) -> None:
        if one.claimed:
            self.findings.unknown("claimed", place)
        elif one.verdict == "clock":
            self.findings.unknown("clock", place)
        elif one.verdict == "undated" and one.facts.carried is None:
            self.findings.unknown("undated", place)

    def _bound(self, sha256: str, declaration: str | None, one: Passed, place: Place) -> None:
        signed = self.trust.bindings.get(sha256)
        if signed is None:
            self.findings.fail("binding_missing", place)
            return
        bound = signed.binding
        named = declaration in (None, bound.declaration.number)
        if bound.terminal != self.terminal or not named:
            self.findings.fail("binding_other", place)
            return
        if declaration is None:
            return
        self.sites[bound.site.name] += not one.claimed
        early = one.verdict == "proven" and one.facts.at < bound.starts_at()
        other = self._in_force not in (None, sha256) and one.facts.carried is None
        if early or other:
            self.findings.fail("binding_not_in_force", place)

    def _sealed_nothing(self, one: Passed, place: Place) -> None:
        """Nothing is disclosed, or gone, of an entry that sealed nothing."""
        entry = one.facts.entry
        if isinstance(entry, Tap | Refused) and entry.opening is not None:
            return
        if one.row.opening is not None:
            self.findings.fail("opening", place)
        if one.row.gone is not None:
            self.findings.fail("gone", place)

    def _opened(self, one: Passed, committed: str, place: Place) -> None:
        """Hold what is disclosed of a badge, or why it is not, to the entry."""
        row = one.row
        gone = row.gone if self.full and row.opening is None else None
        if row.gone != gone:
            self.findings.fail("gone", place)
        elif gone == "deleted":
            self._gone.extend(row.origin, row.seq, self._going)
        elif row.opening is None and self.full:
            self.findings.unknown("lost", place)
        elif row.opening is not None:
            if not self.full or opening.commitment(row.opening.encode()) != committed:
                self.findings.fail("opening", place)
            if self.deletions is not None and self.deletions.when(row.origin, row.seq):
                self.findings.fail("not_deleted", place)
            self.counted["disclosed"] += not one.claimed
        self._going = gone == "deleted"
