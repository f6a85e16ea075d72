"""Who chose IN or OUT, and for which badge. The terminal never infers a direction (Q19).

`buttons`: press, then tap within 10 s; or tap, then press within 10 s while that badge is still
in the field (else somebody else's press would choose). One press serves one tap. A press while a
badge that was served still lies there begins a new tap of that badge, unless it is lifted within
the time a reader takes to notice: then the press is the next person's. `lanes`: the reader says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ciao.entries import RefusalReason
from ciao.reading import Reading
from ciao.registration import Direction
from hardware.events import CardGone, CardRead, CardUnreadable, Pressed
from hardware.uid import is_random

WINDOW_MS = 10_000
# A reader misses a badge two or three times, at 10 Hz, before it says that it is gone.
LIFTING_MS = 400
UNREADABLE_EVERY_MS = 60_000


@dataclass(frozen=True, slots=True)
class Stamp:
    """This badge, this direction: write it down."""

    card: CardRead
    direction: Direction
    chosen: Literal["button", "lane"]


@dataclass(frozen=True, slots=True)
class Refuse:
    """No stamp, and why. `journalled` is false where saying it once a minute is enough.

    `seen` is what could not be read.
    """

    reason: RefusalReason
    reading: Reading
    card: CardRead | None = None
    journalled: bool = True
    seen: CardUnreadable | None = None


@dataclass(frozen=True, slots=True)
class AskForBadge:
    """A direction was chosen; the badge is missing."""

    direction: Direction


@dataclass(frozen=True, slots=True)
class AskForDirection:
    """A badge lies there; the direction is missing."""

    card: CardRead


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing is waited for any more."""


Decision = Stamp | Refuse | AskForBadge | AskForDirection | Rest


@dataclass(slots=True)
class _Held:
    """A badge in a field. `waiting` until a direction was chosen, or it was too late."""

    card: CardRead
    waiting: bool


@dataclass(frozen=True, slots=True)
class _Last:
    direction: Direction
    up_ms: int


class Chooser:
    """Joins badges and presses. No clock of its own: every event brings its reading."""

    def __init__(self, lanes: Mapping[str, Direction] | None = None) -> None:
        """`lanes` maps readers to directions; None means buttons."""
        self._lanes = lanes
        self._pressed: Pressed | None = None
        self._held: dict[str, _Held] = {}
        self._last: dict[bytes, _Last] = {}
        self._unreadable_up_ms: int | None = None

    def card(self, card: CardRead) -> list[Decision]:
        """A badge came into a field."""
        decisions = self._leave(card.reader)
        held = self._held[card.reader] = _Held(card, waiting=False)
        pressed, self._pressed = self._fresh_press(card.reading.up_ms), None
        if is_random(card.uid):
            return [*decisions, Refuse("random_uid", card.reading, card)]
        if self._lanes is not None:
            lane = self._lanes.get(card.reader)
            if lane is None:
                return [*decisions, Refuse("no_direction", card.reading, card)]
            return [*decisions, self._attempt(card, lane, "lane")]
        if pressed is not None:
            return [*decisions, self._attempt(card, pressed.direction, "button")]
        held.waiting = True
        return [*decisions, AskForDirection(card)]

    def gone(self, gone: CardGone) -> list[Decision]:
        """A badge left a field. Another may have taken its place already: that one stays."""
        held = self._held.get(gone.reader)
        return self._leave(gone.reader) if held and held.card.uid == gone.uid else []

    def press(self, pressed: Pressed) -> list[Decision]:
        """Somebody pressed IN or OUT. With lanes there is nothing to press."""
        if self._lanes is not None:
            return []
        expired = self.tick(pressed.reading.up_ms)
        held = next((held for held in self._held.values() if held.waiting), None)
        if held is None:
            self._pressed = pressed
            return [*expired, AskForBadge(pressed.direction)]
        held.waiting = False
        return [*expired, self._attempt(held.card, pressed.direction, "button")]

    def unreadable(self, seen: CardUnreadable) -> list[Decision]:
        """Something in the field could not be read; journalled at most once a minute."""
        up_ms = seen.reading.up_ms
        before = self._unreadable_up_ms
        journalled = before is None or up_ms - before >= UNREADABLE_EVERY_MS
        if journalled:
            self._unreadable_up_ms = up_ms
        return [Refuse("unreadable", seen.reading, journalled=journalled, seen=seen)]

    def tick(self, up_ms: int) -> list[Decision]:
        """Time passed: what was waited for too long is given up."""
        decisions: list[Decision] = []
        for held in self._held.values():
            if held.waiting and up_ms - held.card.reading.up_ms >= WINDOW_MS:
                held.waiting = False
                decisions.append(Refuse("no_direction", held.card.reading, held.card))
        decisions += self._press_on_held(up_ms)
        if self._pressed is not None and self._fresh_press(up_ms) is None:
            self._pressed = None
            decisions.append(Rest())
        in_fields = {held.card.uid for held in self._held.values()}
        self._last = {
            uid: last
            for uid, last in self._last.items()
            if uid in in_fields or up_ms - last.up_ms < WINDOW_MS
        }
        return decisions

    def stamped(self, stamp: Stamp) -> None:
        """The stamp is on the disk: from now on the same again is a repeat."""
        self._last[stamp.card.uid] = _Last(stamp.direction, stamp.card.reading.up_ms)

    def _leave(self, reader: str) -> list[Decision]:
        held = self._held.pop(reader, None)
        if held is None or not held.waiting:
            return []
        return [Refuse("no_direction", held.card.reading, held.card)]

    def _press_on_held(self, up_ms: int) -> list[Decision]:
        """Give a press to the badge that lay there all along; its new tap began at the press."""
        held, pressed = next(iter(self._held.values()), None), self._pressed
        if held is None or pressed is None or up_ms - pressed.reading.up_ms < LIFTING_MS:
            return []
        self._pressed = None
        card = replace(held.card, reading=pressed.reading)
        return [self._attempt(card, pressed.direction, "button")]

    def _fresh_press(self, up_ms: int) -> Pressed | None:
        pressed = self._pressed
        if pressed is None or up_ms - pressed.reading.up_ms >= WINDOW_MS:
            return None
        return pressed

    def _attempt(
        self, card: CardRead, direction: Direction, chosen: Literal["button", "lane"]
    ) -> Decision:
        if is_random(card.uid):
            return Refuse("random_uid", card.reading, card)
        last = self._last.get(card.uid)
        if last is not None and last.direction is direction and self._repeats(card, last):
            return Refuse("repeat", card.reading, card)
        return Stamp(card, direction, chosen)

    def _repeats(self, card: CardRead, last: _Last) -> bool:
        """Within 10 s, or never lifted since it was stamped."""
        held = self._held.get(card.reader)
        lifted = held is None or held.card.reading.up_ms > last.up_ms
        return not lifted or card.reading.up_ms - last.up_ms < WINDOW_MS
