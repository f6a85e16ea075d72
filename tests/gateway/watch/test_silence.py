"""Terminals that fell silent: one, several, all at once; and what a restart makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ciao.entries import OutageBegin, OutageEnd, OutageUpdate
from gateway.watch.watch import Known
from tests.gateway.watch.world import WatchWorld

DOORS = ("door-1", "door-2", "door-3")


@pytest.fixture
def world(tmp_path: Path) -> WatchWorld:
    made = WatchWorld(tmp_path, sites={"door-1": "hall", "door-2": "tower", "door-3": "tower"})
    made.connect()
    made.wait(120, DOORS)
    return made


def test_who_sends_a_heartbeat_each_minute_is_not_silent(world: WatchWorld) -> None:
    world.wait(600, DOORS)
    assert not world.said(OutageBegin)


def test_one_that_falls_silent_is_told_with_when_it_was_last_heard(world: WatchWorld) -> None:
    world.wait(240, DOORS[1:])
    (begun,) = world.said(OutageBegin)
    assert (begun.terminal, begun.cause, begun.affected) == ("door-1", "unclassified", "submit")
    assert begun.probes["terminals"] == "one" and begun.since is not None
    world.wait(60, DOORS)
    (end,) = world.said(OutageEnd)
    assert end.outage == begun.outage and end.terminal == "door-1" and end.well_since < end.at


def test_all_at_once_at_several_sites_are_our_side(world: WatchWorld) -> None:
    world.wait(300)
    begun = world.said(OutageBegin)
    assert {one.terminal for one in begun} == set(DOORS)
    assert {one.probes["terminals"] for one in begun} == {"many"}
    assert {one.cause for one in begun} == {"broker_down"}


def test_all_of_one_site_at_once_are_that_site_s(world: WatchWorld) -> None:
    world.wait(300, DOORS[:1])
    assert world.causes("door-2") == world.causes("door-3") == ["unclassified"]


def test_while_we_have_no_session_nobody_is_silent(world: WatchWorld) -> None:
    world.disconnect()
    world.wait(600)
    world.connect()
    world.wait(120)
    assert not [one for one in world.said(OutageBegin) if one.terminal]
    world.wait(120)
    assert {one.terminal for one in world.said(OutageBegin) if one.terminal} == set(DOORS)


def test_a_terminal_that_is_not_known_any_more_is_not_missed(world: WatchWorld) -> None:
    world.sites = {"door-2": "tower", "door-3": "tower"}
    world.wait(400, DOORS[1:])
    assert not world.said(OutageBegin)


def test_a_silence_is_taken_up_again_after_a_restart_and_ends_once(world: WatchWorld) -> None:
    heard = world.now()
    world.wait(240, DOORS[1:])
    begun = world.said(OutageBegin)[0]
    world.known = [Known("door-1", begun.since or heard, "0" * 64)]
    world.restart()
    world.connect()
    world.wait(120)
    assert len(world.causes("door-1")) == 1
    world.wait(70, DOORS)
    ends = [one for one in world.said(OutageEnd) if one.terminal == "door-1"]
    assert [one.outage for one in ends] == [begun.outage]


def test_one_that_came_back_just_before_a_crash_is_not_silent_for_ever(world: WatchWorld) -> None:
    world.wait(240, DOORS[1:])
    # The ledger took its entries, and the gateway died before the journal said so.
    world.known = [Known("door-1", world.now(), "0" * 64)]
    world.restart()
    world.connect()
    world.wait(15)
    assert [one.terminal for one in world.said(OutageEnd) if one.terminal] == ["door-1"]


def test_what_lasts_is_said_again_so_that_a_restart_finds_it(world: WatchWorld) -> None:
    world.wait(240, DOORS[1:])
    for _ in range(14):
        world.clock.advance(3_600_000)
        world.wait(2, DOORS[1:])
    again = [one for one in world.said(OutageUpdate) if one.terminal == "door-1"]
    assert len(again) == 2
    world.restart()
    world.connect()
    world.wait(300, DOORS[1:])
    assert len(world.causes("door-1")) == 1
