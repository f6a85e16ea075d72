"""Who lies on the reader: looks in, events out; no port, no clock, no thread.

A badge is gone only when a few looks in a row have missed it, and until then it is not read
again. Two badges in one field are nobody's tap: which of them was meant can't be known. What lies
there at a terminal's first look is nobody's either: it may have been stamped before a restart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ciao.reading import Reading
from hardware.events import CardGone, CardRead, CardUnreadable, HardwareEvent
from hardware.uid import is_random

MISSES_MAX = 3
HELD_MAX = 8
# A badge on its way in is half heard once or twice; a third time, it is not coming closer.
HALVES_MAX = 3
_SAK_MORE_UID = 0x04


@dataclass(frozen=True, slots=True)
class Seen:
    """A look found a badge that says who it is: its UID and SAK (ISO/IEC 14443-3, 6.5).

    The SAK says what it can do (NXP AN10833), never the class a driver would make of it.
    """

    uid: bytes
    sak: int


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found; `half`: something answered, and none of it could be selected."""

    seen: tuple[Seen, ...] = ()
    half: bool = False


@dataclass(slots=True)
class _Held:
    """A badge in the field. `told` from its CardRead to its CardGone; locked out all the while."""

    told: bool
    misses: int = 0


@dataclass(slots=True)
class Presence:
    """The badges on one reader.

    `look()` lists what is there, `sees(uid)` asks for one badge only. Both may raise what
    the driver raises: then nothing has changed. Without `reads_lying`, what the first look finds
    is only remembered.
    """

    reader: str
    reads_lying: bool = True
    _held: dict[bytes, _Held] = field(default_factory=dict)
    _halves: int = 0

    def turn(
        self,
        look: Callable[[], Look],
        sees: Callable[[bytes], bool],
        now: Callable[[], Reading],
    ) -> list[HardwareEvent]:
        """Look once (and once more for each badge not shown); return what has changed.

        At most one badge is read a turn; `now` is called at its first sense.
        """
        looked = look()
        reading = now()
        # A SAK that says there is more of the UID comes with half a badge.
        whole = [seen.uid for seen in looked.seen if not seen.sak & _SAK_MORE_UID]
        present = {name for uid in whole if (name := self._known(uid)) is not None}
        if not self.reads_lying:
            self.reads_lying = True
            return self._remembered(whole, reading)
        hidden = [uid for uid in self._held if uid not in present and not is_random(uid)]
        present.update(uid for uid in hidden if sees(uid))
        events = self._count(present)
        events += self._arrived([u for u in whole if self._known(u) is None], present, reading)
        half = looked.half or len(whole) < len(looked.seen)
        self._halves = self._halves + 1 if half and not present and not whole else 0
        if self._halves == HALVES_MAX:
            # Once while it lies there, not once a look.
            events.append(CardUnreadable(self.reader, reading))
        return events

    def let_go(self) -> list[HardwareEvent]:
        """Say of every badge that it is gone, though it may lie there still.

        Nobody's press is to count for it any more, and until it is lifted it isn't read again.
        """
        told = [uid for uid, held in self._held.items() if held.told]
        for uid in told:
            self._held[uid].told = False
        return [CardGone(self.reader, uid) for uid in told]

    def _remembered(self, lying: list[bytes], reading: Reading) -> list[HardwareEvent]:
        self._held = {uid: _Held(told=False) for uid in lying}
        return [CardUnreadable(self.reader, reading, "lying")] if lying else []

    def _known(self, uid: bytes) -> bytes | None:
        """The held badge that this is; one phone is like the other, it has no other name."""
        if uid in self._held:
            return uid
        if is_random(uid):
            return next((held for held in self._held if is_random(held)), None)
        return None

    def _count(self, present: set[bytes]) -> list[HardwareEvent]:
        gone: list[HardwareEvent] = []
        for uid, held in list(self._held.items()):
            held.misses = 0 if uid in present else held.misses + 1
            if held.misses >= MISSES_MAX:
                del self._held[uid]
                gone += [CardGone(self.reader, uid)] if held.told else []
        return gone

    def _arrived(
        self, new: list[bytes], present: set[bytes], reading: Reading
    ) -> list[HardwareEvent]:
        new = new[: HELD_MAX - len(self._held)]
        badges = {uid for uid in (*present, *new) if not is_random(uid)}
        together = len(badges) > 1 and not badges.isdisjoint(new)
        events = self.let_go() if together else []
        for uid in new:
            # A phone beside a badge says nothing: its case holds the badge that is meant.
            told = not together and (uid in badges or not badges) and self._known(uid) is None
            self._held[uid] = _Held(told)
            events += [CardRead(self.reader, uid, reading)] if told else []
        return events + ([CardUnreadable(self.reader, reading, "two")] if together else [])
