"""A circuit breaker: while a service is in trouble one call probes it, and every other waits. Pure.

One for each employer, since a credential's trouble is nobody else's. What is wrong decides the
wait; whatever the service asks for (`Retry-After`) is kept to. When it works again, it is given
calls by and by: one, two, four, so that it is not stampeded.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, replace

from gateway.onss.cases import Case

# So many calls in a row must fail: one dropped connection is no trouble.
FAILURES_MAX = 3
PROBE_MIN_MS = 5_000
PROBE_MAX_MS = 60_000
_SPREAD = 4


class Trouble(enum.StrEnum):
    """What is wrong: the service can't be had, it refuses the credential, or asks for a pause."""

    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    PAUSED = "paused"


TROUBLES: dict[Case, Trouble] = {
    Case.NO_NAME: Trouble.UNAVAILABLE,
    Case.CONNECTION_REFUSED: Trouble.UNAVAILABLE,
    Case.UNREACHABLE: Trouble.UNAVAILABLE,
    Case.TLS_FAILED: Trouble.UNAVAILABLE,
    Case.CONNECT_TIMEOUT: Trouble.UNAVAILABLE,
    Case.NOT_SENT: Trouble.UNAVAILABLE,
    Case.NO_TOKEN: Trouble.UNAVAILABLE,
    Case.UNAVAILABLE: Trouble.UNAVAILABLE,
    Case.SERVER_ERROR: Trouble.UNAVAILABLE,
    Case.ANSWER_TIMEOUT: Trouble.UNAVAILABLE,
    Case.ANSWER_LOST: Trouble.UNAVAILABLE,
    # Whoever answers here, it isn't the service.
    Case.WEB_PAGE: Trouble.UNAVAILABLE,
    Case.REDIRECT: Trouble.UNAVAILABLE,
    Case.OTHER_STATUS: Trouble.UNAVAILABLE,
    Case.TOKEN_REFUSED: Trouble.REFUSED,
    Case.TOKEN_DENIED: Trouble.REFUSED,
    Case.FORBIDDEN: Trouble.REFUSED,
    Case.NOT_FOUND: Trouble.REFUSED,
    Case.TOO_MANY: Trouble.PAUSED,
}


@dataclass(frozen=True, slots=True)
class Breaker:
    """Where one employer's service stands; as made, it is well.

    `since_ms`: the first failure in a row, by the wall clock. `trouble` is None while calls go.
    `probe_up_ms`: when the next probe may go, in ms since boot. `at_once`: how many calls it is
    given while it recovers, None for all.
    """

    failures: int = 0
    since_ms: int = 0
    trouble: Trouble | None = None
    why: Case | None = None
    probes: int = 0
    probe_up_ms: int = 0
    at_once: int | None = None

    def room(self, calls_max: int, under_way: int, up_ms: int) -> int:
        """Say how many more calls may be begun while so many are under way."""
        if self.trouble is not None:
            return int(not under_way and up_ms >= self.probe_up_ms)
        return max(0, min(calls_max, self.at_once or calls_max) - under_way)

    def worked(self, calls_max: int) -> Breaker:
        """Return where it stands after a call that the service answered for itself."""
        if self.trouble is not None:
            return Breaker(probes=self.probes, at_once=1)
        if self.at_once is None or self.at_once * 2 >= calls_max:
            return Breaker()
        return Breaker(probes=self.probes, at_once=self.at_once * 2)

    def failed(self, why: Case, asked_s: float, at_ms: int, up_ms: int, whose: str) -> Breaker:
        """Return where it stands after a call that met trouble; `why` is one of TROUBLES.

        `asked_s`: what the decision table, or the service, says to wait. `whose` spreads probes:
        always the same for one, so that a simulation replays.
        """
        if self.trouble is not None and up_ms < self.probe_up_ms:
            # It was begun before, and tells nothing new.
            return self
        kind = TROUBLES[why]
        failures = self.failures + 1
        since_ms = self.since_ms if self.failures or self.trouble else at_ms
        recovering = self.at_once is not None or self.trouble is not None
        if kind is Trouble.UNAVAILABLE and failures < FAILURES_MAX and not recovering:
            return replace(self, failures=failures, since_ms=since_ms)
        wait_ms = max(int(asked_s * 1000), min(PROBE_MIN_MS << min(self.probes, 10), PROBE_MAX_MS))
        digest = hashlib.sha256(f"{whose} {self.probes}".encode()).digest()
        wait_ms += int.from_bytes(digest[:4], "big") * (wait_ms // _SPREAD) // 2**32
        return Breaker(failures, since_ms, kind, why, self.probes + 1, up_ms + wait_ms)


def reopened(trouble: Trouble, why: str, since_ms: int) -> Breaker:
    """Return the breaker of a service that was in trouble when the gateway ended: probe it now."""
    known = Case(why) if why in set(Case) else None
    return Breaker(FAILURES_MAX, since_ms, trouble, known)
