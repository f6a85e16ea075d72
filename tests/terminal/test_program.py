"""The loop's edges: what the network may fill, and a panel that fails."""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import cast

from ciao import entries
from ciao.link import Connected, Message, Publish
from ciao.mqtt import Link
from ciao.running import Inbox
from hardware.events import CardRead, Pressed
from hardware.panel import View
from terminal import VERSION
from terminal.core import Event
from terminal.program import MESSAGES_WAITING_MAX, Messages, Program
from tests.terminal.world import ANNA, IN, bound_world, gateway_online


def test_a_flood_of_messages_is_kept_only_so_far() -> None:
    woken: list[None] = []
    messages = Messages(lambda: woken.append(None))
    for _ in range(MESSAGES_WAITING_MAX + 100):
        messages.put(Message("ciao/1/hall-3/outcome", b"{}"))
    assert (messages.waiting(), messages.lost) == (MESSAGES_WAITING_MAX, 100)
    messages.put(Connected())
    assert messages.waiting() == MESSAGES_WAITING_MAX + 1, "what is no message always gets in"
    assert len(woken) == messages.waiting()
    while messages.next():
        pass
    messages.put(Message("ciao/1/hall-3/outcome", b"{}"))
    assert (messages.waiting(), messages.lost) == (1, 100)


def test_whoever_taps_waits_behind_one_message_at_most(tmp_path: Path) -> None:
    """Each may be a receipt, and so a commit; what the tap lights up is seen before any batch."""
    world = bound_world(tmp_path / "state")
    told: list[object] = []
    inbox: Inbox[Event] = Inbox()
    messages = Messages(inbox.wake)
    program = Program(world.terminal, heard(told), Seen(told), inbox, messages, world.clock)
    messages.put(Connected())
    for _ in range(51):
        messages.put(gateway_online())
    program.turn()
    assert messages.waiting() == 51
    inbox.put(Pressed(IN, world.clock()))
    inbox.put(CardRead("door", ANNA, world.clock()))
    program.turn()
    assert messages.waiting() == 50
    light = next(n for n, said in enumerate(told) if isinstance(said, View) and said.stamp)
    batch = next(n for n, said in enumerate(told) if is_batch(said))
    assert light < batch


class Seen:
    """A panel that notes what it shows among what is sent."""

    def __init__(self, told: list[object]) -> None:
        self._told = told

    def show(self, view: View) -> None:
        self._told.append(view)

    def close(self) -> None:
        pass


def heard(told: list[object]) -> Link:
    """A session that notes what is sent among what is shown."""

    class Heard:
        def publish(self, message: Publish) -> None:
            told.append(message)

    return cast(Link, Heard())


def is_batch(said: object) -> bool:
    return isinstance(said, Publish) and said.topic.endswith("/journal")


class FullPanel:
    """A panel whose log is on a full disk, for a while."""

    def __init__(self) -> None:
        self.full = True
        self.shown: list[View] = []

    def show(self, view: View) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        self.shown.append(view)

    def close(self) -> None:
        pass


class NoLink:
    """A session that never came up."""

    def publish(self, message: Publish) -> None:
        pass


def test_a_panel_that_fails_ends_nothing_and_is_told(tmp_path: Path) -> None:
    world, panel = bound_world(tmp_path / "state"), FullPanel()
    inbox: Inbox[Event] = Inbox()
    link = cast(Link, NoLink())
    program = Program(world.terminal, link, panel, inbox, Messages(inbox.wake), world.clock)
    program.carry_out(world.terminal.step(world.clock(), [Pressed(IN, world.clock())]))
    world.tap(ANNA)
    world.wait(60_200)
    beats = [entry for entry in world.entries() if isinstance(entry, entries.Heartbeat)]
    assert beats[-1].works["panel"] is False
    assert world.taps_and_refusals() == ["tap in"], "people can hear it, if not see it"
    panel.full = False
    program.carry_out(world.terminal.step(world.clock(), [Pressed(IN, world.clock())]))
    assert panel.shown and world.terminal.upkeep.panel_works


def test_the_version_is_that_of_the_package() -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(Path(__file__).parents[2] / "setup.cfg")
    assert parser["metadata"]["version"] == VERSION
