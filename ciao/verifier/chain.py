"""A terminal's logs, one after the other: nothing between or before them is missing. Pure.

A log that is not the terminal's first either has a checkpoint that was cosigned before the period
began, or follows another in the bundle that reaches as far as was cosigned of it.
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
from ciao.verifier.findings import Findings
from ciao.verifier.named import Named
from ciao.verifier.segment import Passed, Segment

# Reads the row of an (origin, seq) that lies before; None where it is not in the bundle.
Original = Callable[[str, int], Row | None]


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
    findings: Findings
    ended: dict[str, Ended] = field(default_factory=dict)
    latest_ms: int | None = None
    _head: Head | None = None
    _handed: int = 0
    _carrying: bool = True

    def passed(self, one: Passed) -> None:
        """An entry of the log that is walked."""
        entry, found = one.facts.entry, one.facts
        if found.seq == 0:
            self._head = entry if isinstance(entry, Head) and found.carried is None else None
            self._handed = 0
        elif found.carried is not None:
            self._handed += 1
            self._carried(one)
        if isinstance(entry, Deletion) and entry.why == "unreadable":
            self._handed += sum(part.last + 1 - part.first for part in entry.ranges)
        if one.verdict in ("proven", "undated") and not one.claimed and found.carried is None:
            self.latest_ms = max(self.latest_ms or 0, found.at_ms)

    def end(self, segment: Segment) -> None:
        """The log is walked to its end: does it follow what went before?"""
        header = segment.header
        if segment.sound:
            self._follows(segment, self._head if header.first == 0 else None)
        root = segment.frontier.root() if segment.frontier.size == header.end else b""
        if segment.last is not None and segment.last.size == header.end:
            root = segment.last.root
        self.ended[header.origin] = Ended(header.end, root, segment.named, segment.sound)
        self._head, self._handed = None, 0

    def close(self) -> None:
        """All logs of the terminal are through: do they reach as far as was said?"""
        end = self.stretch.end
        if not all(one.sound for one in self.ended.values()):
            return
        if end is None:
            self.findings.unknown("no_end", self.stretch.terminal)
        elif self.latest_ms is None or self.latest_ms < _ms(end):
            self.findings.fail("fresh", f"{self.stretch.terminal}, {end}")

    def _follows(self, segment: Segment, head: Head | None) -> None:
        header = segment.header
        start_ms = _ms(self.stretch.start)
        moment_s = segment.first_moment_s
        before = moment_s is not None and moment_s * 1000 <= start_ms
        if header.first > 0:
            if self.ended or not before:
                self.findings.fail("start", header.origin)
        elif head is None:
            self.findings.fail("leaf", f"{header.origin} entry 0")
        elif head.previous is None:
            self._follows_nothing(header, head)
        elif head.previous.origin in self.ended:
            self._follows_on(header, head, head.previous, self.ended[head.previous.origin])
        elif self.ended or not before:
            self.findings.fail("predecessor", f"{header.origin} follows {head.previous.origin}")

    def _follows_nothing(self, header: SegmentLine, head: Head) -> None:
        if head.why == "damaged":
            self.findings.unknown("damage", header.origin)
        elif self.ended or head.why != "new":
            self.findings.fail("begins_anew", header.origin)

    def _follows_on(
        self, header: SegmentLine, head: Head, previous: Previous, before: Ended
    ) -> None:
        place = f"{header.origin} follows {previous.origin}"
        if head.why in ("damaged", "rolled_back"):
            self.findings.unknown("damage" if head.why == "damaged" else "rolled_back", place)
        if not before.sound:
            return
        if previous.note is not None and previous.note not in before.named.kept:
            self.findings.fail("predecessor", place)
        elif previous.size > before.end:
            if self._handed < previous.size - before.end:
                self.findings.fail("handed_over", place)
        elif not _agrees(header, head, previous, before):
            self.findings.fail("predecessor_root", place)

    def _carried(self, one: Passed) -> None:
        """A carried entry is what it was, where the original is here."""
        first = one.facts.carried
        assert first is not None
        place = f"{one.row.origin} entry {one.row.seq}"
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

    A planned log begins at its end. One after a roll-back names the tree of the older card.
    """
    if previous.size < before.end and head.why in ("new", "yearly"):
        return False
    if head.why == "rolled_back" or previous.size == 0:
        return True
    proof = [bytes.fromhex(part) for part in header.previous or []]
    root = bytes.fromhex(previous.root)
    try:
        verify_consistency(previous.size, before.end, proof, root, before.root)
    except ProofBroken:
        return False
    return True


def _plain(leaf: str) -> dict[str, object]:
    """What an entry says, without its place."""
    value = canonical.decode(leaf.encode(), entries.LEAF_SIZE_MAX)
    return {key: said for key, said in value.items() if key not in ("seq", "carried")}


def _ms(text: str) -> int:
    return round(parse_rfc3339(text).timestamp() * 1000)
