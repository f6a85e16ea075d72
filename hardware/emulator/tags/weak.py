"""A badge at the field's edge: it answers the first call, and then its power fails."""

from __future__ import annotations

from hardware.emulator.air import AirFrame
from hardware.emulator.tags.type_a import TypeA


class Weak(TypeA):
    """Half a badge: there is something, and it can't be read."""

    kind = "weak"
    atqa = b"\x44\x00"

    def receive(self, frame: AirFrame) -> AirFrame | None:
        """Answer a wake-up; fall silent at everything that takes longer."""
        if frame.bits != 7:
            self.sleep()
            return None
        return super().receive(frame)
