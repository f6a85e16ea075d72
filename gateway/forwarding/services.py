"""How each employer's service stands: its breaker, and the rows and events when that changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from gateway.events import Effect, ServiceTrouble
from gateway.forwarding.breaker import TROUBLES, Breaker, Trouble, reopened
from gateway.ledger import Ledger
from gateway.ledger.rows import Moment
from gateway.onss.cases import Case


class Services:
    """Keeps breakers and writes their troubles; each method runs in the ledger's transaction."""

    def __init__(self, ledger: Ledger, calls_max: int) -> None:
        self._rows = ledger.services
        self._calls_max = calls_max
        self._breakers: dict[str, Breaker] = {}
        self._standing: dict[str, int] = {}
        self._under_way: Counter[str] = Counter()

    @property
    def breakers(self) -> Mapping[str, Breaker]:
        """How every employer's service that was ever called stands now."""
        return self._breakers

    def begin(self) -> None:
        """At a start, what was in trouble still is, until a probe says otherwise."""
        for row in self._rows.standing():
            self._standing[row.employer] = row.id
            self._breakers[row.employer] = reopened(Trouble(row.kind), row.why, row.since_ms)

    def room(self, employer: str, calls_max: int, under_way: int, now: Moment) -> int:
        """Say how many more calls of a kind may be begun, of which so many are under way.

        While the service is in trouble, one of any kind at a time.
        """
        breaker = self.breaker(employer)
        if breaker.trouble is not None:
            under_way = self._under_way[employer]
        return breaker.room(calls_max, under_way, now.up_ms)

    def called(self, employer: str) -> None:
        """Note that a call was begun."""
        self._under_way[employer] += 1

    def breaker(self, employer: str) -> Breaker:
        """Return an employer's breaker."""
        return self._breakers.get(employer, Breaker())

    def in_trouble(self, employer: str) -> bool:
        """Say whether only probes go to an employer's service."""
        return self.breaker(employer).trouble is not None

    def heard(self, employer: str, case: Case, after_s: float, now: Moment) -> list[Effect]:
        """Take what a call to register ended with; return what changed for the whole service."""
        self._under_way[employer] -= 1
        before = self.breaker(employer)
        if case in TROUBLES:
            after = before.failed(case, after_s, now.at_ms, now.up_ms, employer)
        else:
            after = before.worked(self._calls_max)
        return self._changed(employer, before, after, now)

    def searched(self, employer: str, case: Case, after_s: float, now: Moment) -> list[Effect]:
        """Take what a search ended with: it counts only while the service is in trouble.

        The search is unknown at the real service, so its failing alone is no trouble.
        """
        self._under_way[employer] -= 1
        before = self.breaker(employer)
        if before.trouble is None:
            return []
        if case in TROUBLES and (case is not Case.NOT_FOUND or before.why is Case.NOT_FOUND):
            after = before.failed(case, after_s, now.at_ms, now.up_ms, employer)
        else:
            after = before.worked(self._calls_max)
        return self._changed(employer, before, after, now)

    def _changed(self, employer: str, before: Breaker, after: Breaker, now: Moment) -> list[Effect]:
        self._breakers[employer] = after
        if after.trouble == before.trouble:
            return []
        effects: list[Effect] = []
        if before.trouble is not None:
            self._rows.ended(self._standing.pop(employer), now)
            effects.append(_told(employer, before, now, ended=True))
        if after.trouble is not None:
            why = after.why or ""
            self._standing[employer] = self._rows.begun(
                employer, after.trouble, why, after.since_ms, now
            )
            effects.append(_told(employer, after, now, ended=False))
        return effects


def _told(employer: str, breaker: Breaker, now: Moment, ended: bool) -> ServiceTrouble:
    assert breaker.trouble is not None
    why = breaker.why.value if breaker.why else ""
    return ServiceTrouble(
        employer, breaker.trouble.value, why, breaker.since_ms, now.at_ms if ended else None
    )
