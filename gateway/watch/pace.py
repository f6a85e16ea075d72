"""When to look at the ONSS's side again: rarely while all is well, often while it is not. Pure."""

from __future__ import annotations

from dataclasses import dataclass

# So that a cause is named within 30 s of what nobody's call met.
WELL_MS = 15_000
# While something fails, or just began to work again; after that, more patiently.
SUSPECT_MS = 3_000
LONG_MS = 5 * 60_000
LONG_SUSPECT_MS = 10_000
# A token is asked for only so often: its server is not ours to keep busy.
TOKEN_MS = 5 * 60_000
TOKEN_SUSPECT_MS = 15_000
# A round that never came back.
LOST_MS = 60_000


@dataclass(slots=True)
class Pace:
    """Remembers when it looked; `due` says whether it should now, and at the tokens as well."""

    _looked_ms: int | None = None
    _token_ms: int | None = None
    _suspect_ms: int | None = None
    _looking_ms: int | None = None

    def due(self, up_ms: int, suspect: bool, token_fails: bool) -> tuple[bool, bool]:
        """Return (look now, at the tokens too); what is due is taken as begun."""
        if not suspect:
            self._suspect_ms = None
        elif self._suspect_ms is None:
            self._suspect_ms = up_ms
        if self._looking_ms is not None and up_ms - self._looking_ms < LOST_MS:
            return False, False
        every_ms = WELL_MS
        if self._suspect_ms is not None:
            long = up_ms - self._suspect_ms > LONG_MS
            every_ms = LONG_SUSPECT_MS if long else SUSPECT_MS
        if self._looked_ms is not None and up_ms - self._looked_ms < every_ms:
            return False, False
        token_every_ms = TOKEN_SUSPECT_MS if token_fails else TOKEN_MS
        token = self._token_ms is None or up_ms - self._token_ms >= token_every_ms
        self._looked_ms = self._looking_ms = up_ms
        if token:
            self._token_ms = up_ms
        return True, token

    def done(self) -> None:
        """A round came back."""
        self._looking_ms = None
