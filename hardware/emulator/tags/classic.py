"""MIFARE Classic 1K as far as anyone gets without its keys: a UID, and a failed handshake.

Source: NXP MF1S50 data sheet, 9 (commands). Its cipher is broken, so nothing is worth
reading behind it; the system takes the UID only (tier `uid`).
"""

from __future__ import annotations

from hardware.emulator.air import AirFrame, nibble
from hardware.emulator.tags.type_a import TypeA

_NAK = nibble(0x4)
_AUTHENTICATE = (0x60, 0x61)
_BLOCKS = 64


class Classic1K(TypeA):
    """An access card of the kind that most companies have; SAK 08."""

    kind = "classic1k"
    atqa = b"\x04\x00"
    sak = 0x08

    def __init__(self, uid: bytes) -> None:
        super().__init__(uid)
        self._nonce = 0x1234
        self._challenged = False

    def powered_up(self) -> None:
        """Forget a handshake that the field's end cut short."""
        self._challenged = False

    def command(self, data: bytes) -> bytes | AirFrame | None:
        """Give a challenge to who wants to authenticate; anything else is refused."""
        if self._challenged:
            return None
        if data[0] in _AUTHENTICATE and len(data) == 2 and data[1] < _BLOCKS:
            self._challenged = True
            return AirFrame(int.from_bytes(self._challenge(), "little"), 32)
        self.sleep()
        return _NAK

    def receive(self, frame: AirFrame) -> AirFrame | None:
        """Hear a frame; the reader's half of the handshake never satisfies this card."""
        if self._challenged:
            self._challenged = False
            self.sleep()
        return super().receive(frame)

    def _challenge(self) -> bytes:
        # The card's own generator: 16 bits of state, x^16 + x^14 + x^13 + x^11 + 1.
        for _ in range(32):
            bit = (self._nonce ^ (self._nonce >> 2) ^ (self._nonce >> 3) ^ (self._nonce >> 5)) & 1
            self._nonce = (self._nonce >> 1) | (bit << 15)
        return self._nonce.to_bytes(2, "big") * 2
