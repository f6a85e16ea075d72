"""Edge: the desk reader: a badge laid on it says its UID, so that nobody types one."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

from ciao.errors import BadInput
from hardware.clock import system_clock
from hardware.events import CardGone, CardRead, CardUnreadable, HardwareEvent, ReaderChanged
from hardware.reader import open_reader

# A reader on USB takes a second to come up; one that says nothing for this long isn't there.
READY_S = 5.0

Tell = Callable[[str], None]
Next = Callable[[float], bytes]


@contextmanager
def open_desk(path: Path, tell: Tell) -> Iterator[Next]:
    """Open the reader at a serial port; raise BadInput where none answers.

    What it yields waits for the next badge, so many seconds, and returns its UID; it raises
    BadInput when none came. `tell` hears what the person at the desk should do.
    """
    events: queue.SimpleQueue[HardwareEvent] = queue.SimpleQueue()
    reader = open_reader("desk", path, events.put, system_clock(UTC))
    try:
        _ready(path, events)
        yield lambda patience_s: _next(events, patience_s, tell)
    finally:
        reader.close()


def _ready(path: Path, events: queue.SimpleQueue[HardwareEvent]) -> None:
    try:
        first = events.get(timeout=READY_S)
    except queue.Empty:
        raise _silent(path, "it says nothing") from None
    if isinstance(first, ReaderChanged) and not first.works:
        raise _silent(path, first.detail)


def _silent(path: Path, why: str) -> BadInput:
    return BadInput(
        f"no badge reader answers at {path}: {why}",
        "plug it in, and give its port: --reader /dev/serial/by-id/…",
    )


def _next(events: queue.SimpleQueue[HardwareEvent], patience_s: float, tell: Tell) -> bytes:
    until = time.monotonic() + patience_s
    while (left := until - time.monotonic()) > 0:
        try:
            event = events.get(timeout=left)
        except queue.Empty:
            break
        match event:
            case CardRead(uid=uid):
                return uid
            case CardUnreadable():
                tell("not read: one badge alone, in the middle, and still")
            case ReaderChanged(works=False, detail=detail):
                tell(f"the reader fails: {detail}")
            case CardGone() | _:
                pass
    raise BadInput("no badge was laid on the reader", "try again; --wait gives it more seconds")
