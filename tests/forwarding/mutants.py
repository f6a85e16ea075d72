"""The product, broken on purpose: each way must be caught by the check that it names.

`python -m tests.forwarding --mutant NAME` runs one. Those of the simulation that forwarding alone
can show are used here as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway.admitting import Admitting
from gateway.events import Effect, Submit
from gateway.forwarding import consulting
from gateway.forwarding.consulting import Consulting
from gateway.forwarding.sought import as_it_would_go
from gateway.forwarding.submitting import Submitting
from gateway.ledger.attempts import Attempts
from gateway.ledger.rows import Moment
from gateway.ledger.taps import Taps
from gateway.onss.cases import Case
from gateway.onss.consult import decide_consult
from gateway.onss.decisions import Verdict
from tests.forwarding import checks
from tests.sim.mutants.forwarding import (
    attempt_not_ended,
    direction_toggled,
    resent_after_a_crash,
    resent_on_timeout,
    retimed,
    youngest_first,
)
from tests.sim.mutants.mutant import Mutant, Patch

# Beginning with one in which the rarest shows soon.
SEEDS = (5, *range(1, 13))
ANOTHER_ID = "0c7e7a3e-5b0f-4f7e-9d57-5d1c5a4e9b10"


def called_twice(patch: Patch) -> None:
    """Each call is made twice, to be on the safe side."""
    work = Submitting.work

    def twice(self: Submitting, now: Moment) -> list[Effect]:
        return [made for effect in work(self, now) for made in (effect, effect)]

    patch(Submitting, "work", twice)


def called_by_another_id(patch: Patch) -> None:
    """A call is made by an id that was not written down."""
    work = Submitting.work

    def other(self: Submitting, now: Moment) -> list[Effect]:
        return [
            replace(made, trace_id=ANOTHER_ID) if isinstance(made, Submit) else made
            for made in work(self, now)
        ]

    patch(Submitting, "work", other)


def search_believed_at_once(patch: Patch) -> None:
    """What the search does not show yet is not there."""

    def hasty(
        registration: Any, answer: Any, _waited_s: float, settling_s: float, taken: Any
    ) -> Any:
        return decide_consult(registration, answer, settling_s, settling_s, taken)

    patch(consulting, "decide_consult", hasty)


def searched_for_as_it_would_go(patch: Patch) -> None:
    """What the registry says now is searched for, not what was sent."""

    def now(desk: Any, _sealer: Any, tap: Any) -> Any:
        return as_it_would_go(desk, tap)

    patch(consulting, "sought", now)


def unknown_forgotten(patch: Patch) -> None:
    """What got no answer is never asked about."""
    patch(Consulting, "work", lambda *_: [])


def unknown_taken_for_refused(patch: Patch) -> None:
    """What got no answer is a refusal, whatever a search says."""
    patch(consulting, "decide_consult", lambda *_: Verdict(Case.NOT_CREATED))


def attempt_corrected(patch: Patch) -> None:
    """When a call ends, when it began is put right."""
    end = Attempts.end

    def correcting(self: Attempts, attempt: int, at_ms: int, what: str, answer: bytes) -> None:
        self._db.execute("DROP TRIGGER IF EXISTS attempt_begun_never_update")
        self._db.execute("UPDATE attempt_begun SET at_ms = at_ms + 1 WHERE id = ?", [attempt])
        end(self, attempt, at_ms, what, answer)

    patch(Attempts, "end", correcting)


def set_aside_without_a_word(patch: Patch) -> None:
    """What waits for a person doesn't say why."""
    move = Taps.move

    def silently(self: Taps, tap: Any, after: Any, reason: Any, *rest: Any, **more: Any) -> Any:
        return move(self, tap, after, None if after == "held" else reason, *rest, **more)

    patch(Taps, "move", silently)


def one_in_seven_dropped(patch: Patch) -> None:
    """A tap now and then isn't taken up."""
    link: Any = Admitting._link

    def fewer(self: Admitting, *given: Any) -> Any:
        *where, held, now = given
        return link(self, *where, [one for one in held if one.entry.seq % 7 != 3], now)

    patch(Admitting, "_link", fewer)


def _caught_by(check: Any) -> str:
    return check if isinstance(check, str) else str(check.__name__)


MUTANTS = {
    breaks.__name__: Mutant(breaks.__name__, breaks, _caught_by(check), SEEDS)
    for breaks, check in (
        (called_twice, checks.the_ledger_equals_the_sandbox),
        (resent_on_timeout, checks.the_ledger_equals_the_sandbox),
        (search_believed_at_once, checks.the_ledger_equals_the_sandbox),
        (searched_for_as_it_would_go, checks.the_ledger_equals_the_sandbox),
        (unknown_taken_for_refused, checks.the_ledger_equals_the_sandbox),
        (direction_toggled, checks.the_ledger_equals_the_sandbox),
        (retimed, checks.the_ledger_equals_the_sandbox),
        (called_by_another_id, checks.each_registration_was_begun_before),
        (attempt_not_ended, checks.what_ended_was_written_down),
        (attempt_corrected, checks.NEVER_CHANGED),
        (resent_after_a_crash, checks.nothing_is_sent_again_blindly),
        (youngest_first, checks.each_workers_order_is_kept),
        (unknown_forgotten, checks.everything_comes_to_rest),
        (set_aside_without_a_word, checks.each_ends_at_the_onss_or_aside_with_a_reason),
        (one_in_seven_dropped, checks.each_tap_is_there_once),
    )
}
