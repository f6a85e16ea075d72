"""When to look at the ONSS's side again: rarely while all is well, often while it is not. Pure."""

from __future__ import annotations

from dataclasses import dataclass

# So that a cause is named within 30 s of what nobody's call met.
WELL_MS = 15_000
# While something fails, or just began to work again; after that, more patiently.
SUSPECT_MS = 3_000
LONG_MS = 5 * 60_000
LONG_SUSPECT_MS = 10_000
# A round that never came back.
LOST_MS = 60_000
# A token that was refused, or not to be had: the end is seen within 30 s where it comes soon.
TOKEN_AGAIN_S = 10.0
LONG_TOKEN_AGAIN_S = 60.0


@dataclass(slots=True)
class Pace:
    """Remembers when it looked; `due` says whether it should now."""

    _looked_ms: int | None = None
    _suspect_ms: int | None = None
    _looking_ms: int | None = None

    def due(self, up_ms: int, suspect: bool) -> bool:
        """Return whether to look now; what is due is taken as begun."""
        if not suspect:
            self._suspect_ms = None
        elif self._suspect_ms is None:
            self._suspect_ms = up_ms
        if self._looking_ms is not None and up_ms - self._looking_ms < LOST_MS:
            return False
        every_ms = WELL_MS
        if self._suspect_ms is not None:
            long = up_ms - self._suspect_ms > LONG_MS
            every_ms = LONG_SUSPECT_MS if long else SUSPECT_MS
        if self._looked_ms is not None and up_ms - self._looked_ms < every_ms:
            return False
        self._looked_ms = self._looking_ms = up_ms
        return True

    def done(self) -> None:
        """A round came back."""
        self._looking_ms = None


def ask_again_s(failing_s: float, asked_s: float) -> float:
    """Say how long to wait before a token that failed so long is asked for again.

    `asked_s`: for how long its server asks to be left alone (`Retry-After`), which is kept to.
    """
    patient = failing_s > LONG_MS / 1000
    return max(LONG_TOKEN_AGAIN_S if patient else TOKEN_AGAIN_S, asked_s)
