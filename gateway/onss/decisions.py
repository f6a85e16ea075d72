"""From what one call yielded to what is done with each registration in it. Pure.

The table itself is `cases.TABLE`; here is only which case an outcome is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ciao.registration import State
from gateway.onss.answers import Answer, NoAnswer, Outcome, Silence
from gateway.onss.cases import TABLE, Act, Case
from gateway.onss.hints import hinted
from gateway.onss.mapping import Created, ItemAnswer, NotCreated, item_answers
from gateway.onss.problems import Issue, Problem, issue, problem, retry_after_s
from gateway.onss.reasons import FIELDS, Reason

# The issue types that speak of a value; `schemaViolation` speaks of our form.
VALUE_ISSUES = frozenset({"invalidInput", "unknownInput", "referencedResourceNotFound"})

STATES = {
    Act.ACCEPTED: State.ACCEPTED,
    Act.REJECTED: State.REJECTED,
    Act.RETRY: State.RECORDED,
    Act.RENEW_TOKEN: State.RECORDED,
    Act.HOLD: State.HELD,
    Act.UNKNOWN: State.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with one registration now, and the row of the table it comes from.

    `after_s`: not sent (RETRY) or consulted (UNKNOWN) again before that many seconds. `onss_id`,
    `validity` (the service's word, an open enumeration) and `remarks` with ACCEPTED; `reason`
    with REJECTED. `person`: somebody must be told, it won't pass by itself.
    """

    case: Case
    after_s: float = 0.0
    onss_id: str | None = None
    validity: str = ""
    remarks: tuple[Any, ...] = ()
    reason: Reason | None = None

    @property
    def act(self) -> Act:
        """What is done, by the table."""
        return TABLE[self.case].act

    @property
    def person(self) -> bool:
        """Whether somebody must be told, by the table."""
        return TABLE[self.case].person

    @property
    def state(self) -> State:
        """The registration's state from now on."""
        return STATES[self.act]


def decide(outcome: Outcome, count: int, in_order: bool = False) -> tuple[Verdict, ...]:
    """Return one verdict for each of the `count` registrations of the call, in the order sent.

    `in_order` says that the service is confirmed to answer items in the order they were sent;
    until then an answer to several items leaves each to be consulted. Raises ValueError for a
    count below 1.
    """
    if count < 1:
        raise ValueError(f"a call of {count} items")
    if isinstance(outcome, NoAnswer):
        return (waiting(silent(outcome), outcome.retry_after_s),) * count
    if outcome.status in range(200, 300):
        return _taken(outcome, count, in_order)
    told = problem(outcome)
    if told is not None and outcome.status == 400 and told.kind == "badRequest":
        return tuple(_bad_request(told, index, count) for index in range(count))
    return (waiting(_refused(outcome, told, count), retry_after_s(outcome)),) * count


def waiting(case: Case, asked_s: float | None = None) -> Verdict:
    """Return the verdict of a case that has nothing to tell but how long to wait."""
    row = TABLE[case]
    if row.act not in (Act.RETRY, Act.UNKNOWN) or asked_s is None:
        return Verdict(case, row.after_s)
    return Verdict(case, max(asked_s, row.after_s) if row.person else asked_s)


SILENCES: dict[Silence, Case] = {
    Silence.DNS: Case.NO_NAME,
    Silence.REFUSED: Case.CONNECTION_REFUSED,
    Silence.UNREACHABLE: Case.UNREACHABLE,
    Silence.TLS: Case.TLS_FAILED,
    Silence.CONNECT_TIMEOUT: Case.CONNECT_TIMEOUT,
    Silence.TOKEN_UNREACHABLE: Case.NO_TOKEN,
    Silence.TOKEN_DENIED: Case.TOKEN_DENIED,
}


def silent(none: NoAnswer) -> Case:
    """Return the case of a call without an answer; what decides is whether it was sent."""
    if not none.sent:
        return SILENCES.get(none.reason, Case.NOT_SENT)
    if none.reason is Silence.TIMEOUT:
        return Case.ANSWER_TIMEOUT
    return Case.ANSWER_TOO_LONG if none.reason is Silence.TOO_LONG else Case.ANSWER_LOST


def _taken(answer: Answer, count: int, in_order: bool) -> tuple[Verdict, ...]:
    items = item_answers(answer.body)
    if items is None:
        return (waiting(Case.WEB_PAGE if _is_page(answer) else Case.MALFORMED),) * count
    if len(items) != count:
        return (waiting(Case.COUNT_UNCLEAR),) * count
    if count > 1 and not in_order:
        return (waiting(Case.ORDER_UNCONFIRMED),) * count
    return tuple(map(_item, items))


def _is_page(answer: Answer) -> bool:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "text/html" or answer.body.lstrip()[:1] == b"<"


def _item(told: ItemAnswer) -> Verdict:
    if isinstance(told, Created):
        return accepted(Case.CREATED, told)
    if isinstance(told, NotCreated):
        return Verdict(Case.NOT_CREATED, reason=_reason(told.raw))
    return waiting(Case.ITEM_UNCLEAR)


def accepted(case: Case, created: Created) -> Verdict:
    """Return the verdict of a registration that the service has, with what it says of it."""
    return Verdict(
        case, onss_id=created.onss_id, validity=created.validity, remarks=created.remarks
    )


def _reason(raw: Any) -> Reason:
    """Read why an item was not created; the form is unknown: hints and Belgif issues are tried."""
    if (hint := hinted(raw)) is not None:
        return hint
    told = raw.get("issues") if isinstance(raw, dict) else None
    fields = [issue(one).field for one in told] if isinstance(told, list) else []
    return next((FIELDS[field] for field in fields if field in FIELDS), Reason.OTHER)


def _bad_request(told: Problem, index: int, count: int) -> Verdict:
    mine = [one for one in told.issues if _about(one, index, count)]
    if mine and all(one.kind in VALUE_ISSUES for one in mine):
        reasons = [FIELDS[one.field] for one in mine if one.field in FIELDS]
        return Verdict(Case.BAD_ITEM, reason=reasons[0] if reasons else Reason.OTHER)
    elsewhere = [one for one in told.issues if one.item in range(count) and one.item != index]
    if not mine and elsewhere:
        return waiting(Case.BAD_NEIGHBOUR)
    return waiting(Case.BAD_REQUEST)


def _about(one: Issue, index: int, count: int) -> bool:
    """Whether an issue speaks of the item: by index, or by a known field in a call of one."""
    if one.item is not None:
        return one.item == index
    return count == 1 and one.field in FIELDS


# A refusal is certain only in the service's own words: this status with this problem.
OWN_WORDS: dict[tuple[int, str], Case] = {
    (401, "noAccessToken"): Case.TOKEN_EXPIRED,
    (401, "invalidAccessToken"): Case.TOKEN_EXPIRED,
    (401, "expiredAccessToken"): Case.TOKEN_EXPIRED,
    (403, "missingScope"): Case.FORBIDDEN,
    (403, "missingPermission"): Case.FORBIDDEN,
    (404, "resourceNotFound"): Case.NOT_FOUND,
    (413, "payloadTooLarge"): Case.CALL_TOO_LARGE,
    (429, "tooManyRequests"): Case.TOO_MANY,
    (503, "serviceUnavailable"): Case.UNAVAILABLE,
}


def _refused(answer: Answer, told: Problem | None, count: int) -> Case:
    if told is not None and answer.status == 400:
        return Case.BAD_REQUEST
    case = OWN_WORDS.get((answer.status, told.kind)) if told is not None else None
    if case is Case.TOKEN_EXPIRED and answer.renewed:
        return Case.TOKEN_REFUSED
    if case is Case.CALL_TOO_LARGE and count == 1:
        return Case.ITEM_TOO_LARGE
    if case is not None:
        return case
    if answer.status in range(500, 600):
        return Case.SERVER_ERROR
    return Case.REDIRECT if answer.status in range(300, 400) else Case.OTHER_STATUS
