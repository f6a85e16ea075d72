"""Ten looks a second, and a supervisor that never gives up; no thread, no sleep of its own.

A reader that fails is closed, brought back to its speed and opened again, ever less often;
while it does not work, that is an event, once, and so is its return.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Protocol

from ciao.reading import ReadClock
from hardware.events import HardwareEvent, ReaderChanged
from hardware.reader.port import DRIVER_FAULTS
from hardware.reader.presence import Look, Presence

LOOKS_A_SECOND = 10
_FAILURES_UNSAID = 1
_PAUSE_S, _PAUSE_MAX_S = 0.2, 5.0
_DETAIL_MAX = 120


class LookingPort(Protocol):
    """What the supervisor needs of an open reader; `hardware.reader.port.Port` is one."""

    def look(self) -> Look:
        """List the badges in the field, once."""

    def sees(self, uid: bytes) -> bool:
        """Is this badge there?"""

    def close(self) -> None:
        """Give it back; never raises."""


class Waiting(Protocol):
    """Sleep that can be ended: `threading.Event` is one."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait so many seconds; return True at once when it is time to stop."""

    def is_set(self) -> bool:
        """Is it time to stop?"""


def pause_s(failures: int) -> float:
    """Return how long to wait after so many failures since the last good look.

    None after the first, which noise on the line explains; then doubling up to 5 s.
    """
    if failures <= _FAILURES_UNSAID:
        return 0.0
    return float(min(_PAUSE_S * 2 ** min(failures - _FAILURES_UNSAID - 1, 16), _PAUSE_MAX_S))


class Supervisor:
    """Keeps one reader looked at, in the thread that calls `run`."""

    def __init__(
        self,
        name: str,
        open_port: Callable[[], LookingPort],
        emit: Callable[[HardwareEvent], None],
        read_clock: ReadClock,
        stop: Waiting,
        *,
        reads_lying: bool = True,
    ) -> None:
        self._name = name
        self._open_port = open_port
        self._emit = emit
        self._read_clock = read_clock
        self._stop = stop
        self._presence = Presence(name, reads_lying)
        self._works: bool | None = None
        self._failures = 0

    def run(self) -> None:
        """Look until told to stop; leaves the port closed."""
        try:
            while not self._stop.is_set():
                try:
                    self._serve()
                except DRIVER_FAULTS as error:
                    self._failures += 1
                    # While nobody looks, a badge may be lifted and another's owner press.
                    self._say(self._presence.let_go())
                    if self._failures > _FAILURES_UNSAID:
                        self._changed(False, words(error))
                    self._stop.wait(pause_s(self._failures))
        finally:
            if not self._stop.is_set():
                # A fault of ours is ending this thread: nobody is to think that it works.
                self._say(self._presence.let_go())
                self._changed(False, "the reader's thread has ended")

    def _serve(self) -> None:
        """Open the port and look at it until told to stop, or the driver raises."""
        with contextlib.closing(self._open_port()) as port:
            while not self._stop.is_set():
                began_ms = self._read_clock().up_ms
                events = self._presence.turn(port.look, port.sees, self._read_clock)
                self._failures = 0
                self._changed(True, "")
                self._say(events)
                spent_s = (self._read_clock().up_ms - began_ms) / 1000
                self._stop.wait(max(0.0, 1 / LOOKS_A_SECOND - spent_s))

    def _changed(self, works: bool, detail: str) -> None:
        if works is not self._works:
            self._works = works
            self._emit(ReaderChanged(self._name, works, detail, self._read_clock()))

    def _say(self, events: list[HardwareEvent]) -> None:
        for event in events:
            self._emit(event)


def words(error: BaseException) -> str:
    """Say in one short line what failed, for the journal; never what was read."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:_DETAIL_MAX]
    return " ".join(f"{type(error).__name__}: {error}".split())[:_DETAIL_MAX]
