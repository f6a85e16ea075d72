"""From the ledger to the ONSS and back, by events and effects alone: no socket, no thread."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ciao.link import Connected
from gateway.events import Answered, Consulted, Tick
from gateway.forwarding.submitting import Limits
from gateway.onss.answers import Answer, Outcome, Silence
from tests.gateway import twins
from tests.gateway.twins import Badge, Journal, answer, created, problem, silence
from tests.gateway.world import TERMINAL, World, morning


def one_tap(world: World) -> Journal:
    journal = morning([(twins.UID_ANN, 20, "in")])
    world.second = 25
    world.settle(journal.message())
    return journal


def not_created() -> Outcome:
    refused = {"issues": [{"name": "items[0].ssin", "type": "x"}]}
    return answer(200, {"items": [{"notCreatedPresenceRegistration": refused}]})


def bad_item() -> Outcome:
    kind = "urn:problem-type:belgif:input-validation:invalidInput"
    return problem(400, "badRequest", issues=[{"type": kind, "name": "items[0].ssin"}])


def renewed(said: Answer) -> Answer:
    return Answer(said.status, said.headers, said.body, said.trace_id, renewed=True)


# What the service says, the tap's state right after, the reason told, and whether it is sent again.
ROWS: list[tuple[str, Outcome, str, str | None, bool]] = [
    ("created", created(7), "accepted", None, False),
    ("created and valid", created(7, validity="valid"), "valid", None, False),
    ("created with remarks", created(7, remarks=["x"]), "remarked", "remark", False),
    ("not created", not_created(), "rejected", "person_refused", False),
    ("a bad item", bad_item(), "rejected", "person_refused", False),
    ("a bad request", problem(400, "badRequest"), "held", "bad_request", False),
    ("401 twice", renewed(problem(401, "expiredAccessToken")), "recorded", "token_refused", True),
    ("403", problem(403, "missingPermission"), "recorded", "forbidden", True),
    ("413", problem(413, "payloadTooLarge"), "held", "item_too_large", False),
    ("429", problem(429, "tooManyRequests"), "recorded", "too_many", True),
    ("503", problem(503, "serviceUnavailable"), "recorded", "unavailable", True),
    ("500", answer(500), "unknown", "server_error", False),
    ("502", answer(502), "unknown", "server_error", False),
    ("504", answer(504), "unknown", "server_error", False),
    ("a captive portal", answer(200, b"<html>"), "unknown", "web_page", False),
    ("a redirect", answer(302), "unknown", "redirect", False),
    ("two answers for one", created(7, 8), "unknown", "count_unclear", False),
    ("refused connection", silence(Silence.REFUSED, False), "recorded", "connection_refused", True),
    ("timeout before sending", silence(Silence.TIMEOUT, False), "recorded", "not_sent", True),
    ("timeout after sending", silence(Silence.TIMEOUT, True), "unknown", "answer_timeout", False),
    ("dropped after sending", silence(Silence.DROPPED, True), "unknown", "answer_lost", False),
    ("token denied", silence(Silence.TOKEN_DENIED, False), "recorded", "token_denied", True),
]


@pytest.mark.parametrize(
    ("said", "state", "reason", "again"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_what_the_service_says_becomes_the_taps_state(
    world: World, said: Outcome, state: str, reason: str | None, again: bool
) -> None:
    one_tap(world)
    (call,) = world.submitted
    world.settle(Answered(call.attempt, said))
    (tap,) = world.taps()
    assert (tap.state, tap.reason) == (state, reason)
    if state != "recorded":
        assert world.outcomes()[-1] == (1, state, reason)
    world.submitted.clear()
    world.second += 3 * 3600
    world.settle(Tick())
    assert bool(world.submitted) is again
    # What was accepted is asked about until it is final.
    assert bool(world.consults) is (state in ("unknown", "accepted"))


def test_an_attempt_is_on_the_disk_before_its_call_is_made(world: World) -> None:
    one_tap(world)
    (call,) = world.submitted
    world.restart()
    assert world.query("SELECT id, trace_id FROM attempt_begun") == [(call.attempt, call.trace_id)]
    assert world.states() == ["submitted"]


def test_begun_without_ended_is_unknown_and_consulted_never_sent_blindly(world: World) -> None:
    one_tap(world)
    world.submitted.clear()
    world.restart()
    world.boot = "the next boot"
    world.step(Connected(), Tick())
    assert world.states() == ["unknown"] and not world.submitted
    world.second += 10
    world.settle(Tick())
    (asked,) = world.consults
    # The search lags: what was stored a moment ago may not show yet.
    world.settle(Consulted(asked.tap, answer(200, {"items": [], "total": 0})))
    assert world.states() == ["unknown"] and not world.submitted
    world.consults.clear()
    world.run(seconds=300)
    assert world.states() == ["accepted"] and world.onss.calls == 1
    assert world.query("SELECT count(*) FROM attempt_ended") == [(1,)]


def test_a_lost_answer_is_found_and_registered_once(world: World) -> None:
    world.onss.script = ["lost"]
    one_tap(world)
    world.run(seconds=30)
    assert world.outcomes()[0] == (1, "unknown", "answer_timeout")
    assert world.outcomes()[-1] == (1, "accepted", None)
    assert len(world.onss.rows) == 1 and world.onss.calls == 1


def test_two_stamps_of_a_second_are_not_taken_for_one_by_the_search(world: World) -> None:
    world.people.add_terminal("hall-9")
    here, there = morning([(twins.UID_ANN, 20, "in")]), Journal("hall-9")
    there.tap(twins.UID_ANN, 20.4, "in")
    world.onss.script = ["lost", "lost"]
    world.run(here.message(), there.message(), seconds=30)
    assert world.states() == ["accepted", "accepted"]
    assert sorted(str(tap.onss_id) for tap in world.taps()) == ["1", "2"]


def test_a_failed_search_is_no_absence(world: World) -> None:
    world.onss.script = [silence(Silence.TIMEOUT, True)]
    one_tap(world)
    (call,) = world.submitted
    world.settle(Answered(call.attempt, world.onss.register(call.items)))
    world.submitted.clear()
    for _ in range(5):
        world.second += 1000
        world.settle(Tick())
        (asked,), world.consults = world.consults, []
        world.settle(Consulted(asked.tap, answer(500)))
    assert world.states() == ["unknown"] and not world.submitted


def test_a_clock_set_forward_does_not_make_absence_count(world: World) -> None:
    world.onss.script = [silence(Silence.TIMEOUT, True)]
    one_tap(world)
    world.run()
    gateway, start = world.gateway, twins.at(world.second)
    leapt = twins.at(world.second + 86_400)
    now = type(leapt)(leapt.at, start.boot, start.up_ms + 1000, leapt.clock)
    (asked,) = [one for one in gateway.step(now, [Tick()]) if hasattr(one, "query")]
    gateway.step(now, [Consulted(asked.tap, answer(200, {"items": [], "total": 0}))])  # type: ignore[union-attr]
    assert world.states() == ["unknown"]


def test_a_worker_who_comes_twice_to_a_slow_service_is_kept_in_order(world: World) -> None:
    journal = morning(
        [(twins.UID_ANN, 1, "in"), (twins.UID_ANN, 2, "out"), (twins.UID_BEN, 3, "in")]
    )
    world.settle(journal.message())
    first, other = world.submitted
    assert [one.items[0]["ssin"] for one in (first, other)] == [twins.ANN, twins.BEN]
    world.submitted.clear()
    world.settle(Answered(first.attempt, created(1)))
    (second,) = world.submitted
    assert second.items[0]["type"] == "out"


def test_another_terminals_stamps_of_the_same_worker_do_not_wait(world: World) -> None:
    world.people.add_terminal("hall-9")
    here, there = morning([(twins.UID_ANN, 1, "in")]), Journal("hall-9")
    there.tap(twins.UID_ANN, 2, "out")
    world.settle(here.message(), there.message())
    assert len(world.submitted) == 2


def test_a_held_or_rejected_stamp_does_not_hold_back_the_next(world: World) -> None:
    journal = morning([(twins.UID_ANN, 1, "in"), (twins.UID_ANN, 2, "out")])
    journal.tap(twins.UID_ANN, 3, synced=False)
    journal.tap(twins.UID_ANN, 4, "out")
    world.onss.script = [not_created()]
    world.run(journal.message())
    assert world.states() == ["rejected", "accepted", "held", "accepted"]


def test_an_unknown_stamp_lets_the_next_go_after_ten_minutes(world: World) -> None:
    journal = morning([(twins.UID_ANN, 1, "in"), (twins.UID_ANN, 2, "out")])
    world.settle(journal.message())
    (call,) = world.submitted
    world.settle(Answered(call.attempt, answer(500)))
    world.submitted.clear()
    world.second += 599
    world.settle(Tick())
    assert not world.submitted
    world.second += 1
    world.settle(Tick())
    assert [one.items[0]["type"] for one in world.submitted] == ["out"]


def test_fresh_stamps_go_before_a_backlog_and_take_their_workers_earlier_ones(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, Limits(calls_max=1)).online()
    for number in range(20):
        world.people.enrol(bytes([4, number]), Badge(f"w{number}", twins.BEN))
    backlog = Journal(TERMINAL)
    for number in range(20):
        backlog.tap(bytes([4, number]), number)
    backlog.tap(twins.UID_ANN, 30, "in")
    backlog.tap(twins.UID_ANN, 3598, "out")
    world.second = 3600
    world.run(backlog.message())
    kinds = [(row["ssin"], row["type"]) for row in world.onss.rows]
    assert kinds[:3] == [(twins.ANN, "in"), (twins.ANN, "out"), (twins.BEN, "in")]
    assert len(kinds) == 22


def test_no_more_calls_are_made_at_once_than_allowed(tmp_path: Path) -> None:
    world = World(tmp_path, Limits(calls_max=3)).online()
    journal = Journal(TERMINAL)
    for number in range(10):
        world.people.enrol(bytes([4, number]), Badge(f"w{number}", twins.BEN))
        journal.tap(bytes([4, number]), number)
    world.settle(journal.message())
    assert len(world.submitted) == 3
    world.settle(Answered(world.submitted[0].attempt, created(1)))
    assert len(world.submitted) == 4


def test_several_items_a_call_leave_each_to_be_searched_until_order_is_confirmed(
    tmp_path: Path,
) -> None:
    journal = morning([(twins.UID_ANN, 1, "in"), (twins.UID_BEN, 2, "in")])
    for confirmed, told in ((False, "unknown"), (True, "accepted")):
        folder = tmp_path / str(confirmed)
        folder.mkdir()
        world = World(folder, Limits(items_max=10, in_order=confirmed)).online()
        world.settle(journal.message())
        (call,) = world.submitted
        assert len(call.items) == 2
        world.settle(Answered(call.attempt, created(1, 2)))
        assert world.states() == [told, told]


def test_a_call_too_large_is_sent_again_one_by_one(tmp_path: Path) -> None:
    world = World(tmp_path, Limits(items_max=10, in_order=True)).online()
    world.onss.script = [problem(413, "payloadTooLarge")]
    world.run(morning([(twins.UID_ANN, 1, "in"), (twins.UID_BEN, 2, "in")]).message(), seconds=5)
    assert world.onss.calls == 3 and world.states() == ["accepted", "accepted"]


def test_an_answer_to_nobodys_call_changes_nothing(world: World) -> None:
    one_tap(world)
    world.step(Answered(99, created(1)), Consulted(1, created(1)))
    assert world.states() == ["submitted"]


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_gateway_killed_between_any_two_steps_registers_each_tap_once(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("killed")
    world = World(folder).online()
    journal = Journal(TERMINAL)
    for number in range(6):
        uid = twins.UID_ANN if number % 2 else twins.UID_BEN
        journal.tap(uid, number * 20, "in" if number % 4 < 2 else "out")
    stored_unanswered: st.SearchStrategy[Outcome | str | None] = st.sampled_from(
        [None, None, "lost", problem(503, "serviceUnavailable"), answer(500), not_sent()]
    )
    for _ in range(data.draw(st.integers(1, 25))):
        world.onss.script = [data.draw(stored_unanswered)]
        event = data.draw(st.sampled_from(["kill", "batch", "answer", "lose", "time"]))
        if event == "kill":
            world.restart()
            world.submitted, world.consults = [], []
            world.online()
        elif event == "batch":
            start = data.draw(st.integers(0, journal.size - 1))
            world.step(journal.message(start))
        elif event == "answer":
            world.step(*world.answers())
        elif event == "lose":
            world.answers()
            world.restart()
            world.online()
        else:
            world.second += 5
            world.step(Tick())
    world.onss.script = []
    world.run(journal.message(), seconds=3600, every=30)
    assert set(world.states()) == {"accepted"}
    stamps = [(row["ssin"], row["registrationDate"]) for row in world.onss.rows]
    assert len(stamps) == len(set(stamps)) == journal.size
    world.ledger.close()


def not_sent() -> Outcome:
    return silence(Silence.REFUSED, False)


def test_no_person_shows_in_the_ledgers_bytes_nor_in_what_is_published_or_logged(
    world: World,
) -> None:
    journal = morning([(twins.UID_ANN, 1, "in"), (twins.UID_BEN, 2, "in")])
    echo = [{"createdPresenceRegistration": {"id": 1, "ssin": twins.ANN}}]
    world.onss.script = [answer(200, {"items": echo}), "lost"]
    world.run(journal.message(), seconds=300)
    assert world.states() == ["accepted", "accepted"]
    written = b"".join(path.read_bytes() for path in world.path.parent.glob("ledger.db*"))
    in_json = base64.b64encode(answer(200, {"items": echo}).body)
    assert in_json[:40] not in written
    said = b"".join(one.topic.encode() + one.payload for one in world.published)
    for secret in (twins.ANN, twins.BEN, twins.UID_ANN.hex(), twins.UID_BEN.hex()):
        assert secret.encode() not in written + said
        assert secret not in repr([world.reports, world.submitted, world.consults])
    for uid in (twins.UID_ANN, twins.UID_BEN):
        assert uid not in written + said
