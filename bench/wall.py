"""A terminal's program in the bench's own process, so that its clock and its edges are ours."""

from __future__ import annotations

import time

from ciao.entries import Entry
from ciao.mqtt import Link, tls_context
from ciao.reading import ReadClock
from ciao.registration import Direction
from ciao.running import Inbox
from hardware.clock import system_clock
from hardware.events import CardGone, CardRead, Pressed
from hardware.panel import Panel, View
from terminal import config as configuration
from terminal.__main__ import assemble, put_people_first
from terminal.core import Event
from terminal.program import Messages, Program
from tests.demo.world import World

TIMEOUT_S = 120.0
READER = "main"


class Wall:
    """The terminal of a world that was opened without one."""

    def __init__(self, world: World, panel: Panel | None = None) -> None:
        """`panel` is shown what happens; None where nobody looks."""
        self.config = configuration.load(world.terminal_folder / "terminal.toml")
        self.read: ReadClock = system_clock(self.config.zone, 1000)
        self.config.state.mkdir()
        self.terminal, self.journal, _ = assemble(self.config)
        self.commit_s = 0.0
        self._time_commits()
        self.inbox: Inbox[Event] = Inbox()
        messages = Messages(self.inbox.wake)
        self._first = self.terminal.start(self.read())
        broker = self.config.settings.broker
        self.link = Link(
            broker,
            tls_context(broker, self.config.base),
            self.config.settings.terminal,
            self.terminal.exchange.presence(online=False),
            self.terminal.exchange.subscriptions(),
            messages.put,
        )
        self.program = Program(
            self.terminal, self.link, panel or _Unseen(), self.inbox, messages, self.read
        )
        put_people_first()

    def connect(self) -> None:
        """Begin the session."""
        self.link.start()
        self.program.carry_out(self._first)

    def be_bound(self) -> None:
        """Hear the binding, and leave again: what is tapped from now on is a backlog."""
        self.connect()
        deadline_s = time.monotonic() + TIMEOUT_S
        while b'"kind":"binding"' not in self._newest() and time.monotonic() < deadline_s:
            self.program.turn()
        self.until_settled()
        self.link.stop()
        self.program.turn()

    def tap(self, uid: bytes, direction: Direction) -> None:
        """One person: a press, a badge, and gone."""
        now = self.read()
        press, card = Pressed(direction, now), CardRead(READER, uid, now)
        for event in (press, card, CardGone(READER, uid)):
            self.inbox.put(event)
        self.program.turn()

    def until_settled(self) -> None:
        """Serve, as the program does, until a receipt for everything is on the disk."""
        deadline_s = time.monotonic() + TIMEOUT_S
        while self.journal.settled < self.journal.size:
            self.program.turn()
            if time.monotonic() > deadline_s:
                raise AssertionError(f"settled {self.journal.settled} of {self.journal.size}")

    def _time_commits(self) -> None:
        """Note of each append how long it took."""
        append = self.journal.append

        def timed_append(entry: Entry, payload: bytes | None = None) -> None:
            began_s = time.perf_counter()
            append(entry, payload)
            if payload is not None:
                self.commit_s = time.perf_counter() - began_s

        vars(self.journal)["append"] = timed_append

    def _newest(self) -> bytes:
        size = self.journal.size
        return b"".join(row.leaf for row in self.journal.rows(size - 1, size))


class _Unseen:
    """A panel that nobody looks at."""

    def show(self, view: View) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Be as dark as before."""
