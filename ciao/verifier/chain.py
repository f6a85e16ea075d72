"""A terminal's logs, one after the other: nothing between or before them is missing. Pure.

A log that is not the terminal's first either has a checkpoint that was cosigned before the period
began, or follows the one before it in the bundle, which reaches as far as was cosigned of it. Where
damage left nothing that says so, only a gateway's own journal shows that none is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ciao import canonical, entries
from ciao.entries import Deletion, Previous
from ciao.entries import Segment as Head
from ciao.evidence.lines import Row, SegmentLine, Stretch
from ciao.reading import parse_rfc3339
from ciao.tree import ProofBroken, verify_consistency
from ciao.verifier.findings import Findings, Place, at, range_place, row_place
from ciao.verifier.named import Named
from ciao.verifier.ranges import Ranges
from ciao.verifier.segment import Passed, Segment
from ciao.verifier.vouched import Vouched

# Reads the row of an (origin, seq) that lies before; None where it is not in the bundle.
Original = Callable[[str, int], Row | None]
# Only a log that begins because of these takes anything over, or may follow an older one.
BREAKS = frozenset({"damaged", "rolled_back"})


@dataclass(frozen=True, slots=True)
class Ended:
    """A log that was walked to its end."""

    end: int
    root: bytes
    named: Named
    sound: bool


@dataclass(slots=True)
class Chain:
    """One terminal's logs in the order in which they were begun."""

    stretch: Stretch
    original: Original
    vouched: Vouched
    findings: Findings
    ended: dict[str, Ended] = field(default_factory=dict)
    latest_ms: int | None = None
    _head: Head | None = None
    # What stands directly behind entry 0: first places of what is handed over, or is lost.
    _handed: Ranges = field(default_factory=Ranges)
    _handing: bool = True
    _loose: list[Place] = field(default_factory=list)
    _first: Place | None = None

    def passed(self, one: Passed) -> None:
        """An entry of the log that is walked."""
        entry, found = one.facts.entry, one.facts
        if found.seq == 0:
            self._head = entry if isinstance(entry, Head) and found.carried is None else None
        elif found.carried is not None:
            self._carried(one)
        elif isinstance(entry, Deletion) and entry.why == "unreadable":
            self._unreadable(entry)
        else:
            self._handing = False
        if one.verdict in ("proven", "undated") and not one.claimed and found.carried is None:
            self.latest_ms = max(self.latest_ms or 0, found.at_ms)

    def moment(self, sha256: str) -> int | None:
        """When a checkpoint of the log before was cosigned, in Unix seconds, where it is known."""
        before = next(reversed(self.ended.values()), None)
        seen = before.named.kept.get(sha256) if before is not None else None
        return seen.moment_s if seen is not None else None

    def end(self, segment: Segment) -> None:
        """The log is walked to its end: does it follow what went before?"""
        header = segment.header
        if segment.sound:
            self._follows(segment, self._head if header.first == 0 else None)
        root = segment.frontier.root() if segment.frontier.size == header.end else b""
        if segment.last is not None and segment.last.size == header.end:
            root = segment.last.root
        self.ended[header.origin] = Ended(header.end, root, segment.named, segment.sound)
        self._head, self._handed, self._handing = None, Ranges(), True

    def close(self, covered: bool) -> None:
        """All logs of the terminal are through: do they reach as far as was said?

        `covered`: a gateway's own journal tells of this terminal all that time, so that a log of it
        that was cosigned and is not here would be missed.
        """
        end = self.stretch.end
        for place in self._loose:
            if covered or end is None:
                self.findings.unknown("damage", place)
            else:
                self.findings.fail("predecessor", place)
        if self._first is not None and not covered:
            self.findings.unknown("first", self._first)
        if not all(one.sound for one in self.ended.values()):
            return
        if end is None:
            self.findings.unknown("no_end", at("terminal", terminal=self.stretch.terminal))
        elif self.latest_ms is None or self.latest_ms < _ms(end):
            self.findings.fail("fresh", at("until", terminal=self.stretch.terminal, end=end))

    def _follows(self, segment: Segment, head: Head | None) -> None:
        header = segment.header
        start_ms = _ms(self.stretch.start)
        moment_s = segment.first_moment_s
        before = not self.ended and moment_s is not None and moment_s * 1000 <= start_ms
        if header.first > 0:
            if not before:
                self.findings.fail("start", segment.place)
        elif head is None:
            self.findings.fail("leaf", at("entry", origin=header.origin, seq=0))
        elif head.previous is not None and head.previous.origin in self.ended:
            self._follows_on(header, head, head.previous)
        elif head.why == "damaged":
            if before:
                self.findings.unknown("damage", segment.place)
            else:
                self._loose.append(_place(header, head))
        elif head.previous is not None:
            if not before:
                self.findings.fail("predecessor", _place(header, head))
        elif self.ended or head.why != "new":
            self.findings.fail("begins_anew", segment.place)
        elif not before:
            self._first = segment.place

    def _follows_on(self, header: SegmentLine, head: Head, previous: Previous) -> None:
        place, before = _place(header, head), self.ended[previous.origin]
        if head.why == "damaged" and previous.note is None and before.end > 0:
            self._loose.append(place)
        elif head.why in BREAKS:
            self.findings.unknown("damage" if head.why == "damaged" else "rolled_back", place)
        elif previous.origin != next(reversed(self.ended)):
            self.findings.fail("branch", place)
        if not before.sound:
            return
        if not self._reaches(head, previous, before):
            self.findings.fail("predecessor", place)
        elif previous.size > before.end:
            if self._missing(previous, before.end):
                self.findings.fail("handed_over", place)
        elif not _agrees(header, head, previous, before):
            self.findings.fail("predecessor_root", place)

    def _reaches(self, head: Head, previous: Previous, before: Ended) -> bool:
        """Whether the log before reaches to the checkpoint that entry 0 names.

        That is the newest; a damaged store may have none that can be read, or an older one.
        """
        if head.why == "damaged":
            return previous.note is None or self.vouched.has(previous.note)
        return previous.note is not None and previous.note in before.named.kept

    def _missing(self, previous: Previous, end: int) -> bool:
        """Whether anything behind the end of the log before was neither handed over nor lost.

        What it had taken over itself is named by another first place, so that is only counted.
        """
        owed = Ranges()
        owed.add(previous.origin, end, previous.size - 1)
        missing = sum(last + 1 - first for _, first, last in owed.outside(self._handed))
        others = (part for part in self._handed.all() if part[0] != previous.origin)
        return missing > sum(last + 1 - first for _, first, last in others)

    def _unreadable(self, entry: Deletion) -> None:
        for part in entry.ranges:
            place = range_place(part.origin, part.first, part.last)
            self.findings.unknown("unreadable", place)
            if self._handing:
                self._handed.add(part.origin, part.first, part.last)

    def _carried(self, one: Passed) -> None:
        """A carried entry stands behind entry 0, and is what it was, where the original is here."""
        first = one.facts.carried
        assert first is not None
        place = row_place(one.row)
        if not self._handing or (self._head is not None and self._head.why not in BREAKS):
            self.findings.fail("carried", place)
            return
        self._handed.add(first.origin, first.seq, first.seq)
        original = self.original(first.origin, first.seq)
        if original is None:
            self.findings.unknown("carried", place)
            return
        there, here = _plain(original.leaf), _plain(one.row.leaf)
        if there == here:
            return
        rolled_back = self._head is not None and self._head.why == "rolled_back"
        if not rolled_back or there.get("payload") == here.get("payload") is not None:
            self.findings.fail("carried", place)
        else:
            self.findings.unknown("carried", place)


def _agrees(header: SegmentLine, head: Head, previous: Previous, before: Ended) -> bool:
    """Whether the tree that entry 0 names is the one that the log before had at that size.

    A planned log begins at its end. One after a roll-back names the tree of the older card, and of
    a damaged one nothing may be left that says its size.
    """
    if previous.size < before.end and head.why in ("new", "yearly"):
        return False
    if head.why == "rolled_back" or (head.why == "damaged" and previous.size == 0):
        return True
    proof = [bytes.fromhex(part) for part in header.previous or []]
    root = bytes.fromhex(previous.root)
    try:
        verify_consistency(previous.size, before.end, proof, root, before.root)
    except ProofBroken:
        return False
    return True


def _place(header: SegmentLine, head: Head) -> Place:
    if head.previous is None:
        return at("follows_none", origin=header.origin)
    return at("follows", origin=header.origin, before=head.previous.origin)


def _plain(leaf: str) -> dict[str, object]:
    """What an entry says, without its place."""
    value = canonical.decode(leaf.encode(), entries.LEAF_SIZE_MAX)
    return {key: said for key, said in value.items() if key not in ("seq", "carried")}


def _ms(text: str) -> int:
    return round(parse_rfc3339(text).timestamp() * 1000)
