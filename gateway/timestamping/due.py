"""When a stamp is due: once a day, and after each outage that ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

DAILY = timedelta(days=1)
# An authority that gives none is asked again so late: it is never a stop, and may cost money.
AGAIN_MS = 3_600_000
# Many outages in a row are one reason to ask.
APART_MS = 600_000


@dataclass(slots=True)
class Due:
    """`newest` is when the last stamp was made; None where there is none yet."""

    newest: datetime | None
    _wanted: bool = False
    _asking: bool = False
    _not_before_up_ms: int = 0

    def outage_ended(self) -> None:
        """What was journalled about it should be dated by somebody else, too."""
        self._wanted = True

    def ask(self, at: datetime, up_ms: int) -> bool:
        """Say whether to ask for one now; whoever gets yes asks, and says how it went."""
        daily = self.newest is None or at - self.newest >= DAILY
        if self._asking or up_ms < self._not_before_up_ms or not (daily or self._wanted):
            return False
        self._asking, self._wanted = True, False
        return True

    def stamped(self, at: datetime, up_ms: int) -> None:
        """There is one, of a document of `at`."""
        self.newest = at
        self._asking = False
        self._not_before_up_ms = up_ms + APART_MS

    def failed(self, up_ms: int) -> None:
        """There is none; it is still wanted."""
        self._asking, self._wanted = False, True
        self._not_before_up_ms = up_ms + AGAIN_MS
