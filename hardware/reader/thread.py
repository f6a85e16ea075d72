"""Edge: a reader in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from ciao.reading import ReadClock
from hardware.events import HardwareEvent


class Reader:
    """A reader in a thread of its own, from now on until closed."""

    def __init__(self, run: Callable[[], None], stop: threading.Event, name: str) -> None:
        self._stop = stop
        self._thread = threading.Thread(target=run, name=f"reader {name}", daemon=True)
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

    def run() -> None:
        # The driver takes a fifth of a terminal's start to import: others use that time.
        from hardware.reader.port import Port  # noqa: PLC0415
        from hardware.reader.supervisor import Supervisor  # noqa: PLC0415

        Supervisor(name, lambda: Port(path), emit, read_clock, stop, reads_lying=reads_lying).run()

    return Reader(run, stop, name)
