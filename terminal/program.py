"""Edge: the loop that turns events into effects, and effects into light and messages."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from ciao.link import LinkEvent, Message, Publish
from ciao.mqtt import Link
from ciao.reading import ReadClock
from ciao.running import Inbox
from hardware.panel import Panel, View
from terminal.core import Effect, Event, Terminal

TICK_S = 0.2
MESSAGES_WAITING_MAX = 256


class Messages:
    """The network's way into the inbox, which it may fill only so far.

    What comes beyond is lost, as any message may be, and counted in `lost`; a badge or a press
    never is.
    """

    def __init__(self, inbox: Inbox[Event]) -> None:
        self._inbox = inbox
        self.lost = 0

    def put(self, event: LinkEvent) -> None:
        """Hand an event of the session in; never blocks, never raises. For one thread."""
        if isinstance(event, Message) and self._inbox.waiting() >= MESSAGES_WAITING_MAX:
            self.lost += 1
        else:
            self._inbox.put(event)


@dataclass(frozen=True, slots=True)
class Program:
    """The terminal, its edges, and the loop between them."""

    terminal: Terminal
    link: Link
    panel: Panel
    inbox: Inbox[Event]
    messages: Messages
    read_clock: ReadClock

    def run(self, stopping: threading.Event) -> None:
        """Serve until `stopping` is set. What a view promises is committed before it is shown."""
        self.link.start()
        more = False
        while not stopping.is_set():
            events = self.inbox.take(0.0 if more else TICK_S)
            now = self.read_clock()
            self.terminal.upkeep.messages_lost = self.messages.lost
            self.carry_out(self.terminal.step(now, events))
            more = self.terminal.has_more(now)
        self.link.stop(self.terminal.stop(self.read_clock()))

    def carry_out(self, effects: list[Effect]) -> None:
        """Show and send: first the person at the door, then the network."""
        for effect in effects:
            if isinstance(effect, View):
                self._show(effect)
        for effect in effects:
            if isinstance(effect, Publish):
                self.link.publish(effect)

    def _show(self, view: View) -> None:
        """Show a view. A panel that fails (its log on a full disk, say) stops nothing."""
        try:
            self.panel.show(view)
        except OSError:
            self.terminal.upkeep.panel_works = False
        else:
            self.terminal.upkeep.panel_works = True
