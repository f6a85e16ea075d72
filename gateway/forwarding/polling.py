"""Asking about accepted registrations until the ONSS has said its last word on them.

By the search, a few times in some days, and only with what room there is beside the rest.
"""

from __future__ import annotations

from collections.abc import Callable

from ciao.registration import State
from gateway.events import Consult, Consulted, Effect
from gateway.forwarding import answers
from gateway.forwarding.answers import Sealer
from gateway.forwarding.desk import Desk
from gateway.forwarding.services import Services
from gateway.forwarding.sought import sought
from gateway.forwarding.submitting import POLL_AFTER_S, settle_validity
from gateway.forwarding.turns import NEVER_MS, retry_ms
from gateway.ledger.rows import Moment, Tap
from gateway.onss.consult import query, standing
from gateway.onss.decisions import decide

# At once, for each employer: it never takes much from stamps that still have to go.
POLLS_MAX = 2


class Polling:
    """Asks for the validity of what was accepted, until it is final or asked about often enough."""

    def __init__(
        self, desk: Desk, services: Services, sealer: Sealer, new_uuid: Callable[[], str]
    ) -> None:
        self._desk = desk
        self._services = services
        self._sealer = sealer
        self._new_uuid = new_uuid
        self._begun: dict[int, str] = {}

    def work(self, now: Moment) -> list[Effect]:
        """Begin as many as there is room for; none while a service is in trouble."""
        effects: list[Effect] = []
        for employer in self._desk.taps.accepted_of():
            if self._services.in_trouble(employer):
                continue
            for tap in self._desk.taps.to_poll(employer, now.at_ms, POLLS_MAX):
                room = POLLS_MAX - sum(whose == employer for whose in self._begun.values())
                if tap.id not in self._begun and room > 0:
                    effects += self._ask(tap, employer, now)
        return effects

    def _ask(self, tap: Tap, employer: str, now: Moment) -> list[Effect]:
        wanted = sought(self._desk, self._sealer, tap)
        if wanted is None:
            self._later(tap, now)
            return []
        self._begun[tap.id] = employer
        self._services.called(employer)
        return [Consult(tap.id, employer, query(wanted.item), self._new_uuid())]

    def polled(self, event: Consulted, now: Moment) -> list[Effect]:
        """Take an accepted tap to what the service says of it now."""
        employer = self._begun.pop(event.tap, None)
        if employer is None:
            return []
        told = decide(event.answer, 1)[0]
        effects = self._services.searched(employer, told.case, told.after_s, now)
        tap = self._desk.taps.get(event.tap)
        if tap.state is not State.ACCEPTED or tap.onss_id is None:
            return effects
        what = answers.in_a_word(event.answer)
        sealed = self._sealer.seal(answers.plaintext(event.answer), answers.search_info(tap.id))
        self._desk.attempts.searched(tap.id, now.at_ms, what, sealed)
        created = standing(event.answer, tap.onss_id)
        if created is None or not settle_validity(self._desk, tap, created, now):
            self._later(tap, now)
        return effects

    def _later(self, tap: Tap, now: Moment) -> None:
        """Ask again after a longer while; at last no more: it stays accepted."""
        polls = tap.polls + 1
        over = polls >= len(POLL_AFTER_S)
        due_ms = NEVER_MS if over else now.at_ms + retry_ms(POLL_AFTER_S[polls], 1, tap.id)
        self._desk.taps.polled(tap.id, polls, due_ms)
