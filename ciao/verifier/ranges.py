"""Sets of places in logs, kept as ranges. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Ranges:
    """Ranges [first, last] of each origin; those that touch or overlap the newest are joined."""

    of: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, origin: str, first: int, last: int) -> None:
        """Add a range, mostly behind the others."""
        known = self.of[origin]
        if known and known[-1][0] <= first <= known[-1][1] + 1:
            known[-1] = (known[-1][0], max(known[-1][1], last))
        else:
            known.append((first, last))

    def extend(self, origin: str, at: int, joined: bool) -> None:
        """Add one place; `joined` to the newest range where nothing but it lies between."""
        known = self.of[origin]
        if joined and known:
            known[-1] = (known[-1][0], at)
        else:
            known.append((at, at))

    def all(self) -> Iterator[tuple[str, int, int]]:
        """List the ranges: (origin, first, last)."""
        for origin, mine in self.of.items():
            yield from ((origin, first, last) for first, last in mine)

    def outside(self, other: Ranges) -> Iterator[tuple[str, int, int]]:
        """List what of this is not in the other: (origin, first, last)."""
        for origin, mine in self.of.items():
            covering, index = sorted(other.of.get(origin, ())), 0
            for first, last in sorted(mine):
                at = first
                while index < len(covering) and covering[index][0] <= last:
                    start, end = covering[index]
                    if start > at:
                        yield origin, at, start - 1
                    at = max(at, end + 1)
                    if end > last:
                        break
                    index += 1
                if at <= last:
                    yield origin, at, last
