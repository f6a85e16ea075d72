"""The door: badges and presses in, entries committed, then light, sound and words out.

*Commit, then tell*: each view that promises a stamp is made after `journal.append` returned.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from ciao.entries import Entry
from ciao.journal import Journal, StoreFailed
from ciao.reading import Reading
from ciao.registration import Direction
from ciao.roster import badge_hash
from ciao.texts import spoken
from hardware.events import (
    CardGone,
    CardRead,
    CardUnreadable,
    HardwareEvent,
    Pressed,
    ReaderChanged,
)
from hardware.panel import Light, Receipt, Sound, StampShown, View
from terminal import stamp, view
from terminal.direction import (
    WINDOW_MS,
    AskForBadge,
    AskForDirection,
    Chooser,
    Decision,
    Refuse,
    Rest,
    Stamp,
)
from terminal.disk import Disk
from terminal.held import Held
from terminal.recent import Recent

SHOWN_MS = 5_000


@dataclass(slots=True)
class Door:
    """One entrance: what is in the fields, what was pressed, what is shown."""

    journal: Journal
    disk: Disk
    held: Held
    recent: Recent
    sealing: stamp.Sealing
    readers: tuple[str, ...]
    language: str
    zone: ZoneInfo
    online: bool = False
    works: dict[str, bool] = field(default_factory=dict)
    _chooser: Chooser | None = None
    _mode: str | None = None
    _shown: View | None = None
    _until_up_ms: int | None = None

    @property
    def readers_work(self) -> bool:
        """Whether every reader answers, as far as was told."""
        return all(self.works.get(reader, True) for reader in self.readers)

    @property
    def looks(self) -> bool:
        """Whether every reader has looked at its field, or said that it can't."""
        return all(reader in self.works for reader in self.readers)

    def step(self, now: Reading, event: HardwareEvent) -> list[View]:
        """Take one event of the hardware; return what to show, in order."""
        chooser = self._choosing()
        match event:
            case CardRead() | Pressed() if not self.journal.is_open:
                return self._show(now, view.disk_failed(self._site_language()))
            case CardRead() if self.held.bound is None:
                decisions: list[Decision] = [Refuse("unbound", event.reading, event)]
            case Pressed() if self.held.bound is None:
                decisions = [Refuse("unbound", event.reading, journalled=False)]
            case CardRead():
                decisions = chooser.card(event)
            case CardGone():
                decisions = chooser.gone(event)
            case CardUnreadable():
                decisions = chooser.unreadable(event)
            case Pressed():
                decisions = chooser.press(event)
            case ReaderChanged():
                self.works[event.reader] = event.works
                return []
        return self._carry_out(now, decisions)

    def tick(self, now: Reading) -> list[View]:
        """Let time pass: what waited too long is given up, what was shown long enough ends.

        What is shown while nobody is there follows what works, and the language of the site.
        """
        views = self._carry_out(now, self._choosing().tick(now.up_ms))
        over = self._until_up_ms is None or now.up_ms >= self._until_up_ms
        if over and not views:
            resting = self._resting(now)
            if resting != self._shown:
                views += self._show(now, resting)
        return views

    def received(self, origin: str, settled: int) -> list[View]:
        """A receipt covers the current segment's entries below `settled`."""
        shown = self._shown.stamp if self._shown else None
        if shown is None or shown.origin != origin or shown.seq >= settled:
            return []
        return self._advance(Receipt.RECEIVED) if shown.receipt is Receipt.STORED_HERE else []

    def confirmed(self, origin: str, seq: int) -> list[View]:
        """The ONSS accepted a stamp."""
        shown = self._shown.stamp if self._shown else None
        if shown is None or (shown.origin, shown.seq) != (origin, seq):
            return []
        return self._advance(Receipt.CONFIRMED)

    def _choosing(self) -> Chooser:
        """Return the chooser of the mode in force; a change of mode drops what was waited for."""
        mode = self.held.bound.binding.mode if self.held.bound else "buttons"
        if self._chooser is None or mode != self._mode:
            lanes: dict[str, Direction] = {d.value: d for d in Direction if d.value in self.readers}
            self._chooser, self._mode = Chooser(lanes if mode == "lanes" else None), mode
        return self._chooser

    def _carry_out(self, now: Reading, decisions: list[Decision]) -> list[View]:
        views: list[View] = []
        for decision in decisions:
            match decision:
                case Stamp():
                    made = self._stamp(decision)
                case Refuse():
                    made = self._refuse(decision)
                case AskForBadge(direction):
                    made = view.ask_for_badge(direction, self._site_language())
                case AskForDirection(card):
                    made = view.ask_for_direction(self._greeting(card).language)
                case Rest():
                    made = self._resting(now)
            views += self._show(now, made)
        return views

    def _stamp(self, decision: Stamp) -> View:
        bound = self.held.bound
        if bound is None:
            return self._refuse(Refuse("unbound", decision.card.reading, decision.card))
        place = stamp.Place(self.journal.origin, self.journal.size)
        entry, payload = stamp.tap(decision, place, bound, self.sealing)
        greeting = self._greeting(decision.card)
        if not self._append(entry, payload):
            return view.disk_failed(greeting.language)
        self._choosing().stamped(decision)
        self._remember(decision, place)
        shown = StampShown(place.origin, place.seq, decision.direction.value, Receipt.STORED_HERE)
        at = decision.card.reading.at
        return view.stamped(shown, at, self.zone, greeting, self.online)

    def _refuse(self, decision: Refuse) -> View:
        language = (
            self._greeting(decision.card).language if decision.card else self._site_language()
        )
        bound = self.held.bound
        reason = decision.reason if bound else "unbound"
        if decision.journalled:
            place = stamp.Place(self.journal.origin, self.journal.size)
            told = Refuse(reason, decision.reading, decision.card)
            if not self._append(*stamp.refusal(told, place, bound, self.sealing)):
                return view.disk_failed(language)
        return view.refused(reason, language, decision.seen.why if decision.seen else "half")

    def _append(self, entry: Entry, payload: bytes | None) -> bool:
        try:
            self.journal.append(entry, payload)
        except StoreFailed:
            self.disk.works = False
        else:
            self.disk.works = True
        return self.disk.works

    def _remember(self, decision: Stamp, place: stamp.Place) -> None:
        badge = self._badge(decision.card)
        if badge is not None:
            self.recent.add(
                badge, place.origin, place.seq, decision.direction, decision.card.reading.at
            )

    def _badge(self, card: CardRead) -> str | None:
        roster = self.held.roster
        return badge_hash(roster.hash_key, card.uid) if roster else None

    def _greeting(self, card: CardRead) -> view.Greeting:
        badge = self._badge(card)
        roster = self.held.roster
        left = self._days_left(card.reading)
        if badge is None or roster is None:
            return view.Greeting(self._site_language(), days_left=left)
        holder = roster.badges.get(badge)
        last = self.recent.last(badge, card.reading.at)
        if holder is None:
            return view.Greeting(self._site_language(), known=False, last=last, days_left=left)
        language = spoken(holder.language) or self._site_language()
        return view.Greeting(language, holder.initials, True, holder.revoked, last, left)

    def _days_left(self, now: Reading) -> int | None:
        """Count the days that the works declaration is valid, on a clock that can be believed."""
        if self.held.bound is None or not now.clock.synced:
            return None
        bound = self.held.bound.binding
        return bound.declaration.expiring(now.at.astimezone(ZoneInfo(bound.time_zone)).date())

    def _site_language(self) -> str:
        bound = self.held.bound
        languages = bound.binding.languages if bound else []
        return next(filter(spoken, languages), self.language)

    def _resting(self, now: Reading) -> View:
        parts = view.Parts(
            self.held.bound is not None,
            self.readers_work,
            self.disk.works,
            self.disk.room,
            self.looks,
            self._days_left(now),
        )
        return view.resting(self._site_language(), lanes=self._mode == "lanes", parts=parts)

    def _advance(self, receipt: Receipt) -> list[View]:
        assert self._shown is not None
        self._shown = view.advanced(self._shown, receipt)
        return [self._shown]

    def _show(self, now: Reading, made: View) -> list[View]:
        # A question stays as long as its answer counts: nobody's press is used unseen.
        shown_ms = WINDOW_MS if made.light is Light.WAITING else SHOWN_MS
        resting = made.sound is Sound.NONE
        self._until_up_ms = None if resting else now.up_ms + shown_ms
        self._shown = made
        return [made]
