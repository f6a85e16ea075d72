"""A service in trouble: one probe goes, its times are kept, and it is not stampeded afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.events import Answered, Consulted, ServiceTrouble, Tick
from gateway.forwarding.breaker import (
    FAILURES_MAX,
    PROBE_MAX_MS,
    PROBE_MIN_MS,
    TROUBLES,
    Breaker,
    Trouble,
)
from gateway.forwarding.submitting import POLL_AFTER_S, Limits
from gateway.onss.answers import Outcome, Silence
from gateway.onss.cases import TABLE, Act, Case
from tests.gateway import twins
from tests.gateway.test_busy import backlog, crowded
from tests.gateway.twins import Badge, Journal, answer, created, problem, silence
from tests.gateway.world import TERMINAL, World, morning

DOWN = silence(Silence.REFUSED, False)


def opened(why: Case = Case.CONNECTION_REFUSED, asked_s: float = 0.0) -> Breaker:
    breaker = Breaker()
    for n in range(FAILURES_MAX):
        breaker = breaker.failed(why, asked_s, 1000 + n, 1000 + n, "shiny")
    return breaker


# --- the breaker alone ------------------------------------------------------------------------


def test_one_dropped_connection_is_no_trouble() -> None:
    once = Breaker().failed(Case.ANSWER_LOST, 5, 1000, 1000, "shiny")
    assert once.trouble is None and once.room(8, 0, 1000) == 8
    assert once.worked(8) == Breaker()


def test_in_trouble_one_probe_goes_and_only_when_it_is_due() -> None:
    breaker = opened()
    assert breaker.trouble is Trouble.UNAVAILABLE and breaker.since_ms == 1000
    assert breaker.room(8, 0, breaker.probe_up_ms - 1) == 0
    assert breaker.room(8, 0, breaker.probe_up_ms) == 1
    assert breaker.room(8, 1, breaker.probe_up_ms) == 0


def test_a_credential_that_is_refused_pauses_at_once_and_as_long_as_the_table_says() -> None:
    refused = Breaker().failed(Case.FORBIDDEN, TABLE[Case.FORBIDDEN].after_s, 1, 1, "shiny")
    assert refused.trouble is Trouble.REFUSED
    assert refused.probe_up_ms >= 1 + TABLE[Case.FORBIDDEN].after_s * 1000


def test_a_service_that_recovers_is_given_calls_by_and_by() -> None:
    breaker, given_calls = opened(), []
    while breaker != Breaker():
        breaker = breaker.worked(8)
        given_calls.append(breaker.room(8, 0, 0))
    assert given_calls == [1, 2, 4, 8]


def test_a_relapse_while_it_recovers_is_trouble_at_once_and_waits_longer() -> None:
    recovering = opened().worked(8)
    again = recovering.failed(Case.CONNECTION_REFUSED, 0, 9000, 9000, "shiny")
    assert again.trouble is Trouble.UNAVAILABLE and again.since_ms == 9000
    assert again.probe_up_ms - 9000 >= 2 * PROBE_MIN_MS


@given(
    st.lists(st.sampled_from(sorted(TROUBLES)), min_size=1, max_size=40),
    st.floats(0, 3600),
)
def test_probes_never_come_sooner_than_asked_nor_ever_stop(whys: list[Case], asked: float) -> None:
    breaker, up_ms = Breaker(), 0
    for why in whys:
        up_ms = max(up_ms, breaker.probe_up_ms)
        breaker = breaker.failed(why, asked, up_ms, up_ms, "shiny")
        if breaker.trouble is not None:
            waited = breaker.probe_up_ms - up_ms
            assert int(asked * 1000) <= waited
            assert waited <= max(int(asked * 1000), PROBE_MAX_MS) * 1.25


def test_every_case_that_says_nothing_of_the_stamp_is_a_trouble_of_the_service() -> None:
    of_the_stamp = {
        Case.BAD_NEIGHBOUR,
        Case.CALL_TOO_LARGE,
        Case.ITEM_UNCLEAR,
        Case.COUNT_UNCLEAR,
        Case.ORDER_UNCONFIRMED,
        Case.MALFORMED,
        Case.ANSWER_TOO_LONG,
        Case.TOKEN_EXPIRED,
        Case.NOT_YET,
        Case.NOT_THERE,
        Case.SEARCH_FAILED,
    }
    again = {case for case, row in TABLE.items() if row.act in (Act.RETRY, Act.UNKNOWN)}
    assert again - of_the_stamp == set(TROUBLES)


# --- in the gateway ---------------------------------------------------------------------------


def answered(world: World, said: Outcome) -> list[Any]:
    """Answer every call that is under way alike; return what was told of the service."""
    calls, world.submitted = world.submitted, []
    told = world.step(*[Answered(call.attempt, said) for call in calls])
    return [one for one in told if isinstance(one, ServiceTrouble)]


def test_while_the_service_is_down_one_probe_goes_and_not_every_stamp(tmp_path: Path) -> None:
    world, uids = crowded(tmp_path, 50, Limits(calls_max=8))
    world.second = 7200
    world.settle(backlog(TERMINAL, uids, 50).message())
    assert len(world.submitted) == 8
    down_at = world.second
    (begun,) = answered(world, DOWN)
    assert begun.kind == "unavailable" and begun.ended_ms is None
    calls = 0
    for _ in range(600):
        world.second += 1
        world.settle(Tick())
        calls += len(world.submitted)
        assert len(world.submitted) <= 1
        assert not answered(world, DOWN)
    # Every stamp by itself would have made hundreds.
    assert 8 <= calls <= 20
    (row,) = world.ledger.services.standing()
    assert row.since_ms == begun.since_ms == twins.at(down_at).at.timestamp() * 1000
    while not world.submitted:
        world.second += 1
        world.settle(Tick())
    (ended,) = answered(world, created(1))
    assert ended.ended_ms == twins.at(world.second).at.timestamp() * 1000
    assert len(world.submitted) <= 1
    assert not world.ledger.services.standing()
    # Nobody waits on for a retry of their own: all of them go now, a few at first.
    world.run(seconds=2)
    assert set(world.states()) == {"accepted"}


def test_a_pause_that_the_service_asks_for_is_kept(tmp_path: Path) -> None:
    world, uids = crowded(tmp_path, 20, Limits(calls_max=4))
    world.second = 7200
    world.settle(backlog(TERMINAL, uids, 20).message())
    answered(world, problem(429, "tooManyRequests", retryAfterSec=120))
    for _ in range(119):
        world.second += 1
        world.settle(Tick())
        assert not world.submitted
    world.second += 31
    world.settle(Tick())
    assert len(world.submitted) == 1


def test_one_employers_refused_credential_delays_nobody_else(tmp_path: Path) -> None:
    world, uids = crowded(tmp_path, 20, Limits(calls_max=2))
    others = [b"\x05" + bytes([n] * 6) for n in range(10)]
    for n, uid in enumerate(others):
        world.people.enrol(uid, Badge(f"o{n}", twins.ANN, employer="other"))
    world.second = 7200
    world.settle(backlog(TERMINAL, [*uids, *others], 30).message())
    for _ in range(20):
        calls, world.submitted = world.submitted, []
        for call in calls:
            fine = call.employer == "other"
            said = created(call.attempt) if fine else problem(403, "missingPermission")
            world.settle(Answered(call.attempt, said))
    of_others = [tap.state for tap in world.taps() if tap.employer == "other"]
    assert of_others == ["accepted"] * 10
    (row,) = world.ledger.services.standing()
    assert (row.employer, row.kind, row.why) == (twins.EMPLOYER, "refused", "forbidden")
    assert world.gateway.services.in_trouble(twins.EMPLOYER)
    assert not world.gateway.services.in_trouble("other")


def test_a_gateway_that_starts_in_trouble_probes_and_ends_it(tmp_path: Path) -> None:
    world, uids = crowded(tmp_path, 10, Limits(calls_max=4))
    world.second = 7200
    world.settle(backlog(TERMINAL, uids, 10).message())
    answered(world, DOWN)
    world.restart()
    world.online()
    world.second += 600
    world.settle(Tick())
    assert len(world.submitted) == 1
    (ended,) = answered(world, created(1))
    assert ended.why == "connection_refused"
    rows = world.query("SELECT count(*) FROM service_begun JOIN service_ended ON id = trouble")
    assert rows == [(1,)]


def test_what_has_no_answer_is_what_probes_where_nothing_else_waits(world: World) -> None:
    world.settle(morning([(twins.UID_ANN, 1, "in")]).message())
    for _ in range(FAILURES_MAX):
        (call,) = world.submitted
        world.submitted.clear()
        world.settle(Answered(call.attempt, DOWN))
        world.second += 60
        world.settle(Tick())
    (call,) = world.submitted
    world.submitted.clear()
    world.settle(Answered(call.attempt, silence(Silence.TIMEOUT, True)))
    assert world.states() == ["unknown"] and world.gateway.services.in_trouble(twins.EMPLOYER)
    world.second += 120
    world.settle(Tick())
    (asked,) = world.consults
    world.settle(Consulted(asked.tap, answer(200, {"items": [], "total": 0})))
    assert not world.gateway.services.in_trouble(twins.EMPLOYER)


def test_rows_of_troubles_are_never_changed(tmp_path: Path) -> None:
    world, uids = crowded(tmp_path, 10)
    world.settle(backlog(TERMINAL, uids, 10).message())
    answered(world, DOWN)
    for statement in ("UPDATE service_begun SET at_ms = 0", "DELETE FROM service_begun"):
        with pytest.raises(Exception, match="append-only"):
            world.query(statement)


# --- until it is final ------------------------------------------------------------------------


def found(journal: Journal, row: dict[str, Any], **said: Any) -> Outcome:
    return answer(200, {"items": [{**row, "remarks": [], **said}], "total": 1})


@pytest.mark.parametrize(
    ("said", "state", "why"),
    [
        ({"validity": "valid"}, "valid", None),
        ({"validity": "pending", "remarks": [{"code": "x"}]}, "remarked", "remark"),
    ],
)
def test_an_accepted_stamp_is_asked_about_until_it_is_final(
    world: World, said: dict[str, Any], state: str, why: str | None
) -> None:
    journal = morning([(twins.UID_ANN, 1, "in")])
    world.run(journal.message())
    assert world.states() == ["accepted"] and not world.consults
    for after_s, answers_so in ((POLL_AFTER_S[0], {"validity": "pending"}), (5000, said)):
        world.second += after_s
        world.settle(Tick())
        (asked,) = world.consults
        world.consults.clear()
        world.settle(Consulted(asked.tap, found(journal, world.onss.rows[0], **answers_so)))
    assert world.states() == [state] and world.outcomes()[-1] == (1, state, why)
    world.second += 10**7
    world.settle(Tick())
    assert not world.consults


def test_asking_about_an_accepted_stamp_ends_some_day(world: World) -> None:
    world.run(morning([(twins.UID_ANN, 1, "in")]).message())
    asked = 0
    for _ in range(100):
        world.second += 86_400
        world.settle(Tick())
        for one in world.consults:
            asked += 1
            world.step(Consulted(one.tap, problem(404, "resourceNotFound")))
        world.consults.clear()
    assert asked == len(POLL_AFTER_S) and world.states() == ["accepted"]
    # That nothing can be searched is no trouble of the service.
    assert not world.ledger.services.standing()
