"""ISO 14443-4 on the card's side: RATS, blocks with numbers, chaining, deselect.

Source: ISO/IEC 14443-4, 5 (activation) and 7 (half-duplex block protocol).
"""

from __future__ import annotations

from hardware.emulator.air import AirFrame
from hardware.emulator.tags.type_a import TypeA

_RATS = 0xE0
_DESELECT = 0xC2
_MORE = 0x10
_FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256)
_COMMAND_MAX = 261


class IsoDep(TypeA):
    """A card with a processor; subclasses answer APDUs."""

    kind = "isodep"
    sak = 0x20
    ats = bytes.fromhex("067777710280")

    def __init__(self, uid: bytes) -> None:
        super().__init__(uid)
        self._active = False
        self._block = 1
        self._command = b""
        self._pending = b""
        self._last = b""
        self._frame_max = 16

    def apdu(self, command: bytes) -> bytes:
        """Answer a command APDU with data and status word."""
        del command
        return b"\x6d\x00"

    def powered_up(self) -> None:
        """A new field: back to before RATS."""
        self._active = False

    def command(self, data: bytes) -> bytes | AirFrame | None:
        """Answer one block (or RATS before the first); None for what no card answers."""
        if not self._active:
            return self._activate(data)
        pcb = data[0]
        if pcb & 0xE2 == 0x02:
            return self._information(pcb, data[1:])
        if pcb & 0xE6 == 0xA2:
            return self._supervise(pcb)
        if pcb == _DESELECT:
            self._active = False
            self.halt()
            return data
        return None

    def sleep(self) -> None:
        """A selected processor card stays selected through a command it doesn't answer."""
        if not self._active:
            super().sleep()

    def _activate(self, data: bytes) -> bytes | None:
        if data[0] != _RATS or len(data) != 2:
            return None
        self._active, self._block = True, 1
        self._command = self._pending = self._last = b""
        self._frame_max = _FRAME_SIZES[min(data[1] >> 4, 8)]
        self.enter_protocol()
        return self.ats

    def _information(self, pcb: int, body: bytes) -> bytes | None:
        self._block ^= 1
        self._command += body
        if len(self._command) > _COMMAND_MAX:
            self._command = b""
            return None
        if pcb & _MORE:
            self._last = bytes([0xA2 | self._block])
            return self._last
        self._pending, self._command = self.apdu(self._command), b""
        return self._next()

    def _supervise(self, pcb: int) -> bytes | None:
        if pcb & 1 == self._block:
            return self._last
        if pcb & 0x10:
            return bytes([0xA2 | self._block])
        if not self._pending:
            return None
        self._block ^= 1
        return self._next()

    def _next(self) -> bytes:
        room = self._frame_max - 3
        part, self._pending = self._pending[:room], self._pending[room:]
        self._last = bytes([0x02 | self._block | (_MORE if self._pending else 0)]) + part
        return self._last
