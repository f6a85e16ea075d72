"""Edge: an emulated reader, one PN532 plugged into one pseudo-terminal, and its loop."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from ciao.errors import BadInput
from hardware.emulator.chip import Chip
from hardware.emulator.drawer import Drawer, Order, parse, uid_from
from hardware.emulator.field import Field
from hardware.emulator.frames import ACK
from hardware.emulator.link import Link, Output
from hardware.emulator.pty import Pty
from hardware.emulator.timing import Timing

_NOISE_MAX = 256
_CUT_MAX = 15
_WORDS: dict[str, tuple[str, ...]] = {
    "put": ("uid", "type"),
    "take": ("uid",),
    "noise": ("hex",),
    "cut": ("bytes",),
    "mute": (),
    "unmute": (),
    "reset": (),
    "unplug": (),
    "plug": (),
}


class EmulatedReader:
    """Runs in the thread that calls `run`; `obey` may be called from any other."""

    def __init__(
        self,
        link: Path,
        timing: Timing,
        wire_baud: int | None,
        draw: Callable[[int], bytes],
        complain: Callable[[str], None],
    ) -> None:
        self._path = link
        self._timing = timing
        self._wire_baud = wire_baud
        self._complain = complain
        self._drawer = Drawer(draw)
        self._field = Field()
        self._lock = threading.Lock()
        self._wake_out, self._wake_in = os.pipe()
        self._stopping = False
        self._muted = False
        self._cut: int | None = None
        self._pty: Pty | None = None
        self._plug()

    def obey(self, line: str) -> None:
        """Carry out one line of the control socket; raise BadInput if it can't be done."""
        order = parse(line, _WORDS)
        with self._lock:
            self._carry_out(order)
        self._wake()

    def run(self) -> None:
        """Be a reader until `stop` is called."""
        while not self._stopping:
            with self._lock:
                wait_s = self._turn(time.monotonic())
                waiting = [self._wake_out] + ([self._pty.master] if self._pty else [])
            ready, _, _ = select.select(waiting, [], [], wait_s)
            if self._wake_out in ready:
                os.read(self._wake_out, 4096)

    def __enter__(self) -> EmulatedReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Unplug it, if it is plugged in; the link goes with it."""
        with self._lock:
            if self._pty is not None:
                self._unplug(self._pty)
        os.close(self._wake_in)
        os.close(self._wake_out)

    def stop(self) -> None:
        """Make `run` return; safe in a signal handler."""
        self._stopping = True
        self._wake()

    def _turn(self, now_s: float) -> float | None:
        """Do what is to be done now; return how long nothing will be, None for ever."""
        if self._pty is None:
            return None
        data = self._pty.read()
        if self._muted:
            return None
        if data:
            self._line.receive(data, self._pty.host_baud(), now_s)
        self._line.advance(now_s)
        for output in self._line.due(now_s):
            self._pty.write(self._whole_or_cut(output))
        next_s = self._line.next_s()
        return None if next_s is None else max(0.0, next_s - time.monotonic())

    def _whole_or_cut(self, output: Output) -> Output:
        """Break the next answer off where that was ordered; an ACK before it comes whole."""
        if self._cut is None or output.data == ACK:
            return output
        cut, self._cut = self._cut, None
        return replace(output, data=output.data[:cut])

    def _carry_out(self, order: Order) -> None:
        values = order.values
        if order.word == "put":
            self._field.put(self._drawer.badge(order))
        elif order.word == "take":
            self._field.take(uid_from(values["uid"]) if "uid" in values else None)
        elif order.word == "noise":
            self._noise(values.get("hex", ""))
        elif order.word == "cut":
            self._cut = _count(values.get("bytes", ""))
        else:
            self._switch(order.word)

    def _switch(self, word: str) -> None:
        if word == "plug":
            if self._pty is not None:
                raise BadInput("the reader is plugged in", "unplug it first")
            self._plug()
        elif word == "unplug":
            self._unplug(self._plugged())
        elif word == "reset":
            self._plugged()
            self._power_up()
        else:
            self._muted = word == "mute"

    def _noise(self, text: str) -> None:
        try:
            noise = bytes.fromhex(text)
        except ValueError:
            noise = b""
        if not 1 <= len(noise) <= _NOISE_MAX:
            raise BadInput("hex= takes 1 to 256 bytes", "for example noise hex=00FF5A")
        self._plugged().write_raw(noise)

    def _plugged(self) -> Pty:
        if self._pty is None:
            raise BadInput("the reader is unplugged", "plug it first")
        return self._pty

    def _plug(self) -> None:
        """Power comes with the plug."""
        self._pty = Pty(self._path)
        self._power_up()

    def _power_up(self) -> None:
        """Begin with a chip that has just been reset: awake, and at 115200 baud."""
        self._muted, self._cut = False, None
        chip = Chip(self._field, self._timing)
        self._line = Link(chip, self._complain, self._wire_baud)

    def _unplug(self, port: Pty) -> None:
        port.close()
        self._pty = None
        self._field.power(False)

    def _wake(self) -> None:
        os.write(self._wake_in, b"\x00")


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > _CUT_MAX:
        raise BadInput(f"bytes= takes a number from 0 to {_CUT_MAX}", "for example cut bytes=4")
    return int(text)
