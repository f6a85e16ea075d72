"""A terminal's program in the bench's own process, so that its clock and its edges are ours."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ciao.link import Publish
from ciao.mqtt import Link, tls_context
from ciao.reading import ReadClock
from ciao.registration import Direction
from ciao.running import Inbox
from hardware.clock import system_clock
from hardware.events import CardGone, CardRead, Pressed
from terminal import config as configuration
from terminal.__main__ import assemble
from terminal.core import Event
from tests.demo.world import World

TIMEOUT_S = 120.0
READER = "main"


class Wall:
    """The terminal of a world that was opened without one."""

    def __init__(self, world: World) -> None:
        self.config = configuration.load(world.terminal_folder / "terminal.toml")
        self.read: ReadClock = system_clock(self.config.zone, 1000)
        self.config.state.mkdir()
        self.terminal, self.journal, _ = assemble(self.config)
        self.inbox: Inbox[Event] = Inbox()
        self._first = self.terminal.start(self.read())
        broker = self.config.settings.broker
        self.link = Link(
            broker,
            tls_context(broker, self.config.base),
            self.config.settings.terminal,
            self.terminal.exchange.presence(online=False),
            self.terminal.exchange.subscriptions(),
            self.inbox.put,
        )

    def connect(self) -> None:
        """Begin the session."""
        self.link.start()
        self.publish(self._first)

    def be_bound(self) -> None:
        """Hear the binding, and leave again: what is tapped from now on is a backlog."""
        self.connect()
        deadline_s = time.monotonic() + TIMEOUT_S
        while b'"kind":"binding"' not in self._newest() and time.monotonic() < deadline_s:
            self.step(self.inbox.take(0.05))
        self.until_settled()
        self.link.stop()
        self.step(self.inbox.take(0.05))

    def tap(self, uid: bytes, direction: Direction) -> None:
        """One person: a press, a badge, and gone."""
        now = self.read()
        press, card = Pressed(direction, now), CardRead(READER, uid, now)
        self.step([press, card, CardGone(READER, uid)])

    def until_settled(self) -> None:
        """Serve, as the program does, until a receipt for everything is on the disk."""
        deadline_s = time.monotonic() + TIMEOUT_S
        more = False
        while self.journal.settled < self.journal.size:
            self.step(self.inbox.take(0.0 if more else 0.05))
            more = self.terminal.has_more(self.read())
            if time.monotonic() > deadline_s:
                raise AssertionError(f"settled {self.journal.settled} of {self.journal.size}")

    def step(self, events: list[Event]) -> None:
        """One step of the program, and what it sends."""
        self.publish(self.terminal.step(self.read(), events))

    def publish(self, effects: Sequence[object]) -> None:
        """Send what is to be sent; nobody looks at the panel."""
        for effect in effects:
            if isinstance(effect, Publish):
                self.link.publish(effect)

    def _newest(self) -> bytes:
        size = self.journal.size
        return b"".join(row.leaf for row in self.journal.rows(size - 1, size))
