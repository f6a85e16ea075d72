"""Edge: what every long-running program of ours needs: an inbox, a lock, an orderly end."""

from __future__ import annotations

import fcntl
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Generic, TypeVar

from ciao.errors import BadInput

EVENTS_A_STEP_MAX = 64

E = TypeVar("E")


class Inbox(Generic[E]):
    """Where every edge's thread puts its events, and the loop takes them from, in order."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[E | None] = queue.SimpleQueue()

    def put(self, event: E) -> None:
        """Hand an event in; never blocks, never raises."""
        self._queue.put(event)

    def wake(self) -> None:
        """Make a waiting `take` return."""
        self._queue.put(None)

    def waiting(self) -> int:
        """Say how many events wait."""
        return self._queue.qsize()

    def take(self, timeout_s: float) -> list[E]:
        """Wait for an event; return it with those that are there already, at most a step's."""
        events: list[E] = []
        try:
            found = self._queue.get(timeout=timeout_s) if timeout_s else self._queue.get_nowait()
            while True:
                if found is not None:
                    events.append(found)
                if len(events) == EVENTS_A_STEP_MAX:
                    return events
                found = self._queue.get_nowait()
        except queue.Empty:
            return events


def stop_on_signals(stopping: threading.Event, wake: Callable[[], None]) -> None:
    """Make SIGTERM and SIGINT end the loop in an orderly way."""

    def handle(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()
        wake()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


@contextmanager
def alone(lock: Path, whose: str) -> Iterator[None]:
    """Hold a lock file; raise BadInput where another process holds it.

    The kernel lets go of it when the process ends, however it ends.
    """
    try:
        lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BadInput(f"can't use {lock}: {error.strerror}", "check its folder") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise BadInput(
            f"another process runs on {lock.parent}", f"{whose} is for one process"
        ) from error
    finally:
        os.close(descriptor)
