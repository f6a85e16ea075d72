"""What a gateway asks for of an older segment: one batch each time it asks. Pure.

After a backup was restored a gateway lacks what it once receipted, also of segments that ended.
It asks, is sent one batch, and asks for the next one: so nothing has to be remembered of how far
it got, and what it has stored already is never sent for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

HEEDED_EVERY_MS = 10_000

# An origin, and the sequence number from which it is asked for.
Place = tuple[str, int]


@dataclass(slots=True)
class Again:
    """The place that was asked for and not sent yet; at most one, so there is no queue."""

    asked: Place | None = None
    _last: Place = ("", 0)
    _heeded_up_ms: int | None = None

    def ask(self, origin: str, seq: int, up_ms: int) -> bool:
        """Heed a gateway that lacks entries; say whether it was heeded.

        At once where it goes on from what it was sent; else once in 10 s.
        """
        onward = origin == self._last[0] and seq > self._last[1]
        before = self._heeded_up_ms
        if not onward and before is not None and up_ms - before < HEEDED_EVERY_MS:
            return False
        if not onward:
            self._heeded_up_ms = up_ms
        self.asked = self._last = (origin, seq)
        return True

    def forget(self) -> None:
        """It was sent, it can't be, or nobody listens any more: whoever lacks it asks again."""
        self.asked = None
