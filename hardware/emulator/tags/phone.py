"""A telephone: another random UID each time the field comes on, first byte 08.

Source: ISO/IEC 14443-3, 6.5.4 (uid0 = 08: the rest is dynamically generated).
"""

from __future__ import annotations

from collections.abc import Callable

from hardware.emulator.tags.iso_dep import IsoDep

RANDOM_UID = 0x08


class Phone(IsoDep):
    """A phone that stands in for a card: it has no application that we know."""

    kind = "phone"
    ats = bytes.fromhex("0578807002")

    def __init__(self, uid: bytes, draw: Callable[[int], bytes] | None = None) -> None:
        super().__init__(uid)
        self._draw = draw

    def powered_up(self) -> None:
        """A new field, a new name (unless one was given for it)."""
        super().powered_up()
        if self._draw is not None:
            self.uid = bytes([RANDOM_UID]) + self._draw(3)

    def apdu(self, command: bytes) -> bytes:
        """Every application that is asked for is not there."""
        return b"\x6a\x82" if command[1:2] == b"\xa4" else b"\x6d\x00"
