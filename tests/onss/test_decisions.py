"""Every row of the decision table is reached by something seen, and the document shows it so."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from ciao.registration import TRANSITIONS, State
from gateway.cli import main
from gateway.onss import table
from gateway.onss.answers import Answer, NoAnswer, Outcome, Silence
from gateway.onss.cases import TABLE, Act, Case
from gateway.onss.consult import decide_consult, query
from gateway.onss.decisions import Reason, Verdict, decide
from gateway.onss.mapping import item
from tests.onss.examples import EXAMPLE, registrations

DOCUMENT = Path(__file__).parents[2] / "docs" / "protocol" / "onss.md"
BELGIF = "urn:problem-type:belgif:"
SETTLING_S = 120.0


def answer(status: int, body: object = None, **headers: str) -> Answer:
    told = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, told, "trace")


def problem(status: int, kind: str, renewed: bool = False, **more: object) -> Answer:
    made = answer(status, {"type": BELGIF + kind, "status": status, **more})
    return dataclasses.replace(made, renewed=renewed)


def bad(*issues: tuple[str, str]) -> Answer:
    told = [
        {"type": f"{BELGIF}input-validation:{kind}", "in": "body", "name": name}
        for kind, name in issues
    ]
    return problem(400, "badRequest", issues=told)


def created(onss_id: object = 17611) -> dict[str, object]:
    made = {"id": onss_id, "validity": "pending", "remarks": ["r"]}
    return {"createdPresenceRegistration": made}


def items(*told: object) -> Answer:
    return answer(200, {"items": told})


def silence(reason: Silence, sent: bool) -> NoAnswer:
    return NoAnswer(reason, sent, "trace")


def stored(onss_id: int = 7, **other: object) -> dict[str, Any]:
    return {"id": onss_id, "validity": "pending", "remarks": [], **item(EXAMPLE), **other}


def found(*rows: object) -> Answer:
    return answer(200, {"items": rows, "total": len(rows)})


def consult(outcome: Outcome, waited_s: float = 0.0, taken: tuple[str, ...] = ()) -> Verdict:
    return decide_consult(item(EXAMPLE), outcome, waited_s, SETTLING_S, taken)


NAMES_ONE = ("invalidInput", "items[1].ssin")
HTML = b"<!doctype html><title>Please log in</title>"
SEEN: dict[Case, list[Verdict]] = {
    Case.CREATED: [
        *decide(items(created()), 1),
        *decide(items(created(), created()), 2, in_order=True),
        *decide(answer(201, {"items": [created("x")]}), 1),
    ],
    Case.NOT_CREATED: list(decide(items({"notCreatedPresenceRegistration": {"a": 1}}), 1)),
    Case.ITEM_UNCLEAR: [*decide(items({}), 1), *decide(items(created(None)), 1)],
    Case.COUNT_UNCLEAR: [*decide(items(), 1), *decide(items(created(), created()), 1)],
    Case.ORDER_UNCONFIRMED: list(decide(items(created(1), created(2)), 2)),
    Case.MALFORMED: [
        *decide(answer(200, b'{"items":[{"crea'), 1),
        *decide(answer(204, b""), 2),
    ],
    Case.WEB_PAGE: [
        *decide(answer(200, HTML), 1),
        *decide(answer(200, b"\n <html>"), 2),
        *decide(answer(200, b"Welcome", content_type="text/html; charset=utf-8"), 1),
    ],
    Case.BAD_ITEM: [
        *decide(bad(("unknownInput", "items[0].ssin")), 1),
        *decide(bad(("referencedResourceNotFound", "ssin")), 1),
        decide(bad(NAMES_ONE), 2)[1],
    ],
    Case.BAD_NEIGHBOUR: [decide(bad(NAMES_ONE), 2)[0]],
    Case.BAD_REQUEST: [
        *decide(bad(("schemaViolation", "items[0].ssin")), 1),
        *decide(bad(("invalidInput", "items[5].ssin")), 2),
        *decide(bad(("invalidInput", "ssin")), 2),
        *decide(problem(400, "badRequest"), 2),
        *decide(problem(400, "somethingNew"), 1),
    ],
    Case.TOKEN_EXPIRED: [
        *decide(problem(401, "expiredAccessToken"), 1),
        *decide(problem(401, "noAccessToken"), 1),
        *decide(problem(401, "invalidAccessToken"), 2),
    ],
    Case.TOKEN_REFUSED: list(decide(problem(401, "expiredAccessToken", renewed=True), 1)),
    Case.FORBIDDEN: [
        *decide(problem(403, "missingScope"), 1),
        *decide(problem(403, "missingPermission"), 1),
    ],
    Case.NOT_FOUND: list(decide(problem(404, "resourceNotFound"), 1)),
    Case.CALL_TOO_LARGE: list(decide(problem(413, "payloadTooLarge", limit=1), 2)),
    Case.ITEM_TOO_LARGE: list(decide(problem(413, "payloadTooLarge", limit=1), 1)),
    Case.TOO_MANY: list(decide(problem(429, "tooManyRequests"), 1)),
    Case.UNAVAILABLE: list(decide(problem(503, "serviceUnavailable"), 1)),
    Case.SERVER_ERROR: [
        *decide(problem(500, "internalServerError"), 1),
        *decide(problem(502, "badGateway"), 2),
        *decide(answer(503, HTML), 1),
        *decide(answer(504), 1),
        *decide(answer(599), 1),
    ],
    Case.REDIRECT: [*decide(answer(302), 1), *decide(answer(307), 1)],
    Case.OTHER_STATUS: [
        *decide(answer(401, HTML), 1),
        *decide(answer(400, {"message": "no"}), 1),
        *decide(problem(429, "badRequest"), 1),
        *decide(problem(418, "teapot"), 1),
    ],
    Case.NO_NAME: list(decide(silence(Silence.DNS, False), 1)),
    Case.CONNECTION_REFUSED: list(decide(silence(Silence.REFUSED, False), 2)),
    Case.UNREACHABLE: list(decide(silence(Silence.UNREACHABLE, False), 1)),
    Case.TLS_FAILED: list(decide(silence(Silence.TLS, False), 1)),
    Case.CONNECT_TIMEOUT: list(decide(silence(Silence.CONNECT_TIMEOUT, False), 1)),
    Case.NOT_SENT: [
        *decide(silence(Silence.DROPPED, False), 1),
        *decide(silence(Silence.TIMEOUT, False), 1),
    ],
    Case.NO_TOKEN: list(decide(silence(Silence.TOKEN_UNREACHABLE, False), 1)),
    Case.TOKEN_DENIED: list(decide(silence(Silence.TOKEN_DENIED, False), 1)),
    Case.ANSWER_TIMEOUT: list(decide(silence(Silence.TIMEOUT, True), 1)),
    Case.ANSWER_LOST: [
        *decide(silence(Silence.DROPPED, True), 1),
        *decide(silence(Silence.TLS, True), 1),
    ],
    Case.ANSWER_TOO_LONG: list(decide(silence(Silence.TOO_LONG, True), 1)),
    Case.FOUND: [
        consult(found(stored())),
        consult(found(stored(8), stored(7))),
        consult(found(stored(registrationDate="2026-03-02T06:02:03+01:00"))),
    ],
    Case.NOT_YET: [
        consult(found(), waited_s=SETTLING_S - 1),
        consult(found(stored(7)), taken=("7",)),
        consult(found(stored(type="out"))),
        consult(found(stored(employer={"enterpriseNumber": "0000000097"}))),
        consult(found(stored(registrationDate="2026-03-02T05:02:13.456Z"))),
    ],
    Case.NOT_THERE: [
        consult(found(), waited_s=SETTLING_S),
        consult(found(stored(7)), SETTLING_S, taken=("7",)),
    ],
    Case.SEARCH_FAILED: [
        consult(silence(Silence.REFUSED, False), 10 * SETTLING_S),
        consult(problem(404, "resourceNotFound"), 10 * SETTLING_S),
        consult(answer(200, HTML), 10 * SETTLING_S),
        consult(answer(200, {"items": [], "total": 3}), 10 * SETTLING_S),
        consult(answer(200, {"items": []}), 10 * SETTLING_S),
        consult(found({"id": 1}), 10 * SETTLING_S),
        consult(found(stored(registrationDate="2026-03-02T05:02:03")), 10 * SETTLING_S),
    ],
}


@pytest.mark.parametrize("case", list(Case))
def test_every_row_is_reached_by_what_it_names(case: Case) -> None:
    assert SEEN[case], "no example"
    for verdict in SEEN[case]:
        assert verdict.case is case
        assert verdict.act is TABLE[case].act


def test_the_document_holds_the_table_as_the_code_writes_it() -> None:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    wanted = list(table.markdown())
    shown = [line for line in lines if line.startswith("|") and line.count("|") == 8]
    assert shown == wanted, "replace it by: ciao-gateway onss cases --markdown"


def test_the_command_prints_every_case_for_people_documents_and_programs() -> None:
    def said(*options: str) -> str:
        result = CliRunner().invoke(main, ["onss", "cases", *options])
        assert result.exit_code == 0, result.output
        return result.output

    assert said("--markdown").splitlines() == list(table.markdown())
    assert [row["case"] for row in json.loads(said("--json"))] == list(Case)
    for case, row in TABLE.items():
        assert case in said() and row.because in said()


def test_the_table_has_every_case() -> None:
    assert list(TABLE) == list(Case)


@pytest.mark.parametrize("case", list(Case))
def test_only_what_is_certainly_not_stored_is_ever_sent_again(case: Case) -> None:
    row = TABLE[case]
    allowed = {
        "yes": {Act.ACCEPTED},
        "no": {Act.RETRY, Act.RENEW_TOKEN, Act.HOLD, Act.REJECTED},
        "maybe": {Act.UNKNOWN},
    }
    assert row.act in allowed[row.stored]


@pytest.mark.parametrize("case", list(Case))
def test_every_verdict_is_a_step_that_a_registration_may_take(case: Case) -> None:
    after = Verdict(case).state
    consulted = case in (Case.FOUND, Case.NOT_YET, Case.NOT_THERE, Case.SEARCH_FAILED)
    before = State.UNKNOWN if consulted else State.SUBMITTED
    assert after is before or after in TRANSITIONS[before]


def test_an_accepted_registration_carries_what_the_service_said() -> None:
    (verdict,) = decide(items(created()), 1)
    assert (verdict.onss_id, verdict.validity, verdict.remarks) == ("17611", "pending", ("r",))


def test_items_known_to_come_in_order_keep_it() -> None:
    refused = {"notCreatedPresenceRegistration": None}
    told = items(created(1), {"notCreatedPresenceRegistration": {}}, created(3), refused)
    one, two, three, four = decide(told, 4, in_order=True)
    assert (one.onss_id, two.act, three.onss_id) == ("1", Act.REJECTED, "3")
    assert four.act is Act.UNKNOWN


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("items[0].ssin", Reason.PERSON),
        ("items[0].employer.enterpriseNumber", Reason.COMPANY),
        ("/items/0/contractualRelationshipReference", Reason.DECLARATION),
        ("$.items[0].placeOfWork.address.postCode", Reason.PLACE),
        ("items[0].registrationDate", Reason.TIME),
        ("items[0].type", Reason.DIRECTION),
        ("items[0].somethingElse", Reason.OTHER),
    ],
)
def test_a_refused_value_names_its_reason(field: str, reason: Reason) -> None:
    (verdict,) = decide(bad(("invalidInput", field)), 1)
    assert (verdict.act, verdict.reason) == (Act.REJECTED, reason)
    raw = {"issues": [{"type": "x", "name": field}]}
    (verdict,) = decide(items({"notCreatedPresenceRegistration": raw}), 1)
    assert (verdict.act, verdict.reason) == (Act.REJECTED, reason)


def test_one_bad_item_never_blocks_its_neighbours() -> None:
    verdicts = decide(
        bad(("invalidInput", "items[1].ssin"), ("invalidInput", "items[12].ssin")), 13
    )
    acts = [verdict.act for verdict in verdicts]
    assert [index for index, act in enumerate(acts) if act is Act.REJECTED] == [1, 12]
    assert set(acts) == {Act.REJECTED, Act.RETRY}


@pytest.mark.parametrize(
    ("told", "wait_s"),
    [
        (problem(429, "tooManyRequests", retryAfterSec=7), 7.0),
        (answer(429, {"type": BELGIF + "tooManyRequests"}, retry_after="9"), 9.0),
        (answer(429, {"type": BELGIF + "tooManyRequests", "retryAfterSec": 9}, retry_after="2"), 9),
        (problem(429, "tooManyRequests", retryAfterSec=10**9), 3600.0),
        (problem(429, "tooManyRequests", retryAfterSec=-4), 1.0),
        (problem(429, "tooManyRequests", retryAfterSec="soon"), 30.0),
        (problem(429, "tooManyRequests", retryAfterSec=True), 30.0),
        (
            answer(
                429,
                {"type": BELGIF + "tooManyRequests", "retryAfter": "2026-03-02T06:00:40+01:00"},
                date="Mon, 02 Mar 2026 05:00:00 GMT",
            ),
            40.0,
        ),
        (problem(429, "tooManyRequests", retryAfter="2026-03-02T06:00:40+01:00"), 30.0),
        (answer(503, {"type": BELGIF + "serviceUnavailable"}, retry_after="12"), 12.0),
        (
            answer(
                503,
                {"type": BELGIF + "serviceUnavailable"},
                retry_after="Mon, 02 Mar 2026 05:01:00 GMT",
                date="Mon, 02 Mar 2026 05:00:00 GMT",
            ),
            60.0,
        ),
        (answer(503, {"type": BELGIF + "serviceUnavailable"}, retry_after="tomorrow"), 30.0),
    ],
)
def test_the_wait_is_the_one_asked_for_within_limits(told: Answer, wait_s: float) -> None:
    (verdict,) = decide(told, 1)
    assert (verdict.act, verdict.after_s) == (Act.RETRY, wait_s)


def test_a_token_endpoint_that_asks_for_a_wait_gets_it() -> None:
    none = NoAnswer(Silence.TOKEN_UNREACHABLE, False, "trace", retry_after_s=44.0)
    assert decide(none, 1)[0].after_s == 44.0


def test_of_two_stored_the_first_is_ours() -> None:
    assert consult(found(stored(10), stored(9))).onss_id == "9"


def test_the_query_spans_the_instant_and_names_all_five() -> None:
    asked = query(item(EXAMPLE))
    assert asked["registrationDateFrom"] == "2026-03-02T05:02:02.456Z"
    assert asked["registrationDateTo"] == "2026-03-02T05:02:04.456Z"
    assert (asked["ssin"], asked["type"]) == (EXAMPLE.ssin, "in")
    assert (asked["employerNumber"], asked["contractualRelationshipReference"]) == (
        "0000000196",
        EXAMPLE.declaration,
    )


@given(registrations, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_a_search_finds_a_registration_again_and_no_other_instant(
    registration: Any, later: timedelta
) -> None:
    row = {"id": 1, **item(registration)}
    assert decide_consult(item(registration), found(row), 0, 1).act is Act.ACCEPTED
    if later >= timedelta(seconds=2):
        other = dataclasses.replace(registration, at=registration.at - later)
        assert decide_consult(item(other), found(row), 0, 1).act is Act.UNKNOWN


@given(st.integers(200, 599), st.binary(max_size=200), st.integers(1, 200))
def test_whatever_is_answered_each_item_gets_one_verdict(
    status: int, body: bytes, count: int
) -> None:
    verdicts = decide(Answer(status, {}, body, "trace"), count)
    assert len(verdicts) == count
    assert {verdict.act for verdict in verdicts} == {Act.UNKNOWN}


def test_a_call_of_nothing_is_a_program_error() -> None:
    with pytest.raises(ValueError, match="0 items"):
        decide(items(), 0)
