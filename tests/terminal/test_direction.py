"""Who chose IN or OUT, and for which badge: never the terminal (Q19)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from ciao import entries
from hardware.events import CardGone, CardRead, CardUnreadable, Pressed, ReaderChanged
from hardware.panel import Light, Sound
from tests.terminal.world import ANNA, BRAM, CARL, IN, OUT, PHONE, World, bound_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return bound_world(tmp_path / "state")


@pytest.fixture
def lanes(tmp_path: Path) -> World:
    return bound_world(tmp_path / "state", mode="lanes")


def test_press_then_tap(world: World) -> None:
    (asked,) = world.press(IN)
    assert (asked.headline, asked.light, asked.stamp) == ("IN", Light.WAITING, None)
    world.wait(9_000)
    view = world.tap(ANNA)
    assert (view.light, view.sound, view.headline) == (Light.IN, Sound.IN_STORED, "IN 06:02")
    assert world.taps_and_refusals() == ["tap in"]


def test_tap_then_press_while_the_badge_still_lies_there(world: World) -> None:
    (asked,) = world.put(ANNA)
    assert (asked.headline, asked.light) == ("IN / OUT ?", Light.WAITING)
    assert world.taps_and_refusals() == []
    world.wait(4_000)
    (view,) = world.press(OUT)
    assert (view.light, view.headline) == (Light.OUT, "OUT 06:02")
    (entry,) = [e for e in world.entries() if isinstance(e, entries.Tap)]
    assert entry.at == "2026-03-02T06:02:00.000+01:00", "its first sense, not the press"
    assert entry.chosen == "button"


def test_a_press_after_the_badge_left_does_not_choose_for_it(world: World) -> None:
    world.put(ANNA)
    world.wait(1_000)
    (view,) = world.take()
    assert (view.light, view.sound) == (Light.REFUSED, Sound.REFUSED)
    world.press(IN)
    assert world.taps_and_refusals() == ["refused no_direction"]


def test_one_press_serves_one_tap(world: World) -> None:
    world.press(IN)
    world.tap(ANNA)
    (asked,) = world.put(BRAM)
    assert asked.light is Light.WAITING
    assert world.taps_and_refusals() == ["tap in"]


def test_somebody_elses_press_does_not_stamp_a_badge_that_is_being_lifted(world: World) -> None:
    """The reader needs three looks to say that a badge is gone; the next person presses already."""
    world.press(IN)
    world.put(ANNA)
    world.wait(2_000)
    world.press(OUT)
    world.wait(200)
    world.take()
    (view,) = world.put(BRAM)
    assert (view.headline[:3], view.language) == ("OUT", "nl"), "Bram's, in Bram's language"
    assert world.taps_and_refusals() == ["tap in", "tap out"]


def test_a_badge_that_went_does_not_take_another_with_it(world: World) -> None:
    """Two badges on one reader: the first is said to be gone after the second was read."""
    world.do(CardRead("door", ANNA, world.clock()))
    world.do(CardRead("door", BRAM, world.clock()))
    world.do(CardGone("door", ANNA))
    (view,) = world.press(IN)
    assert (view.headline, view.language) == ("IN 06:02", "nl")
    assert world.taps_and_refusals() == ["refused no_direction", "tap in"]


@pytest.mark.parametrize(("waited_ms", "stamped"), [(9_999, True), (10_000, False)])
def test_a_press_counts_for_10_s(world: World, waited_ms: int, stamped: bool) -> None:
    world.press(IN)
    world.wait(waited_ms)
    world.put(ANNA)
    assert world.taps_and_refusals() == (["tap in"] if stamped else [])
    assert (world.shown[-1].light is Light.WAITING) is not stamped


@pytest.mark.parametrize(("waited_ms", "stamped"), [(9_999, True), (10_000, False)])
def test_a_badge_waits_10_s_for_a_press(world: World, waited_ms: int, stamped: bool) -> None:
    world.put(ANNA)
    world.wait(waited_ms)
    assert world.taps_and_refusals() == ([] if stamped else ["refused no_direction"])
    world.press(IN)
    assert world.taps_and_refusals()[0] == ("tap in" if stamped else "refused no_direction")


def test_a_question_stays_on_the_screen_as_long_as_its_answer_counts(world: World) -> None:
    """Else the next person would tap at a screen at rest, and get somebody else's direction."""
    world.press(IN)
    world.wait(9_800)
    assert world.shown[-1].light is Light.WAITING
    (rest,) = world.wait(400)
    assert rest.light is Light.OFF


def test_a_held_badge_and_another_press_is_another_stamp(world: World) -> None:
    world.press(IN)
    world.put(ANNA)
    world.wait(3_000)
    world.press(OUT)
    world.wait(600)
    assert world.taps_and_refusals() == ["tap in", "tap out"]
    second = [e for e in world.entries() if isinstance(e, entries.Tap)][-1]
    assert second.at == "2026-03-02T06:02:03.000+01:00", "it began with the press"


def test_the_same_within_10_s_is_a_repeat_and_the_opposite_never(world: World) -> None:
    for direction in (IN, IN, OUT):
        world.press(direction)
        world.tap(ANNA)
    assert world.taps_and_refusals() == ["tap in", "refused repeat", "tap out"]


def test_the_same_after_10_s_is_stamped_again(world: World) -> None:
    world.stamp(ANNA, IN)
    world.stamp(ANNA, IN)
    assert world.taps_and_refusals() == ["tap in", "tap in"], "never refused for being illogical"


def test_a_badge_never_lifted_is_a_repeat_however_long_it_lies(world: World) -> None:
    world.press(IN)
    world.put(ANNA)
    world.wait(60_000)
    world.press(IN)
    world.wait(1_000)
    assert world.taps_and_refusals() == ["tap in", "refused repeat"]


def test_another_badge_is_no_repeat(world: World) -> None:
    for uid in (ANNA, BRAM, CARL):
        world.press(IN)
        world.tap(uid)
    assert world.taps_and_refusals() == ["tap in"] * 3


@pytest.mark.parametrize("uid", [PHONE, bytes.fromhex("08000000")])
def test_a_random_uid_is_refused_with_its_payload(world: World, uid: bytes) -> None:
    world.press(IN)
    view = world.tap(uid)
    assert view.lines == ("This is a phone. Use your badge.",)
    (entry,) = [e for e in world.entries() if isinstance(e, entries.Refused)]
    assert (entry.reason, entry.payload is None) == ("random_uid", False)


def test_seven_bytes_that_begin_with_08_are_a_badge(world: World) -> None:
    world.press(IN)
    world.tap(bytes.fromhex("08a1b2c3d4e580"))
    assert world.taps_and_refusals() == ["tap in"]


def test_unreadable_is_shown_each_time_and_journalled_once_a_minute(world: World) -> None:
    for _ in range(4):
        (view,) = world.unreadable()
        assert view.lines[0] == "Badge not read."
        world.wait(19_000)
    assert world.taps_and_refusals() == ["refused unreadable"]
    world.wait(4_000)
    world.unreadable()
    assert world.taps_and_refusals() == ["refused unreadable"] * 2


def test_each_lane_says_its_direction(lanes: World) -> None:
    lanes.tap(ANNA, "in")
    lanes.tap(ANNA, "out")
    lanes.tap(BRAM, "out")
    assert lanes.taps_and_refusals() == ["tap in", "tap out", "tap out"]
    taps = [e for e in lanes.entries() if isinstance(e, entries.Tap)]
    assert {tap.chosen for tap in taps} == {"lane"}
    assert lanes.press(IN) == [], "there is nothing to press"


def test_a_lane_repeats_as_buttons_do(lanes: World) -> None:
    lanes.tap(ANNA, "in")
    lanes.tap(ANNA, "in")
    lanes.wait(10_000)
    lanes.tap(ANNA, "in")
    assert lanes.taps_and_refusals() == ["tap in", "refused repeat", "tap in"]


def test_a_reader_of_no_lane_infers_nothing(tmp_path: Path) -> None:
    world = World(tmp_path / "state", ("door",))
    world.bind(mode="lanes")
    world.tap(ANNA)
    assert world.taps_and_refusals() == ["refused no_direction"]


def test_a_change_of_mode_drops_what_was_waited_for(world: World) -> None:
    world.press(IN)
    world.wait(1_000)
    world.bind(mode="lanes", serial=1001, effective_from="2026-03-02T06:00:00.000+01:00")
    world.put(ANNA)
    assert "tap in" not in world.taps_and_refusals()


def test_without_a_binding_nothing_is_stamped_and_nothing_is_sealed(tmp_path: Path) -> None:
    world = World(tmp_path / "state")
    assert world.shown[-1].headline == "Not in service"
    for _ in range(2):
        world.press(IN)
        view = world.tap(ANNA)
        assert view.lines[0] == "This terminal is not in service yet."
    refused = [e for e in world.entries() if isinstance(e, entries.Refused)]
    assert [(e.reason, e.payload) for e in refused] == [("unbound", None)] * 2


def test_an_unbound_terminal_asks_for_nothing(tmp_path: Path) -> None:
    """Neither for a badge nor for a direction: it can't keep what that would promise."""
    world = World(tmp_path / "state")
    (pressed,) = world.press(IN)
    assert pressed.headline == "Not recorded"
    assert world.taps_and_refusals() == [], "a press alone is nothing to write down"
    (put,) = world.put(ANNA)
    assert put.lines[0] == "This terminal is not in service yet."
    world.wait(11_000)
    world.take()
    assert world.taps_and_refusals() == ["refused unbound"], "at once, and once"
    world.bind()
    world.put(ANNA)
    assert "tap in" not in world.taps_and_refusals(), "the press before counts for nothing"


def test_what_was_not_recorded_is_never_called_a_repeat(tmp_path: Path) -> None:
    """Tapped while unbound, bound, tapped again within 10 s: that is the first stamp."""
    world = World(tmp_path / "state")
    world.press(IN)
    world.tap(ANNA)
    world.bind()
    world.press(IN)
    world.tap(ANNA)
    assert world.taps_and_refusals() == ["refused unbound", "tap in"]


def test_a_reader_that_does_not_answer_is_shown_and_told(world: World) -> None:
    world.wait(6_000)
    (view,) = world.do(ReaderChanged("door", False, "gone", world.clock()))
    assert (view.light, view.headline) == (Light.FAULT, "Out of order")
    world.wait(60_000)
    beat = [e for e in world.entries() if isinstance(e, entries.Heartbeat)][-1]
    assert beat.works["reader"] is False
    (view,) = world.do(ReaderChanged("door", True, "", world.clock()))
    assert view.light is Light.OFF


def test_until_its_readers_have_looked_it_asks_for_a_moment(tmp_path: Path) -> None:
    """A badge that is laid now would be taken for one that lay there all along."""
    world = bound_world(tmp_path / "again")
    world.power_cut()
    world.readers_look = False
    world.power_on()
    world.wait(200)
    assert (world.shown[-1].light, world.shown[-1].lines) == (Light.OFF, ("One moment, please.",))
    (view,) = world.do(ReaderChanged("door", True, "", world.clock()))
    assert view.headline == "IN / OUT"


@pytest.mark.parametrize(
    ("why", "headline", "advice"),
    [
        ("half", "Not recorded", "Hold it still, in the middle."),
        ("two", "Not recorded", "Hold only one here."),
        ("lying", "Nothing new", "Take it away, then hold it here again."),
    ],
)
def test_whoever_was_not_read_is_told_what_helps(
    world: World, why: Literal["half", "two", "lying"], headline: str, advice: str
) -> None:
    (view,) = world.do(CardUnreadable("door", world.clock(), why))
    assert (view.light, view.headline, view.lines[-1]) == (Light.REFUSED, headline, advice)
    assert world.taps_and_refusals() == ["refused unreadable"]


def test_events_of_one_step_are_taken_in_their_order(world: World) -> None:
    now = world.clock()
    world.do(
        Pressed(OUT, now),
        CardRead("door", ANNA, now),
        CardGone("door", ANNA),
        Pressed(IN, now),
        CardRead("door", BRAM, now),
    )
    assert world.taps_and_refusals() == ["tap out", "tap in"]
