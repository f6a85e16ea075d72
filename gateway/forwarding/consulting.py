"""Searching for taps whose answer is unknown, until it is sure what became of them."""

from __future__ import annotations

from collections.abc import Callable

from ciao.registration import State
from gateway.events import Consult, Consulted, Effect
from gateway.forwarding import answers
from gateway.forwarding.answers import Sealer
from gateway.forwarding.desk import Desk
from gateway.forwarding.services import Services
from gateway.forwarding.sought import Sought, as_it_would_go, sought
from gateway.forwarding.submitting import judge
from gateway.forwarding.turns import retry_ms
from gateway.ledger.rows import Moment, Tap
from gateway.onss.cases import Act
from gateway.onss.consult import decide_consult, query
from gateway.onss.decisions import decide

# At once, for each employer.
SEARCHES_MAX = 4
# While it is not known whose a tap is, it can't be searched for.
NOBODY_WAIT_MS = 10 * 60_000
# Two stamps this close may be taken for each other by a search.
NEAR_MS = 2_000


class Consulting:
    """Asks for what is unknown, and decides with what the search says."""

    def __init__(
        self,
        desk: Desk,
        services: Services,
        settling_s: float,
        sealer: Sealer,
        new_uuid: Callable[[], str],
    ) -> None:
        self._desk = desk
        self._services = services
        self._settling_s = settling_s
        self._sealer = sealer
        self._new_uuid = new_uuid
        self._begun: dict[int, tuple[str, Moment]] = {}

    def work(self, now: Moment) -> list[Effect]:
        """Begin as many searches as there is room for, each employer's apart from the others'."""
        effects: list[Effect] = []
        for employer in self._desk.taps.unknown_of():
            for tap in self._desk.taps.to_consult(employer, now.at_ms, SEARCHES_MAX):
                if tap.id not in self._begun:
                    effects += self._ask(tap, now)
        return effects

    def _ask(self, tap: Tap, now: Moment) -> list[Effect]:
        """Begin a search for a tap, if there is room for it."""
        wanted = sought(self._desk, self._sealer, tap)
        if wanted is None:
            self._desk.wait(tap, now.at_ms + NOBODY_WAIT_MS)
            return []
        employer = wanted.employer
        under_way = sum(whose == employer for whose, _ in self._begun.values())
        if not self._services.room(employer, SEARCHES_MAX, under_way, now):
            return []
        self._begun[tap.id] = (employer, now)
        self._services.called(employer)
        return [Consult(tap.id, employer, query(wanted.item), self._new_uuid())]

    def consulted(self, event: Consulted, now: Moment) -> list[Effect]:
        """Take a tap to what its search says; absence counts only once the search has settled."""
        begun = self._begun.pop(event.tap, None)
        if begun is None:
            return []
        employer, asked = begun
        told = decide(event.answer, 1)[0]
        effects = self._services.searched(employer, told.case, told.after_s, now)
        tap = self._desk.taps.get(event.tap)
        if tap.state is State.UNKNOWN:
            self._judge(tap, event, asked, now)
        return effects

    def _judge(self, tap: Tap, event: Consulted, asked: Moment, now: Moment) -> None:
        what = answers.in_a_word(event.answer)
        sealed = self._sealer.seal(answers.plaintext(event.answer), answers.search_info(tap.id))
        self._desk.attempts.searched(tap.id, now.at_ms, what, sealed)
        wanted = sought(self._desk, self._sealer, tap)
        if wanted is None:
            self._desk.wait(tap, now.at_ms + NOBODY_WAIT_MS)
            return
        waited_s = tap.since.elapsed_ms(asked) / 1000
        verdict = decide_consult(
            wanted.item, event.answer, waited_s, self._settling_s, self._taken(tap, wanted)
        )
        if verdict.act is Act.UNKNOWN:
            self._desk.wait(tap, now.at_ms + retry_ms(verdict.after_s, 1, tap.id))
            return
        if verdict.state is State.RECORDED and wanted == as_it_would_go(self._desk, tap):
            # Else, what is missing is not what would go now: after a restored backup, one more
            # search is for that.
            self._desk.taps.cleared(tap.id, self._desk.restoring.times)
        judge(self._desk, self._desk.assign(tap, wanted), verdict, now)

    def _taken(self, tap: Tap, wanted: Sought) -> list[str]:
        """List the ONSS ids near this moment that this person's other stamps have."""
        near = (tap.stamped_ms - NEAR_MS, tap.stamped_ms + NEAR_MS)
        return self._desk.taps.onss_ids(wanted.worker, *near)
