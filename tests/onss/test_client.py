"""The client against the sandbox: a real process, real sockets, every fault."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from ciao.registration import Direction, Registration
from gateway.onss.answers import Answer, NoAnswer, Silence
from gateway.onss.cases import Act, Case
from gateway.onss.client import OnssClient
from gateway.onss.consult import decide_consult, query
from gateway.onss.decisions import Reason, Verdict, decide
from gateway.onss.mapping import item
from gateway.sandbox.store import registrations
from tests.onss.examples import EXAMPLE, ssin
from tests.onss.peer import Clients, RunningSandbox, new_uuid, start_sandbox
from tests.support.waiting import wait_for


def submit(client: OnssClient, registration: Registration = EXAMPLE) -> Verdict:
    (verdict,) = decide(client.register([item(registration)], new_uuid()), 1)
    return verdict


def consult(client: OnssClient, registration: Registration, waited_s: float) -> Verdict:
    outcome = client.search(query(item(registration)), new_uuid())
    return decide_consult(item(registration), outcome, waited_s, client.config.settling_s)


def fresh(number: int) -> Registration:
    """A registration of somebody whom no other test uses."""
    return dataclasses.replace(EXAMPLE, ssin=ssin("710203", number))


def rows_of(sandbox: RunningSandbox, registration: Registration) -> list[dict[str, Any]]:
    return [row for row in sandbox.rows() if row["ssin"] == registration.ssin]


def test_a_registration_is_accepted_with_the_id_it_is_stored_under(
    sandbox: RunningSandbox, clients: Clients
) -> None:
    me, trace = fresh(1), new_uuid()
    outcome = clients(sandbox).register([item(me)], trace)
    (verdict,) = decide(outcome, 1)
    (row,) = rows_of(sandbox, me)
    assert (verdict.act, verdict.onss_id) == (Act.ACCEPTED, str(row["id"]))
    assert (verdict.validity, row["item"]) == ("pending", item(me))
    assert outcome.trace_id == row["trace_id"] == trace
    assert isinstance(outcome, Answer)
    assert outcome.headers["belgov-trace-id"] == trace


def test_a_declaration_that_is_not_active_is_a_rejection_with_its_reason(
    sandbox: RunningSandbox, clients: Clients
) -> None:
    gone = dataclasses.replace(fresh(2), declaration="1Y1000003EQCZ")
    refusals = {"declarations": [gone.declaration], "ssins": [fresh(3).ssin]}
    assert requests.put(f"{sandbox.url}/refusals", json=refusals, timeout=5).ok
    client = clients(sandbox)
    assert submit(client, gone).reason is Reason.DECLARATION
    assert submit(client, fresh(3)).reason is Reason.PERSON
    assert rows_of(sandbox, gone) == rows_of(sandbox, fresh(3)) == []


def test_one_refused_item_does_not_block_the_others_of_its_call(
    sandbox: RunningSandbox, clients: Clients
) -> None:
    three = [fresh(4), fresh(5), fresh(6)]
    requests.put(f"{sandbox.url}/refusals", json={"ssins": [three[1].ssin]}, timeout=5)
    outcome = clients(sandbox).register([item(one) for one in three], new_uuid())
    acts = [verdict.act for verdict in decide(outcome, 3, in_order=True)]
    assert acts == [Act.ACCEPTED, Act.REJECTED, Act.ACCEPTED]
    assert {verdict.case for verdict in decide(outcome, 3)} == {Case.ORDER_UNCONFIRMED}
    assert [len(rows_of(sandbox, one)) for one in three] == [1, 0, 1]


def test_bad_check_digits_are_refused_and_the_item_is_named(
    sandbox: RunningSandbox, clients: Clients
) -> None:
    wrong = dataclasses.replace(EXAMPLE, ssin="70010100100")
    outcome = clients(sandbox).register([item(fresh(7)), item(wrong)], new_uuid())
    good, bad = decide(outcome, 2)
    assert (good.case, bad.reason) == (Case.BAD_NEIGHBOUR, Reason.PERSON)
    assert rows_of(sandbox, fresh(7)) == []


@pytest.mark.parametrize(
    ("fault", "case"),
    [
        ("403", Case.FORBIDDEN),
        ("404", Case.NOT_FOUND),
        ("413", Case.ITEM_TOO_LARGE),
        ("429", Case.TOO_MANY),
        ("500", Case.SERVER_ERROR),
        ("502", Case.SERVER_ERROR),
        ("503", Case.UNAVAILABLE),
        ("504", Case.SERVER_ERROR),
        ("drop_before", Case.ANSWER_LOST),
        ("malformed", Case.MALFORMED),
        ("html", Case.WEB_PAGE),
        ("redirect", Case.REDIRECT),
    ],
)
def test_each_fault_is_its_row_and_stores_nothing(
    sandbox: RunningSandbox, clients: Clients, fault: str, case: Case
) -> None:
    me, client = fresh(8), clients(sandbox)
    sandbox.fault(fault)
    assert submit(client, me).case is case
    assert rows_of(sandbox, me) == []


@pytest.mark.parametrize("fault", ["429", "503"])
def test_the_wait_that_the_service_asks_for_is_heard(
    sandbox: RunningSandbox, clients: Clients, fault: str
) -> None:
    sandbox.fault(fault, seconds=17)
    verdict = submit(clients(sandbox), fresh(9))
    assert (verdict.act, verdict.after_s) == (Act.RETRY, 17.0)


@pytest.mark.parametrize(
    ("number", "fault"),
    list(enumerate(["drop_after_storing", "500", "502", "504", "malformed", "html"])),
)
def test_what_was_stored_without_a_good_answer_is_found_and_not_sent_again(
    sandbox: RunningSandbox, clients: Clients, number: int, fault: str
) -> None:
    me, client = fresh(10 + number), clients(sandbox)
    sandbox.fault(fault, stored=True)
    assert submit(client, me).act is Act.UNKNOWN
    (row,) = rows_of(sandbox, me)
    verdict = consult(client, me, 0)
    assert (verdict.case, verdict.onss_id) == (Case.FOUND, str(row["id"]))


def test_what_was_dropped_before_storing_is_retried_only_after_the_settling_time(
    sandbox: RunningSandbox, clients: Clients
) -> None:
    me, client = fresh(20), clients(sandbox)
    sandbox.fault("drop_before")
    assert submit(client, me).act is Act.UNKNOWN
    settling_s = client.config.settling_s
    assert consult(client, me, settling_s - 1).case is Case.NOT_YET
    assert consult(client, me, settling_s).act is Act.RETRY
    assert submit(client, me).act is Act.ACCEPTED
    assert len(rows_of(sandbox, me)) == 1


def test_a_search_that_fails_decides_nothing(sandbox: RunningSandbox, clients: Clients) -> None:
    me, client = fresh(21), clients(sandbox)
    for fault in ("500", "503", "401", "drop_before", "html", "malformed", "404", "redirect"):
        sandbox.fault(fault, on="search", count=2 if fault == "401" else 1)
        assert consult(client, me, 10**6).case is Case.SEARCH_FAILED
    assert consult(client, me, 10**6).case is Case.NOT_THERE


def test_an_answer_that_is_slower_than_the_limit_is_unknown_and_found_later(
    sandbox: RunningSandbox, clients: Clients
) -> None:
    me, client = fresh(22), clients(sandbox, read_s=0.5)
    wait_for(lambda: isinstance(client.search(query(item(me)), new_uuid()), Answer), "a token")
    sandbox.fault("slow", seconds=1.0)
    outcome = client.register([item(me)], new_uuid())
    assert outcome == NoAnswer(Silence.TIMEOUT, True, outcome.trace_id)
    # It was not stored yet when we gave up: only the search, later, tells.
    wait_for(lambda: rows_of(sandbox, me), "the late row")
    assert consult(client, me, 0).act is Act.ACCEPTED


def test_a_slow_answer_within_the_limit_is_an_answer(
    sandbox: RunningSandbox, clients: Clients
) -> None:
    sandbox.fault("slow", seconds=0.3)
    assert submit(clients(sandbox), fresh(23)).act is Act.ACCEPTED


def test_a_401_renews_the_token_once_under_a_trace_id_of_its_own(
    sandbox: RunningSandbox, clients: Clients
) -> None:
    me, client, trace = fresh(24), clients(sandbox), new_uuid()
    sandbox.fault("401")
    outcome = client.register([item(me)], trace)
    assert decide(outcome, 1)[0].act is Act.ACCEPTED
    assert isinstance(outcome, Answer)
    assert outcome.renewed
    (row,) = rows_of(sandbox, me)
    assert row["trace_id"] == outcome.trace_id != trace


def test_a_second_401_is_not_hammered(sandbox: RunningSandbox, clients: Clients) -> None:
    sandbox.fault("401", count=2)
    client = clients(sandbox)
    verdict = submit(client, fresh(25))
    assert (verdict.case, verdict.act, verdict.person) == (Case.TOKEN_REFUSED, Act.RETRY, True)
    assert submit(client, fresh(25)).act is Act.ACCEPTED


def test_a_burst_of_threads_shares_one_token_and_loses_nothing(
    sandbox: RunningSandbox, clients: Clients
) -> None:
    client = clients(sandbox)
    # The first fetch is slow; a second one, by another thread meanwhile or later, would fail.
    sandbox.fault("slow", on="token", seconds=0.3)
    sandbox.fault("500", on="token", count=100)
    verdicts: list[Verdict] = []
    people = [fresh(100 + number) for number in range(24)]
    start = threading.Barrier(8)

    def work(mine: list[Registration]) -> None:
        start.wait()
        verdicts.extend(submit(client, one) for one in mine)

    threads = [threading.Thread(target=work, args=[people[n::8]]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [verdict.act for verdict in verdicts] == [Act.ACCEPTED] * 24
    stored = Counter(row["ssin"] for row in sandbox.rows())
    assert [stored[one.ssin] for one in people] == [1] * 24
    ids = {verdict.onss_id for verdict in verdicts}
    assert len(ids) == 24


def test_no_log_line_and_no_repr_holds_a_niss_or_a_token(
    sandbox: RunningSandbox, clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    me, client = fresh(27), clients(sandbox, read_s=0.2)
    client.register([item(me)], new_uuid())
    outcomes = [client.search(query(item(me)), new_uuid())]
    for fault in ("drop_before", "html", "redirect", "slow"):
        sandbox.fault(fault, on="search", seconds=0.5)
        outcomes.append(client.search(query(item(me)), new_uuid()))
    told = caplog.text + repr(outcomes) + repr(client.config)
    assert me.ssin not in told
    assert "Bearer" not in told and "PRIVATE" not in told


def test_a_killed_sandbox_keeps_what_it_answered_and_its_client_renews(
    public: Path, tmp_path: Path, clients: Clients
) -> None:
    first = start_sandbox(tmp_path, public, "--search-delay", "0")
    client = clients(first)
    people = [fresh(200 + number) for number in range(5)]
    ids = [submit(client, one).onss_id for one in people]
    first.kill()
    assert [str(row["id"]) for row in registrations(first.db)] == ids
    assert submit(client, people[0]).act in (Act.RETRY, Act.UNKNOWN)
    port = first.url.rpartition(":")[2]
    second = start_sandbox(tmp_path, public, "--port", port, "--search-delay", "0")
    try:
        # Its tokens were in memory: this is a 401, a new token, and an answer.
        assert consult(client, people[4], 0).onss_id == ids[4]
        again = dataclasses.replace(people[0], direction=Direction.OUT)
        assert submit(client, again).act is Act.ACCEPTED
    finally:
        second.kill()
    kept = registrations(second.db)
    assert [row["type"] for row in kept] == ["in"] * 5 + ["out"]
    assert kept[0]["item"] == item(people[0])


def test_the_search_lags_behind_the_register_as_long_as_it_is_told_to(
    public: Path, tmp_path: Path, clients: Clients
) -> None:
    me = fresh(28)
    lagging = start_sandbox(tmp_path, public, "--search-delay", "3600")
    try:
        client = clients(lagging)
        lagging.fault("drop_after_storing")
        assert submit(client, me).act is Act.UNKNOWN
        assert len(rows_of(lagging, me)) == 1
        assert consult(client, me, 0.0).case is Case.NOT_YET
    finally:
        lagging.kill()
    prompt = start_sandbox(tmp_path, public, "--search-delay", "0.1")
    try:
        client = clients(prompt)
        wait_for(lambda: consult(client, me, 0.0).case is Case.FOUND, "the search to catch up")
        another = dataclasses.replace(me, at=me.at + timedelta(seconds=10))
        assert consult(client, another, client.config.settling_s).case is Case.NOT_THERE
    finally:
        prompt.kill()


def test_more_items_than_the_limit_are_a_program_error(
    sandbox: RunningSandbox, clients: Clients
) -> None:
    client = clients(sandbox)
    with pytest.raises(ValueError, match="201 items"):
        client.register([item(EXAMPLE)] * 201, new_uuid())
    with pytest.raises(ValueError, match="0 items"):
        client.register([], new_uuid())
