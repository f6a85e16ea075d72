"""Edge: the console twins: a panel that writes down what it shows, and buttons on a socket."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from ciao.errors import BadInput
from ciao.reading import ReadClock, rfc3339
from ciao.registration import Direction
from hardware.control import ControlServer
from hardware.events import Pressed
from hardware.panel import StampShown, View


class ConsolePanel:
    """A panel whose log holds every view that anybody could have seen, one JSON line each.

    A line is in the kernel's hands before `show` returns, so a SIGKILL loses none of it
    (a power cut may: it is a record of what was shown, not a journal). `stream`, if given,
    shows the views readably too. Implements `hardware.panel.Panel`; `show` raises OSError
    where the log can't be written, the constructor BadInput where it can't be opened.
    """

    def __init__(self, log: Path, read_clock: ReadClock, stream: TextIO | None = None) -> None:
        self._read_clock = read_clock
        self._stream = stream
        try:
            self._log = os.open(log, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise BadInput(
                f"can't write the panel's log {log}: {error.strerror}",
                "choose a file in a folder that exists and is yours",
            ) from error
        end = os.fstat(self._log).st_size
        if end and os.pread(self._log, 1, end - 1) != b"\n":
            # The machine died in the middle of a line; the next one stands by itself.
            os.write(self._log, b"\n")

    def show(self, view: View) -> None:
        """Write the view down, then show it."""
        self._write(
            {
                "event": "shown",
                "at": rfc3339(self._read_clock().at),
                "light": view.light.value,
                "sound": view.sound.value,
                "headline": view.headline,
                "lines": list(view.lines),
                "language": view.language,
                "stamp": None if view.stamp is None else _promise(view.stamp),
            }
        )
        if self._stream is not None:
            print(_readable(view), file=self._stream, flush=True)

    def close(self) -> None:
        """Leave the panel dark, and say so in the log."""
        if self._log >= 0:
            self._write({"event": "dark", "at": rfc3339(self._read_clock().at)})
            os.close(self._log)
            self._log = -1

    def _write(self, event: dict[str, object]) -> None:
        line = memoryview(json.dumps(event, ensure_ascii=False).encode() + b"\n")
        while line:
            line = line[os.write(self._log, line) :]


class SocketButtons:
    """Buttons on a control socket: `press in` and `press out`; closed like a file.

    `emit` is called in the socket's thread, with the moment of the press.
    """

    def __init__(
        self, control: Path, emit: Callable[[Pressed], None], read_clock: ReadClock
    ) -> None:
        self._emit = emit
        self._read_clock = read_clock
        self._server = ControlServer(control, self._obey)

    def close(self) -> None:
        """Stop listening and remove the socket."""
        self._server.close()

    def _obey(self, line: str) -> None:
        reading = self._read_clock()
        word, _, direction = line.strip().partition(" ")
        if word != "press" or direction not in tuple(Direction):
            raise BadInput(f"{line.strip()!r} is no button", "say 'press in' or 'press out'")
        self._emit(Pressed(Direction(direction), reading))


def _promise(stamp: StampShown) -> dict[str, object]:
    return {
        "origin": stamp.origin,
        "seq": stamp.seq,
        "direction": stamp.direction,
        "receipt": stamp.receipt.value,
    }


def _readable(view: View) -> str:
    sound = "" if view.sound.value == "none" else f" (sound: {view.sound.value})"
    head = f"[{view.light.value.upper()}] {view.headline}{sound}"
    return "\n".join([head, *(f"    {line}" for line in view.lines)])
