"""Edge: the loop that turns events into effects, and effects into light and messages."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ciao.link import LinkEvent, Message, Publish
from ciao.mqtt import Link
from ciao.reading import ReadClock
from ciao.running import Inbox
from hardware.panel import Panel, View
from hardware.probes.supervisor import Prober
from terminal.core import Effect, Event, Terminal
from terminal.watch import Answer, Look
from terminal.watch.orders import Orders

TICK_S = 0.2
MESSAGES_WAITING_MAX = 256


class Messages:
    """What the network brings waits here, and only so much of it, while people are served.

    What comes beyond is lost, as any message may be, and counted in `lost`.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        """`wake` makes the loop look."""
        self._wake = wake
        self._waiting: deque[LinkEvent] = deque()
        self.lost = 0

    def put(self, event: LinkEvent) -> None:
        """Hand an event of the session in; never blocks, never raises. For one thread."""
        if isinstance(event, Message) and len(self._waiting) >= MESSAGES_WAITING_MAX:
            self.lost += 1
        else:
            self._waiting.append(event)
            self._wake()

    def waiting(self) -> int:
        """Say how many wait."""
        return len(self._waiting)

    def next(self) -> list[LinkEvent]:
        """Take out the one that came first, if any."""
        return [self._waiting.popleft()] if self._waiting else []


@dataclass(slots=True)
class Program:
    """The terminal, its edges, and the loop between them."""

    terminal: Terminal
    link: Link
    panel: Panel
    inbox: Inbox[Event]
    messages: Messages
    read_clock: ReadClock
    prober: Prober | None = None
    orders: Orders | None = None
    _more: bool = False

    def run(self, stopping: threading.Event) -> None:
        """Serve until `stopping` is set. What a view promises is committed before it is shown."""
        self.link.start()
        while not stopping.is_set():
            self.turn()
        self.link.stop(self.terminal.stop(self.read_clock()))

    def turn(self) -> None:
        """Wait for something to happen, and serve it: people first, then one message at most.

        A receipt is a commit: whoever taps waits for one of them, not for all that have come.
        """
        events = self.inbox.take(0.0 if self._more else TICK_S)
        if events:
            self.carry_out(self.terminal.step(self.read_clock(), events))
        now = self.read_clock()
        self.terminal.upkeep.messages_lost = self.messages.lost
        self.carry_out(self.terminal.step(now, self.messages.next()))
        self._more = self.messages.waiting() > 0 or self.terminal.has_more(now)

    def carry_out(self, effects: list[Effect]) -> None:
        """Show, send, look and answer: first the person at the door."""
        for effect in effects:
            if isinstance(effect, View):
                self._show(effect)
        for effect in effects:
            if isinstance(effect, Publish):
                self.link.publish(effect)
            elif isinstance(effect, Look) and self.prober is not None:
                self.prober.look()
            elif isinstance(effect, Answer) and self.orders is not None:
                self.orders.answer(effect)

    def _show(self, view: View) -> None:
        """Show a view. A panel that fails (its log on a full disk, say) stops nothing."""
        try:
            self.panel.show(view)
        except OSError:
            self.terminal.upkeep.panel_works = False
        else:
            self.terminal.upkeep.panel_works = True
