"""Edge: a reader in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from ciao.reading import ReadClock
from hardware.events import HardwareEvent
from hardware.reader.port import Port
from hardware.reader.supervisor import Supervisor


class Reader:
    """A reader in a thread of its own, from now on until closed."""

    def __init__(self, supervisor: Supervisor, stop: threading.Event, name: str) -> None:
        self._stop = stop
        self._thread = threading.Thread(target=supervisor.run, name=f"reader {name}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop at once (a look in progress, at most a second or so, is waited for)."""
        self._stop.set()
        self._thread.join()


def open_reader(
    name: str,
    path: Path,
    emit: Callable[[HardwareEvent], None],
    read_clock: ReadClock,
    *,
    reads_lying: bool = True,
) -> Reader:
    """Start reading badges at a serial port; `name` goes into each event's `reader`.

    A badge that lies there already counts as one that comes, or where not `reads_lying` as nobody's
    tap until it is lifted (CardUnreadable): at a door it may have been stamped before a restart.

    Never fails: a port that isn't there or doesn't answer is a ReaderChanged(works=False),
    and is tried again for ever. `emit` is called in the reader's thread.
    """
    stop = threading.Event()
    supervisor = Supervisor(
        name, lambda: Port(path), emit, read_clock, stop, reads_lying=reads_lying
    )
    return Reader(supervisor, stop, name)
