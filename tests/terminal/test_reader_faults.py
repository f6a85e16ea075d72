"""What of a reader's faults reaches the journal and the panel: real reader, real terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ciao import entries
from hardware.events import CardGone, CardRead, CardUnreadable, HardwareEvent, ReaderChanged
from hardware.panel import Light
from tests.hardware.emulated import Ear, Emulator, reading, running_emulator
from tests.support.waiting import wait_for
from tests.terminal.test_process import Program, installed
from tests.terminal.world import ANNA, BRAM, IN, OUT, World, bound_world

FAULTS = [("unplug", "plug"), ("mute", "unmute"), ("mute", "reset")]


@dataclass
class Entrance:
    """A terminal on a virtual clock; what its reader really says is handed to it, in order."""

    world: World
    emulator: Emulator
    ear: Ear
    given: int = 0

    def put(self, uid: bytes) -> None:
        self.emulator.say(f"put uid={uid.hex()} type=ntag213")

    def take(self, uid: bytes) -> None:
        self.emulator.say(f"take uid={uid.hex()}")

    def hear(self, kind: type[HardwareEvent]) -> None:
        """Hand on what the reader says, until the next event of this kind has been."""
        count = sum(isinstance(event, kind) for event in self.ear.heard[: self.given]) + 1
        self.ear.wait(kind, count)
        new = self.ear.heard[self.given :]
        self.given += len(new)
        for event in new:
            self.world.do(event)

    def beat(self) -> bool:
        """Let a minute pass; does the reader work, says the heartbeat?"""
        self.world.wait(60_200)
        beats = [e for e in self.world.entries() if isinstance(e, entries.Heartbeat)]
        return beats[-1].works["reader"]


@contextmanager
def entrance(folder: Path, mode: str) -> Iterator[Entrance]:
    world = bound_world(folder / "state", mode)
    with running_emulator(folder) as emulator:
        name = world.readers[0]
        with reading(emulator.port, world.clock, name) as ear:
            made = Entrance(world, emulator, ear)
            made.hear(ReaderChanged)
            yield made
    world.power_cut(clean=True)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Entrance]:
    with entrance(tmp_path, "buttons") as made:
        yield made


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[Entrance]:
    with entrance(tmp_path, "lanes") as made:
        yield made


@pytest.mark.parametrize(("breaks", "mends"), FAULTS)
def test_a_fault_is_in_each_heartbeat_and_on_the_panel_while_it_lasts_and_no_longer(
    door: Entrance, breaks: str, mends: str
) -> None:
    assert door.beat()
    door.emulator.say(breaks)
    door.hear(ReaderChanged)
    shown = door.world.shown[-1]
    assert (shown.light, shown.headline) == (Light.FAULT, "Out of order")
    assert not door.beat()
    assert not door.beat()
    door.emulator.say(mends)
    door.hear(ReaderChanged)
    assert door.world.shown[-1].light is Light.OFF
    assert door.beat()
    door.world.press(IN)
    door.put(ANNA)
    door.hear(CardRead)
    assert door.world.taps_and_refusals() == ["tap in"]


def test_a_press_while_the_reader_is_away_is_not_given_to_the_badge_that_waited(
    door: Entrance,
) -> None:
    door.put(ANNA)
    door.hear(CardRead)
    assert door.world.shown[-1].light is Light.WAITING
    door.emulator.say("unplug")
    door.hear(ReaderChanged)
    door.world.press(IN)
    door.world.wait(20_000)
    assert door.world.taps_and_refusals() == ["refused no_direction"]
    assert door.world.shown[-1].headline == "Out of order"


def test_a_badge_that_was_served_and_held_through_a_fault_gets_nobodys_press(
    door: Entrance,
) -> None:
    door.world.press(IN)
    door.put(ANNA)
    door.hear(CardRead)
    door.emulator.say("unplug")
    door.hear(ReaderChanged)
    door.emulator.say("plug")
    door.hear(ReaderChanged)
    door.world.press(OUT)
    door.world.wait(20_000)
    assert door.world.taps_and_refusals() == ["tap in"]


def test_a_badge_forgotten_on_a_lane_is_stamped_once_whatever_the_reader_goes_through(
    lane: Entrance,
) -> None:
    lane.put(ANNA)
    lane.hear(CardRead)
    for breaks, mends in FAULTS:
        lane.emulator.say(breaks)
        lane.hear(ReaderChanged)
        lane.world.wait(60_000)
        lane.emulator.say(mends)
        lane.hear(ReaderChanged)
    lane.take(ANNA)
    lane.put(BRAM)
    lane.hear(CardRead)
    lane.take(BRAM)
    lane.hear(CardGone)
    assert lane.world.taps_and_refusals() == ["tap in", "tap in"]


def test_a_wallet_with_two_badges_stamps_nobody_and_says_so(lane: Entrance) -> None:
    lane.emulator.say("mute")
    lane.put(ANNA)
    lane.put(BRAM)
    lane.emulator.say("unmute")
    lane.hear(CardUnreadable)
    assert lane.world.shown[-1].light is Light.REFUSED
    lane.take(ANNA)
    lane.put(ANNA)
    lane.take(BRAM)
    lane.take(ANNA)
    lane.world.wait(20_000)
    lane.put(bytes.fromhex("04112233445580"))
    lane.hear(CardRead)
    assert lane.world.taps_and_refusals() == ["refused unreadable", "tap in"]


def test_a_badge_beside_the_one_that_waits_lets_no_press_choose_between_them(
    door: Entrance,
) -> None:
    door.put(ANNA)
    door.hear(CardRead)
    door.put(BRAM)
    door.hear(CardUnreadable)
    door.world.press(OUT)
    door.world.wait(20_000)
    assert door.world.taps_and_refusals() == ["refused no_direction", "refused unreadable"]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    with installed(tmp_path) as made:
        yield made


@pytest.mark.parametrize(("breaks", "mends"), [FAULTS[0], FAULTS[2]])
def test_the_real_process_goes_through_a_fault_and_stamps_after_it(
    program: Program, breaks: str, mends: str
) -> None:
    def headline() -> object:
        return program.log()[-1]["headline"]

    program.start()
    program.stamp("in", "04A1B2C3D4E580", "ntag213")
    program.emulator.say(breaks)
    wait_for(lambda: headline() == "Out of order", "the panel to say so", timeout_s=20)
    program.emulator.say(mends)
    wait_for(lambda: headline() == "IN / OUT", "the panel to rest again", timeout_s=20)
    program.stamp("out", "04D5E6F7A8B980", "type4")
    assert program.stop() == 0
    assert [word for word in program.words() if word.startswith("tap")] == ["tap in", "tap out"]
