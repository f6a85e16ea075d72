"""What a gateway's own journal says of terminals: which checkpoints it cosigned. Pure.

Each that it names in a terminal's stretch must be in the bundle. So leaving one out shows, unless
the gateway's journal is rewritten as well, which an outside witness keeps it from.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from ciao.entries import Heartbeat
from ciao.reading import parse_rfc3339
from ciao.verifier.findings import Findings
from ciao.verifier.segment import Passed


@dataclass(slots=True)
class Vouched:
    """A terminal's cosigned checkpoints, sixteen bytes each, in the order of the bundle."""

    findings: Findings
    _high: array[int] = field(default_factory=lambda: array("Q"))
    _low: array[int] = field(default_factory=lambda: array("Q"))
    _at: int = 0

    def add(self, sha256: str) -> None:
        """A checkpoint is in the bundle."""
        self._high.append(int(sha256[:16], 16))
        self._low.append(int(sha256[16:32], 16))

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
        if inside and not vouched[terminal].has(sha256):
            where = f"{terminal}, by {one.row.origin} entry {one.row.seq}"
            vouched[terminal].findings.fail("note_hidden", where)
