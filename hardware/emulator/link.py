"""The chip's end of a serial line: frames, speeds, acknowledgements, and the wire's time.

No I/O and no clock: bytes and moments go in, bytes and moments come out.
Source: PN532 user manual UM0701-02, 6.2.2 (HSU) and 7.2.10 (SetSerialBaudRate).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from hardware.emulator import frames
from hardware.emulator.chip import BAUD_AT_RESET, Chip, SyntaxFault
from hardware.emulator.timing import Command

BITS_A_BYTE = 10
# A frame whose bytes stop coming is given up (any later byte belongs to something else).
_FRAME_GAP_S = 0.1
# What a mistake in this program can raise; the chip answers with its error frame and lives.
_OWN_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class Output:
    """Bytes whose last bit leaves the chip at `due_s`, sent at the speed `baud`."""

    due_s: float
    data: bytes
    baud: int


@dataclass(slots=True)
class _Running:
    command: Command
    resume_s: float


@dataclass(slots=True)
class Link:
    """One chip behind one line. `wire_baud` overrides the speed time is counted at; 0: none."""

    chip: Chip
    complain: Callable[[str], None]
    wire_baud: int | None = None
    baud: int = BAUD_AT_RESET
    _decoder: frames.Decoder = field(default_factory=frames.Decoder)
    _outputs: list[Output] = field(default_factory=list)
    _running: _Running | None = None
    _last: bytes = b""
    _heard_s: float = 0.0
    _in_free_s: float = 0.0
    _out_free_s: float = 0.0

    def receive(self, data: bytes, host_baud: int, now_s: float) -> None:
        """Take bytes that the host sent at `host_baud` and that arrived by now."""
        if host_baud == self.chip.baud_pending:
            # The host speaks at the new speed already: its ACK got lost in its own flush.
            self._commit()
        if now_s - self._heard_s > _FRAME_GAP_S:
            self._decoder.reset()
        self._heard_s = now_s
        if host_baud != self.baud:
            data = garbled(data)
        if self.chip.asleep and data:
            self.chip.asleep = False
            data = data[1:]
        self._in_free_s = max(self._in_free_s, now_s) + self._wire_s(len(data))
        for frame in self._decoder.feed(data):
            if isinstance(frame, frames.Information):
                self._begin(frame.payload, self._in_free_s)
            elif isinstance(frame, frames.Nack):
                self._say(self._last, self._in_free_s)
            else:
                self._acknowledged(now_s)

    def advance(self, now_s: float) -> None:
        """Let the running command go on as far as time has."""
        while self._running is not None and self._running.resume_s <= now_s:
            running = self._running
            try:
                running.resume_s += next(running.command)
            except StopIteration as done:
                self._finish(frames.encode(bytes([frames.TO_HOST]) + done.value), running)
            except SyntaxFault:
                self._finish(frames.SYNTAX_ERROR, running)
            except _OWN_FAULTS as error:
                self.complain(f"the chip stumbled: {error!r}")
                self._finish(frames.SYNTAX_ERROR, running)

    def due(self, now_s: float) -> list[Output]:
        """Take out what has left the chip by now."""
        ready = [o for o in self._outputs if o.due_s <= now_s]
        self._outputs = [o for o in self._outputs if o.due_s > now_s]
        return ready

    def next_s(self) -> float | None:
        """When something happens next without the host; None: never."""
        moments = [o.due_s for o in self._outputs]
        if self._running is not None:
            moments.append(self._running.resume_s)
        return min(moments, default=None)

    def _begin(self, payload: bytes, at_s: float) -> None:
        self._call_off(at_s)
        self.chip.baud_pending = None
        self._say(frames.ACK, at_s)
        if len(payload) < 2 or payload[0] != frames.TO_CHIP:
            self._last = frames.SYNTAX_ERROR
            self._say(self._last, at_s)
            return
        # The firmware acknowledges first and then sets to work.
        self._running = _Running(self.chip.run(payload[1:]), self._out_free_s)

    def _acknowledged(self, now_s: float) -> None:
        if self._running is not None or self._outputs:
            self._call_off(now_s)
        if self.chip.baud_pending is not None:
            self._commit()

    def _call_off(self, now_s: float) -> None:
        if self._running is not None:
            self._running.command.close()
            self._running = None
        self._outputs = [o for o in self._outputs if o.due_s <= now_s]
        self._out_free_s = min(self._out_free_s, now_s)

    def _finish(self, answer: bytes, running: _Running) -> None:
        self._running = None
        self._last = answer
        self._say(answer, running.resume_s)

    def _say(self, data: bytes, from_s: float) -> None:
        if data:
            self._out_free_s = max(self._out_free_s, from_s) + self._wire_s(len(data))
            self._outputs.append(Output(self._out_free_s, data, self.baud))

    def _commit(self) -> None:
        if self.chip.baud_pending is not None:
            self.baud, self.chip.baud_pending = self.chip.baud_pending, None

    def _wire_s(self, count: int) -> float:
        baud = self.baud if self.wire_baud is None else self.wire_baud
        return count * BITS_A_BYTE / baud if baud else 0.0


def garbled(data: bytes) -> bytes:
    """Return what is read of bytes that were sent at another speed: never a frame."""
    noise = zlib.crc32(data)
    # Every byte has its top bit set and its lowest clear: no start code (00 FF) can occur.
    return bytes(0x80 | ((byte ^ (noise >> (n % 24))) & 0x7E) for n, byte in enumerate(data))
