"""When to send what: the journal is the queue, this is only the window over it. Pure.

Batches go strictly in order from the settled size. In flight ends at a receipt, after 10 s, or
on any connect; then sending resumes from what is settled. Nothing here makes anything safe:
only a receipt that was checked does (DESIGN 3.5, 3.12).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

IN_FLIGHT_MAX = 4
IN_FLIGHT_MS = 10_000
RESEND_HEEDED_EVERY_MS = 10_000
PAUSE_MS_MAX = 600_000
PAUSE_MS_FIRST = 5_000
# A binding lists at most 4; more names than this are somebody's mistake.
GATEWAYS_MAX = 16


@dataclass(frozen=True, slots=True)
class _Flight:
    end: int
    sent_up_ms: int
    checkpoint: str


@dataclass(slots=True)
class Uplink:
    """The window: what is settled, what is under way, and whether anybody listens."""

    settled: int = 0
    sent: int = 0
    session: Literal["ok", "down", "refused"] = "down"
    _unanswered_up_ms: int | None = None
    _gateways: set[str] = field(default_factory=set)
    _flights: deque[_Flight] = field(default_factory=deque)
    _resend_up_ms: int | None = None
    _paused_until_up_ms: int = 0
    _pause_ms: int = PAUSE_MS_FIRST

    @property
    def connected(self) -> bool:
        """Whether the session with the broker is up."""
        return self.session == "ok"

    @property
    def gateway_there(self) -> bool:
        """Whether a gateway says that it is online, as far as can be known."""
        return self.connected and bool(self._gateways)

    def begin(self, settled: int) -> None:
        """Start anew over a segment."""
        self.settled = self.sent = settled
        self._flights.clear()

    def connect(self) -> None:
        """The session is up. Who listens is told again, and then sending begins anew."""
        self.session = "ok"
        self._unanswered_up_ms = None
        self._gateways.clear()

    def disconnect(self, *, refused: bool = False) -> None:
        """The session ended, or was `refused`, which it stays until it comes up."""
        self.session = "refused" if refused or self.session == "refused" else "down"
        self._gateways.clear()

    def gateway(self, name: str, online: bool) -> None:
        """A gateway came or went; one that comes may have missed what was under way."""
        if not online:
            self._gateways.discard(name)
        elif name not in self._gateways and len(self._gateways) < GATEWAYS_MAX:
            self._gateways.add(name)
            self.begin(self.settled)

    def listened(self, up_ms: int) -> bool:
        """Say whether anything may be sent now."""
        return self.gateway_there and up_ms >= self._paused_until_up_ms

    def next_start(self, up_ms: int, size: int) -> int | None:
        """Say from where to send now, or None where nothing is to be sent."""
        if self._flights and up_ms - self._flights[0].sent_up_ms >= IN_FLIGHT_MS:
            self.begin(self.settled)
        if not self.listened(up_ms):
            return None
        if self.sent >= size or len(self._flights) >= IN_FLIGHT_MAX:
            return None
        return self.sent

    def sent_to(self, end: int, up_ms: int, checkpoint: str) -> None:
        """A batch that ends at tree size `end` was handed to the session.

        `checkpoint` is the SHA-256 of its checkpoint's note, in hex, by which it can be refused.
        """
        self._flights.append(_Flight(end, up_ms, checkpoint))
        self.sent = end
        if self._unanswered_up_ms is None:
            self._unanswered_up_ms = up_ms

    def settle(self, size: int) -> None:
        """A receipt was checked and kept: everything below `size` is safe."""
        self.settled = max(self.settled, size)
        self.sent = max(self.sent, self.settled)
        self._pause_ms = PAUSE_MS_FIRST
        self.answered()
        while self._flights and self._flights[0].end <= self.settled:
            self._flights.popleft()

    def answered(self) -> None:
        """A receipt was checked: whether our disk keeps it or not, the gateway did answer."""
        self._unanswered_up_ms = None

    def unanswered_ms(self, up_ms: int) -> int | None:
        """Say how long what was sent has waited for any receipt; None where nothing waits."""
        since = self._unanswered_up_ms
        return None if since is None else up_ms - since

    def resend(self, seq: int, up_ms: int) -> bool:
        """Heed a gateway that lacks entries, once in 10 s; say whether it was heeded.

        Only ever backwards: a hint can't make us skip what nobody has. What it lacks no more makes
        room in the window; the newest batch keeps its 10 s, for nothing is settled by that.
        """
        while len(self._flights) > 1 and self._flights[0].end <= seq:
            self._flights.popleft()
        before = self._resend_up_ms
        if before is not None and up_ms - before < RESEND_HEEDED_EVERY_MS:
            return False
        if seq >= self.sent:
            return False
        self._resend_up_ms = up_ms
        self._flights.clear()
        self.sent = seq
        return True

    def refuse(self, checkpoint: str, up_ms: int) -> bool:
        """Heed a gateway that refused a batch, if it is under way; say whether it was heeded.

        `checkpoint` is "" where the batch couldn't even be read. What follows a refused batch is
        refused as well: that is one refusal, and none of what was sent before.
        """
        if not any(checkpoint in ("", flight.checkpoint) for flight in self._flights):
            return False
        self.pause(up_ms)
        return True

    def pause(self, up_ms: int) -> None:
        """It does not work now: wait, longer each time, at most 10 minutes, then try again."""
        self._paused_until_up_ms = up_ms + self._pause_ms
        self._pause_ms = min(self._pause_ms * 2, PAUSE_MS_MAX)
        self.begin(self.settled)
