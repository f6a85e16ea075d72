"""Edge: the loop that turns events into effects, and effects into light and messages."""

from __future__ import annotations

import threading

from ciao.link import Publish
from ciao.mqtt import Link
from ciao.reading import ReadClock
from ciao.running import Inbox
from hardware.panel import Panel, View
from terminal.core import Effect, Event, Terminal

TICK_S = 0.2


def run(
    terminal: Terminal,
    link: Link,
    panel: Panel,
    inbox: Inbox[Event],
    read_clock: ReadClock,
    stopping: threading.Event,
) -> None:
    """Serve until `stopping` is set. What a view promises is committed before it is shown."""
    link.start()
    more = False
    while not stopping.is_set():
        events = inbox.take(0.0 if more else TICK_S)
        now = read_clock()
        carry_out(terminal.step(now, events), panel, link)
        more = terminal.has_more(now)
    link.stop(terminal.stop(read_clock()))


def carry_out(effects: list[Effect], panel: Panel, link: Link) -> None:
    """Show and send: first the person at the door, then the network."""
    for effect in effects:
        if isinstance(effect, View):
            panel.show(effect)
    for effect in effects:
        if isinstance(effect, Publish):
            link.publish(effect)
