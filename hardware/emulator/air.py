"""What goes through the air at 106 kbit/s type A: bit-exact frames and their CRC.

Source: ISO/IEC 14443-3, 6.2 (frames, least significant bit first) and annex B (CRC_A).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AirFrame:
    """Bits in the order they are sent: bit 0 of `value` is the first; parity is left out."""

    value: int
    bits: int

    @property
    def data(self) -> bytes:
        """The bytes, the last of them possibly with fewer than eight bits."""
        return self.value.to_bytes((self.bits + 7) // 8, "little")


def whole(data: bytes) -> AirFrame:
    """Return a frame of whole bytes."""
    return AirFrame(int.from_bytes(data, "little"), 8 * len(data))


def partial(data: bytes, last_bits: int) -> AirFrame:
    """Return a frame whose last byte has `last_bits` bits (0: all eight)."""
    bits = 8 * len(data) - ((8 - last_bits) if last_bits and data else 0)
    return AirFrame(int.from_bytes(data, "little") & ((1 << bits) - 1), bits)


def nibble(value: int) -> AirFrame:
    """Return the four bits of an ACK (0xA) or a NAK (0x0, 0x1, 0x4, 0x5)."""
    return AirFrame(value, 4)


def crc_a(data: bytes) -> bytes:
    """Return the two bytes of CRC_A as they are sent, low byte first."""
    crc = 0x6363
    for byte in data:
        mixed = (byte ^ crc) & 0xFF
        mixed = (mixed ^ (mixed << 4)) & 0xFF
        crc = (crc >> 8) ^ (mixed << 8) ^ (mixed << 3) ^ (mixed >> 4)
    return crc.to_bytes(2, "little")


def with_crc(data: bytes) -> bytes:
    """Return the data with its CRC_A behind it."""
    return data + crc_a(data)


def without_crc(data: bytes) -> bytes | None:
    """Return the data before a right CRC_A; None where it is wrong or missing."""
    if len(data) < 3 or crc_a(data[:-2]) != data[-2:]:
        return None
    return data[:-2]
