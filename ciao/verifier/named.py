"""Which cosigned checkpoints an entry may name: those before it that are not outdated. Pure.

A terminal names the newest one it has, so whatever is smaller than the last that was named can be
forgotten: what is remembered does not grow with the log.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from ciao.verifier.seen import Seen

# A bundle that makes a verifier remember more than this is not an honest one.
REMEMBERED_MAX = 200_000


@dataclass(slots=True)
class Named:
    """The checkpoints that may still be named, smallest first."""

    kept: OrderedDict[str, Seen] = field(default_factory=OrderedDict)

    def add(self, seen: Seen) -> bool:
        """A checkpoint was reached; False where there are too many that nobody names."""
        self.kept[seen.sha256] = seen
        return len(self.kept) <= REMEMBERED_MAX

    def name(self, sha256: str) -> Seen | None:
        """An entry names one: return it, and forget the smaller ones; None where it is not here."""
        found = self.kept.get(sha256)
        if found is None:
            return None
        while (smallest := next(iter(self.kept.values()))).size < found.size:
            del self.kept[smallest.sha256]
        return found
