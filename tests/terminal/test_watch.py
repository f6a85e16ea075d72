"""What a terminal writes down of outages, in virtual time, its surroundings a twin."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from ciao import wire
from ciao.entries import (
    Heartbeat,
    MaintenanceBegin,
    MaintenanceEnd,
    OutageBegin,
    OutageEnd,
    Tap,
)
from ciao.link import Message
from ciao.reading import parse_rfc3339
from ciao.registration import Direction
from hardware.events import Probed, ReaderChanged
from terminal.watch import Look
from tests.journal.making import full_disk
from tests.terminal.gateway import cosigned
from tests.terminal.watched import Watched, watched_world
from tests.terminal.world import ANNA, BRAM

FAULTS = {
    "local_link_down": {"cable": False},
    "lan_router_down": {"router": False},
    "isp_upstream": {"line": False},
    "captive_portal": {"portal": True},
    "broker_down": {"broker": "refused"},
}


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return watched_world(tmp_path / "state")


def receipt_of(message: Message) -> str:
    return wire.decode(wire.Receipt, message.payload).checkpoint


def break_and_mend(watched: Watched, fault: dict[str, object], seconds: int) -> None:
    well = {name: getattr(watched.around, name) for name in fault}
    for name, value in fault.items():
        setattr(watched.around, name, value)
    watched.live(seconds)
    for name, value in well.items():
        setattr(watched.around, name, value)
    watched.live(40)


def test_while_all_is_well_nothing_is_told(watched: Watched) -> None:
    watched.live(180)
    assert watched.outages() == []
    assert watched.heartbeat().works["link"] and watched.heartbeat().outages == []


@pytest.mark.parametrize("cause", sorted(FAULTS))
def test_each_fault_is_told_by_its_cause_within_30_s_and_so_is_its_end(
    watched: Watched, cause: str
) -> None:
    broken_at = watched.world.clock.at
    break_and_mend(watched, FAULTS[cause], 60)
    mended_at = broken_at + timedelta(seconds=60)
    assert watched.outages() == [f"begin {cause}", f"end {cause}"]
    begin, end = watched.told()
    assert isinstance(end, OutageEnd)
    assert parse_rfc3339(begin.at) - broken_at <= timedelta(seconds=30)
    assert parse_rfc3339(end.at) - mended_at <= timedelta(seconds=30)
    assert mended_at <= parse_rfc3339(end.well_since) <= mended_at + timedelta(seconds=20)


def test_a_broken_resolver_is_no_outage_until_it_keeps_the_session_away(watched: Watched) -> None:
    watched.around.dns = False
    watched.live(60)
    assert watched.outages() == []
    watched.around.broker = "refused"
    watched.live(5)
    watched.around.broker = "ok"
    watched.live(30)
    assert watched.outages() == ["begin dns_isp"]


def test_a_gateway_that_says_it_is_there_and_is_silent_is_down(watched: Watched) -> None:
    watched.gateway_answers = False
    watched.world.stamp(ANNA, Direction.IN)
    watched.live(30)
    assert watched.outages() == ["begin gateway_down"]
    assert watched.told()[-1].probes["gateway"] == "silent"  # type: ignore[union-attr]


def test_a_gateway_whose_receipts_our_own_disk_refuses_is_not_silent(watched: Watched) -> None:
    watched.live(40)
    watched.world.stamp(ANNA, Direction.IN)
    with full_disk():
        watched.live(60)
    watched.live(60)
    assert watched.world.journal.settled == watched.world.journal.size
    assert "begin gateway_down" not in watched.outages()


def test_a_receipt_that_the_disk_kept_and_denied_to_have_is_an_answer(watched: Watched) -> None:
    watched.gateway_answers = False
    watched.world.stamp(ANNA, Direction.IN)
    watched.live(1)
    kept = cosigned(watched.world, watched.world.journal.size)
    watched.world.journal.settle(receipt_of(kept), watched.world.journal.size)
    watched.step([kept])
    watched.live(30)
    assert watched.outages() == []


def test_without_eyes_a_session_that_is_down_is_nobodys_fault(watched: Watched) -> None:
    watched.prober = False
    break_and_mend(watched, {"broker": "refused"}, 60)
    assert watched.outages() == ["begin unclassified", "end unclassified"]


def test_combined_faults_are_told_in_their_turn(watched: Watched) -> None:
    watched.around.cable = False
    watched.around.line = False
    watched.live(40)
    watched.around.cable = True
    watched.live(40)
    watched.around.line = True
    watched.live(40)
    assert watched.outages() == [
        "begin local_link_down",
        "update isp_upstream",
        "end isp_upstream",
    ]


def test_a_reader_and_a_line_that_fail_at_once_are_two_outages(watched: Watched) -> None:
    watched.step([ReaderChanged("door", False, "gone", watched.world.clock())])
    break_and_mend(watched, {"cable": False}, 60)
    watched.step([ReaderChanged("door", True, "", watched.world.clock())])
    watched.live(30)
    register = [e for e in watched.told() if getattr(e, "affected", "") == "register"]
    assert [getattr(e, "cause", "") for e in register] == ["reader_fault"] * 2
    assert len({getattr(e, "outage", "") for e in watched.told()}) == 2


def test_flapping_is_one_outage(watched: Watched) -> None:
    for _ in range(8):
        watched.around.cable = False
        watched.live(12)
        watched.around.cable = True
        watched.live(6)
    watched.live(40)
    assert watched.outages() == ["begin local_link_down", "end local_link_down"]


def test_the_taps_during_an_outage_follow_from_the_sequence(watched: Watched) -> None:
    watched.world.stamp(ANNA, Direction.IN)
    watched.around.cable = False
    watched.live(30)
    watched.world.stamp(BRAM, Direction.IN)
    watched.around.cable = True
    watched.live(40)
    begin, end = watched.told()
    during = [tap.seq for tap in watched.told(Tap) if begin.seq < tap.seq < end.seq]
    assert len(watched.told(Tap)) == 2 and len(during) == 1


def test_a_heartbeat_names_what_is_out_and_a_restart_takes_it_up(watched: Watched) -> None:
    watched.around.cable = False
    watched.live(150)
    (begin,) = watched.told()
    assert isinstance(begin, OutageBegin)
    (known,) = watched.heartbeat().outages
    assert (known.outage, known.cause) == (begin.outage, "local_link_down")
    assert known.since == begin.since
    watched.restart(clean=True)
    watched.around.cable = True
    watched.live(60)
    told = watched.told()
    assert [getattr(e, "outage", "") for e in told] == [begin.outage] * 2


def test_killed_and_stopped_are_told_apart(watched: Watched) -> None:
    for clean, cause in ((False, "terminal_fault"), (True, "manual_power_off")):
        before = len(watched.told())
        watched.world.power_cut(clean)
        watched.world.clock.advance(40_000)
        watched.world.power_on()
        watched.live(40)
        begin, end = watched.told()[before:]
        assert isinstance(begin, OutageBegin) and isinstance(end, OutageEnd)
        assert (begin.cause, begin.affected, end.cause) == (cause, "register", cause)
        assert begin.since is not None
        silent = parse_rfc3339(end.well_since) - parse_rfc3339(begin.since)
        assert timedelta(seconds=40) <= silent < timedelta(seconds=60)


@pytest.mark.parametrize("clean", [True, False])
def test_a_restart_that_takes_no_time_is_no_outage(watched: Watched, clean: bool) -> None:
    watched.live(40)
    watched.world.press(Direction.IN)
    watched.world.put(ANNA)
    watched.restart(clean=clean)
    watched.live(30)
    assert watched.outages() == []


@pytest.mark.parametrize(
    ("mains", "cause"), [(False, "mains_loss"), (True, "power_loss_unexplained")]
)
def test_a_power_cut_is_told_by_what_the_ups_said_last(
    watched: Watched, mains: bool, cause: str
) -> None:
    watched.around.ups = True
    watched.live(70)
    watched.around.mains = mains
    watched.live(15)
    # Said at once, and not with the next minute: the battery may not last that long.
    assert watched.heartbeat().works["mains"] is mains
    watched.world.power_cut()
    watched.world.clock.advance(600_000)
    watched.world.clock.reboot("00000000-0000-4000-8000-000000000002")
    watched.world.power_on()
    watched.live(5)
    assert watched.outages()[-1] == f"begin {cause}"


def test_what_a_full_disk_refused_is_told_as_soon_as_it_takes_it(watched: Watched) -> None:
    watched.step([ReaderChanged("door", False, "gone", watched.world.clock())])
    database = watched.world.journal.current._db
    database.execute("PRAGMA query_only = ON")
    watched.live(20)
    assert watched.outages() == []
    database.execute("PRAGMA query_only = OFF")
    watched.live(5)
    assert watched.outages()[0].startswith("begin")
    begin = watched.told()[0]
    assert isinstance(begin, OutageBegin) and begin.since is not None
    assert parse_rfc3339(begin.at) - parse_rfc3339(begin.since) >= timedelta(seconds=19)


def test_a_clock_step_in_an_outage_moves_nothing_but_the_clock(watched: Watched) -> None:
    watched.around.cable = False
    watched.live(30)
    watched.world.clock.step(watched.world.clock.at + timedelta(hours=2))
    watched.live(30)
    watched.around.cable = True
    watched.live(40)
    assert watched.outages() == ["begin local_link_down", "end local_link_down"]
    assert "clock_step" in watched.world.kinds()


def test_maintenance_is_told_and_outlives_a_restart(watched: Watched) -> None:
    assert watched.order("maintenance end").refused
    assert watched.order("maintenance begin").text == "ok"
    assert watched.order("maintenance begin").refused
    watched.live(90)
    assert watched.heartbeat().maintenance
    watched.restart(clean=True)
    assert watched.order("maintenance begin").refused
    assert watched.order("maintenance end").text == "ok"
    watched.live(60)
    assert not watched.heartbeat().maintenance
    assert len(watched.told(MaintenanceBegin)) == len(watched.told(MaintenanceEnd)) == 1


def test_the_state_is_one_line_for_whoever_asks(watched: Watched) -> None:
    watched.around.cable = False
    watched.live(30)
    state = json.loads(watched.order("state").text)
    assert state["causes"] == {"submit": "local_link_down"}
    assert state["probes"]["link"] == "down"
    (outage,) = state["outages"]
    begin = watched.told()[0]
    assert isinstance(begin, OutageBegin)
    assert (outage["outage"], outage["since"]) == (begin.outage, begin.since)


def test_somebody_at_the_door_waits_for_no_outage(watched: Watched) -> None:
    watched.around.cable = False
    watched.live(4)
    watched.world.clock.advance(30_000)
    watched.world.press(Direction.IN)
    before = watched.world.journal.size
    watched.world.put(ANNA)
    assert [e.seq for e in watched.told(Tap)] == [before]


def test_nobody_is_asked_again_and_again_while_all_is_well(watched: Watched) -> None:
    watched.live(30)
    seen = Probed(watched.world.clock(), watched.around.round(), whole=True)
    watched.step([seen])
    watched.world.clock.advance(2_000)
    assert not any(
        isinstance(effect, Look)
        for effect in watched.world.terminal.step(watched.world.clock(), [])
    )
    assert watched.told(Heartbeat) == []
