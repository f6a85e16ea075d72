"""The chip's registers, as far as a host can see them act.

Source: PN532 user manual UM0701-02, 8.6 (map of the contactless interface unit).
"""

from __future__ import annotations

FIFO_DATA, FIFO_LEVEL, CONTROL, BIT_FRAMING = 0x6339, 0x633A, 0x633C, 0x633D
MODE, TX_MODE, RX_MODE, TX_CONTROL, TX_AUTO = 0x6301, 0x6302, 0x6303, 0x6304, 0x6305
CRC_ON = 0x80
_FRAMING_AND_SPEED = 0x73
_RESET = {MODE: 0x3B, TX_CONTROL: 0x80, TX_AUTO: 0x40}
FIFO_MAX = 64


class Registers:
    """64 KiB of addresses of which few do anything; the rest keep what is written."""

    def __init__(self) -> None:
        self._values = dict(_RESET)
        self._fifo = bytearray()
        self.field_on = False

    def read(self, address: int) -> int:
        """Return a register's value; reading FIFOData takes one byte out of the FIFO."""
        if address == FIFO_DATA:
            return self._fifo.pop(0) if self._fifo else 0
        if address == FIFO_LEVEL:
            return len(self._fifo)
        if address == TX_CONTROL:
            return (self._values[TX_CONTROL] & 0xFC) | (0x03 if self.field_on else 0)
        return self._values.get(address, 0)

    def write(self, address: int, value: int) -> None:
        """Set a register; writing FIFOData puts one byte behind the others."""
        if address == FIFO_DATA:
            self._fifo = self._fifo[-(FIFO_MAX - 1) :] + bytes([value])
        elif address == FIFO_LEVEL:
            # Bit 7 is FlushBuffer.
            if value & 0x80:
                self._fifo.clear()
        else:
            self._values[address] = value

    def leave_in_fifo(self, data: bytes) -> None:
        """What went through the FIFO last can still be read there."""
        self._fifo = bytearray(data[:FIFO_MAX])

    def type_a_106(self) -> bool:
        """Do sender and receiver both speak 106 kbit/s type A at the moment?"""
        return not (self.read(TX_MODE) | self.read(RX_MODE)) & _FRAMING_AND_SPEED

    def select_type_a_106(self) -> None:
        """What the firmware sets before it looks for a type A card: both CRCs on."""
        self._values.update({TX_MODE: CRC_ON, RX_MODE: CRC_ON, BIT_FRAMING: 0})
