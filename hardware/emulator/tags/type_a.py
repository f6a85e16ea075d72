"""Any ISO 14443-3 type A card: power, wake-up, anticollision, selection, halt.

Source: ISO/IEC 14443-3, 6.4 (states) and 6.5 (anticollision, cascade levels).
"""

from __future__ import annotations

import enum

from hardware.emulator.air import AirFrame, whole, with_crc, without_crc

REQA, WUPA = 0x26, 0x52
HLTA = b"\x50\x00"
SELECT = (0x93, 0x95, 0x97)
CASCADE_TAG = 0x88
_NVB_WHOLE = 0x70
_SAK_MORE = b"\x04"


class _State(enum.Enum):
    OFF = enum.auto()
    IDLE = enum.auto()
    READY = enum.auto()
    ACTIVE = enum.auto()
    PROTOCOL = enum.auto()
    HALT = enum.auto()


def cascade(uid: bytes) -> list[bytes]:
    """Split a UID of 4, 7 or 10 bytes into what each cascade level says, BCC included."""
    parts = []
    while len(uid) > 4:
        parts.append(bytes([CASCADE_TAG]) + uid[:3])
        uid = uid[3:]
    parts.append(uid)
    return [part + bytes([part[0] ^ part[1] ^ part[2] ^ part[3]]) for part in parts]


class TypeA:
    """A card; subclasses say what it does once it is selected.

    `atqa` is in the order of the air. A command that is answered with None is met with
    silence, after which such a card must be woken up again.
    """

    kind = "typea"
    atqa = b"\x04\x00"
    sak = 0x00

    def __init__(self, uid: bytes) -> None:
        self.uid = uid
        self._state = _State.OFF
        self._halted = False
        self._level = 0

    def power(self, on: bool) -> None:
        """The field came or went; without it a card forgets where it was."""
        if not on:
            self._state = _State.OFF
        elif self._state is _State.OFF:
            self._state, self._halted = _State.IDLE, False
            self.powered_up()

    def powered_up(self) -> None:
        """What a card does each time the field comes on."""

    def command(self, data: bytes) -> bytes | AirFrame | None:
        """Answer a command (CRC taken off) as bytes, as raw bits, or with silence."""
        del data
        return None

    def receive(self, frame: AirFrame) -> AirFrame | None:
        """Hear a frame; say what comes back through the air, None for nothing."""
        if self._state is _State.OFF:
            return None
        if frame.bits == 7:
            return self._wake(frame.value)
        if self._state is _State.READY:
            return self._select(frame)
        if self._state not in (_State.ACTIVE, _State.PROTOCOL) or frame.bits % 8:
            return None
        data = without_crc(frame.data)
        if data is None:
            return None
        if data == HLTA and self._state is _State.ACTIVE:
            self.halt()
            return None
        answer = self.command(data)
        if answer is None:
            self.sleep()
            return None
        return whole(with_crc(answer)) if isinstance(answer, bytes) else answer

    def enter_protocol(self) -> None:
        """From here on (ISO 14443-4) the card no longer hears REQA and WUPA."""
        self._state = _State.PROTOCOL

    def halt(self) -> None:
        """Sleep until WUPA or the next field."""
        self._state, self._halted = _State.HALT, True

    def sleep(self) -> None:
        """Go back to where the last wake-up found the card."""
        if self._state is not _State.OFF:
            self._state = _State.HALT if self._halted else _State.IDLE

    def _wake(self, request: int) -> AirFrame | None:
        if self._state is _State.PROTOCOL:
            return None
        if self._state in (_State.READY, _State.ACTIVE):
            self.sleep()
            return None
        if request == WUPA or (request == REQA and self._state is _State.IDLE):
            self._state, self._level = _State.READY, 0
            return whole(self.atqa)
        return None

    def _select(self, frame: AirFrame) -> AirFrame | None:
        data = frame.data
        levels = cascade(self.uid)
        if len(data) < 2 or data[0] != SELECT[self._level]:
            self.sleep()
            return None
        mine = int.from_bytes(levels[self._level], "little")
        if data[1] == _NVB_WHOLE:
            if without_crc(data) != data[:2] + levels[self._level]:
                self.sleep()
                return None
            self._level += 1
            if self._level < len(levels):
                return whole(with_crc(_SAK_MORE))
            self._state = _State.ACTIVE
            return whole(with_crc(bytes([self.sak])))
        known = 8 * (data[1] >> 4) + (data[1] & 0x0F) - 16
        if not 0 <= known < 40 or frame.bits != 16 + known:
            return None
        if (frame.value >> 16) != mine & ((1 << known) - 1):
            return None
        return AirFrame(mine >> known, 40 - known)
