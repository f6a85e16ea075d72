"""PN532 host frames: bytes in, frames out; no I/O and no clock.

Source: PN532 user manual UM0701-02, 6.2.1 (normal, extended, ACK, NACK and error frames).
"""

from __future__ import annotations

from dataclasses import dataclass, field

ACK = bytes.fromhex("0000ff00ff00")
NACK = bytes.fromhex("0000ffff0000")
SYNTAX_ERROR = bytes.fromhex("0000ff01ff7f8100")

TO_CHIP = 0xD4
TO_HOST = 0xD5
# TFI, command and 263 bytes of data: what the chip's buffer holds (UM0701-02, 6.2.1.2).
PAYLOAD_MAX = 265
_START = b"\x00\xff"
_NORMAL_MAX = 255


@dataclass(frozen=True, slots=True)
class Ack:
    """The host saw the answer, or calls a running command off."""


@dataclass(frozen=True, slots=True)
class Nack:
    """The host wants the last answer again."""


@dataclass(frozen=True, slots=True)
class Information:
    """A frame with a payload: TFI, then what it says."""

    payload: bytes


Frame = Ack | Nack | Information


def encode(payload: bytes) -> bytes:
    """Wrap a payload of 1..265 bytes (TFI first), extended only where it has to be."""
    if not 1 <= len(payload) <= PAYLOAD_MAX:
        raise ValueError(f"a payload of {len(payload)} bytes")
    size = len(payload)
    if size <= _NORMAL_MAX:
        head = bytes([size, -size & 0xFF])
    else:
        high, low = divmod(size, 256)
        head = bytes([0xFF, 0xFF, high, low, -(high + low) & 0xFF])
    return b"\x00" + _START + head + payload + bytes([-sum(payload) & 0xFF, 0])


@dataclass(slots=True)
class Decoder:
    """Finds frames in whatever comes down a line, noise included.

    Never holds more than one frame's bytes; a frame with a wrong checksum is silently
    dropped, as the chip does, and the search goes on right behind its start code.
    """

    _buffer: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes; return the frames they complete, in order."""
        self._buffer += data
        frames: list[Frame] = []
        while True:
            start = self._buffer.find(_START)
            if start < 0:
                del self._buffer[: -1 if self._buffer.endswith(b"\x00") else None]
                return frames
            del self._buffer[:start]
            taken, frame = _parse(self._buffer)
            if not taken:
                return frames
            del self._buffer[:taken]
            if frame is not None:
                frames.append(frame)

    def reset(self) -> None:
        """Forget half a frame: its rest never came."""
        self._buffer.clear()


def _parse(buffer: bytearray) -> tuple[int, Frame | None]:
    """Read at the start code: (bytes used, frame); 0 used means that more must come."""
    if len(buffer) < 4:
        return 0, None
    size, check, body = buffer[2], buffer[3], 4
    if (size, check) == (0x00, 0xFF):
        return 4, Ack()
    if (size, check) == (0xFF, 0x00):
        return 4, Nack()
    if (size, check) == (0xFF, 0xFF):
        if len(buffer) < 7:
            return 0, None
        size, check, body = buffer[4] * 256 + buffer[5], buffer[4] + buffer[5] + buffer[6], 7
    else:
        check += size
    if check & 0xFF or not 1 <= size <= PAYLOAD_MAX:
        return 1, None
    end = body + size + 1
    if len(buffer) < end:
        return 0, None
    if sum(buffer[body:end]) & 0xFF:
        return 1, None
    return end, Information(bytes(buffer[body : end - 1]))
