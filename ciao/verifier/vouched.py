"""What a gateway's own journal says of terminals: which checkpoints it cosigned. Pure.

Each that it names in a terminal's stretch must be in the bundle. So leaving one out shows, unless
the gateway's journal is rewritten as well, which an outside witness keeps it from.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from ciao.entries import Heartbeat
from ciao.evidence.lines import Stretch
from ciao.names import Origin
from ciao.reading import parse_rfc3339
from ciao.verifier.findings import Findings, at
from ciao.verifier.segment import Passed

# What a gateway cosigned last it names a few minutes later.
LATE = timedelta(minutes=5)


@dataclass(slots=True)
class Vouched:
    """A terminal's cosigned checkpoints, sixteen bytes each, in the order of the bundle."""

    findings: Findings
    # The gateways that name any of them, and behind the last one that is named.
    by: set[str] = field(default_factory=set)
    reached: int = 0
    _high: array[int] = field(default_factory=lambda: array("Q"))
    _low: array[int] = field(default_factory=lambda: array("Q"))
    _at: int = 0

    def add(self, sha256: str) -> None:
        """A checkpoint is in the bundle."""
        self._high.append(int(sha256[:16], 16))
        self._low.append(int(sha256[16:32], 16))

    @property
    def beyond(self) -> int:
        """How many checkpoints stand behind the last one that a gateway's journal names."""
        return len(self._high) - self.reached

    def name(self, sha256: str, gateway: str) -> bool:
        """A gateway's journal names one; False where it is not here."""
        if not self.has(sha256):
            return False
        self.by.add(gateway)
        self.reached = max(self.reached, self._at + 1)
        return True

    def has(self, sha256: str) -> bool:
        """Say whether a checkpoint is here; quick where each is asked for after the one before."""
        high, low = int(sha256[:16], 16), int(sha256[16:32], 16)
        for start, end in ((self._at, len(self._high)), (0, self._at)):
            place = start
            while place < end:
                try:
                    place = self._high.index(high, place, end)
                except ValueError:
                    break
                if self._low[place] == low:
                    self._at = place
                    return True
                place += 1
        return False


def compare(
    one: Passed, stretches: dict[str, tuple[str, str | None]], vouched: dict[str, Vouched]
) -> None:
    """Hold what a gateway's heartbeat names to what is in the bundle.

    `stretches`: of each terminal from when to when it is complete.
    """
    entry = one.facts.entry
    if not isinstance(entry, Heartbeat) or not one.facts.believed:
        return
    for terminal, sha256 in entry.notes.items():
        start, end = stretches.get(terminal, ("", None))
        if end is None or terminal not in vouched:
            continue
        inside = parse_rfc3339(start) <= one.facts.at <= parse_rfc3339(end)
        named = vouched[terminal].name(sha256, Origin.parse(one.row.origin).owner)
        if inside and not named:
            by = one.row
            where = at("entry_of", terminal=terminal, origin=by.origin, seq=by.seq)
            vouched[terminal].findings.fail("note_hidden", where)


def covers(gateways: Iterable[Stretch], stretch: Stretch) -> bool:
    """Whether gateways' journals together tell of all the time that is claimed of a terminal.

    `gateways`: the stretches of those that name any checkpoint of it.
    """
    if stretch.end is None:
        return True
    at, end = parse_rfc3339(stretch.start), parse_rfc3339(stretch.end) - LATE
    spans = [(parse_rfc3339(o.start), parse_rfc3339(o.end)) for o in gateways if o.end is not None]
    for begun, ended in sorted(spans):
        if begun <= at:
            at = max(at, ended)
    return bool(spans) and at >= end
