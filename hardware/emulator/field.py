"""The reader's field: which badges are in it, and what is heard when several answer."""

from __future__ import annotations

from dataclasses import dataclass

from ciao.errors import BadInput
from hardware.emulator.air import AirFrame
from hardware.emulator.tags.type_a import TypeA

BADGES_MAX = 4


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer; `collision` is the first bit at which two badges disagreed."""

    frame: AirFrame
    collision: int | None = None


class Field:
    """Badges come and go by hand; the chip switches the power and speaks to all of them."""

    def __init__(self) -> None:
        self._badges: list[TypeA] = []
        self.on = False

    @property
    def badges(self) -> tuple[TypeA, ...]:
        """The badges that lie on the reader, first come first."""
        return tuple(self._badges)

    def put(self, badge: TypeA) -> None:
        """Lay a badge on the reader; BadInput if it is there already, or too many are."""
        if any(other.uid == badge.uid for other in self._badges):
            raise BadInput("this badge is in the field already", "take it first")
        if len(self._badges) >= BADGES_MAX:
            raise BadInput(f"{BADGES_MAX} badges are in the field already", "take one first")
        badge.power(False)
        badge.power(self.on)
        self._badges.append(badge)

    def take(self, uid: bytes | None = None) -> TypeA:
        """Lift one badge (the one that came first, unless named) and return it."""
        for badge in self._badges:
            if uid is None or badge.uid == uid:
                self._badges.remove(badge)
                badge.power(False)
                return badge
        raise BadInput("no such badge is in the field", "put it first")

    def power(self, on: bool) -> None:
        """Switch the carrier."""
        self.on = on
        for badge in self._badges:
            badge.power(on)

    def send(self, frame: AirFrame) -> Heard | None:
        """Speak to every badge at once; None if none of them answers.

        Where two say different bits both are heard as one: the carrier is modulated in
        both halves of the bit (ISO/IEC 14443-3, 6.2.3).
        """
        if not self.on:
            return None
        answers = [a for badge in self._badges if (a := badge.receive(frame)) is not None]
        if not answers:
            return None
        value, bits = answers[0].value, answers[0].bits
        differs = 0
        for other in answers[1:]:
            differs |= answers[0].value ^ other.value
            if other.bits != bits:
                differs |= 1 << min(bits, other.bits)
            value, bits = value | other.value, max(bits, other.bits)
        return Heard(
            AirFrame(value, bits), (differs & -differs).bit_length() - 1 if differs else None
        )
