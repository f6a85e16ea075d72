"""What the panel shows, for each thing that can happen. Pure: values in, a `View` out.

The truth only: "recorded" is said after the commit, "received" after a receipt, "confirmed"
after the ONSS answered. A terminal never says *registered*: that word is the ONSS's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from ciao.entries import RefusalReason
from ciao.registration import Direction, State
from hardware.panel import Light, Receipt, Sound, StampShown, View
from terminal.recent import RecentStamp
from terminal.texts import texts

_LIGHTS = {Direction.IN: Light.IN, Direction.OUT: Light.OUT}
_SOUNDS = {
    (Direction.IN, True): Sound.IN,
    (Direction.OUT, True): Sound.OUT,
    (Direction.IN, False): Sound.IN_STORED,
    (Direction.OUT, False): Sound.OUT_STORED,
}
_TROUBLED = frozenset({State.REJECTED, State.UNRESOLVED, State.HELD, State.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Greeting:
    """What is known of the badge: initials if it is in the roster, and what came before.

    `days_left` of the works declaration that it stamps under, where people are to be told.
    """

    language: str
    initials: str = ""
    known: bool | None = None
    revoked: bool = False
    last: RecentStamp | None = None
    days_left: int | None = None


def stamped(
    shown: StampShown, at: datetime, zone: ZoneInfo, greeting: Greeting, online: bool
) -> View:
    """A stamp is on the disk: its direction and time, where it is, and what to know."""
    direction = Direction(shown.direction)
    where = _where(shown.receipt, greeting.language)
    lines = (greeting.initials, where, *_notes(direction, zone, greeting))
    return View(
        light=_LIGHTS[direction],
        sound=_SOUNDS[direction, online],
        headline=f"{direction.value.upper()} {clock(at, zone)}",
        lines=tuple(line for line in lines if line),
        language=greeting.language,
        stamp=shown,
    )


def advanced(view: View, receipt: Receipt) -> View:
    """The stamp that is shown came further: the same view, silently, with its new place."""
    if view.stamp is None:
        return view
    before = _where(view.stamp.receipt, view.language)
    after = _where(receipt, view.language)
    return replace(
        view,
        sound=Sound.NONE,
        lines=tuple(after if line == before else line for line in view.lines),
        stamp=replace(view.stamp, receipt=receipt),
    )


def refused(
    reason: RefusalReason, language: str, seen: Literal["half", "two", "lying"] = "half"
) -> View:
    """Nothing was recorded, and what to do about it; `seen` is what was `unreadable`."""
    _ = texts(language).gettext
    unreadable = {
        "half": (_("Badge not read."), _("Hold it still, in the middle.")),
        "two": (_("Two badges at once."), _("Hold only one here.")),
        "lying": (_("Badge not read."), _("Take it away, then hold it here again.")),
    }
    advice = {
        "random_uid": (_("This is a phone. Use your badge."),),
        "unreadable": unreadable[seen],
        "repeat": (_("Already recorded a moment ago."),),
        "no_direction": (_("Press IN or OUT and hold your badge here."),),
        "unbound": (_("This terminal is not in service yet."), _("Use the poster's QR code.")),
    }[reason]
    # What lies there since before a restart may well have been recorded.
    known = reason == "repeat" or seen == "lying"
    headline = _("Nothing new") if known else _("Not recorded")
    return View(Light.REFUSED, Sound.REFUSED, headline, advice, language)


def disk_failed(language: str) -> View:
    """The disk did not take the stamp: no promise."""
    _ = texts(language).gettext
    advice = (
        _("This terminal is faulty."),
        _("Use the poster's QR code."),
        _("Tell your employer."),
    )
    return View(Light.FAULT, Sound.REFUSED, _("Not recorded"), advice, language)


def ask_for_badge(direction: Direction, language: str) -> View:
    """A direction was chosen."""
    line = texts(language).gettext("Now hold your badge here.")
    return View(Light.WAITING, Sound.TICK, direction.value.upper(), (line,), language)


def ask_for_direction(language: str) -> View:
    """A badge lies there."""
    line = texts(language).gettext("Keep your badge here and press IN or OUT.")
    return View(Light.WAITING, Sound.TICK, "IN / OUT ?", (line,), language)


@dataclass(frozen=True, slots=True)
class Parts:
    """What of the terminal works; `room` where its disk is not nearly full.

    `looks` is false in the moment before the readers first looked at what lies there.
    `days_left` of the works declaration, where people are to be told of them.
    """

    in_service: bool = True
    reader: bool = True
    disk: bool = True
    room: bool = True
    looks: bool = True
    days_left: int | None = None


def resting(language: str, *, lanes: bool, parts: Parts) -> View:
    """Nobody is there: how to begin, or why it can't be begun."""
    _ = texts(language).gettext
    poster = _("Use the poster's QR code.")
    tell = _("Tell your employer.")
    if not parts.disk:
        why = _("This terminal is faulty.")
        return View(Light.FAULT, Sound.NONE, _("Out of order"), (why, poster, tell), language)
    if not parts.in_service:
        why = _("This terminal is not in service yet.")
        return View(Light.FAULT, Sound.NONE, _("Not in service"), (why, poster), language)
    if not parts.reader:
        why = _("The badge reader does not answer.")
        return View(Light.FAULT, Sound.NONE, _("Out of order"), (why, poster), language)
    if not parts.looks:
        return View(Light.OFF, Sound.NONE, "…", (_("One moment, please."),), language)
    how = _("Hold your badge at IN or at OUT.") if lanes else _("Press IN or OUT.")
    notes = [] if parts.room else [_("The disk is nearly full.")]
    if parts.days_left is not None:
        notes.append(_declaration_ends(parts.days_left, language))
    if notes:
        notes.append(tell)
    return View(Light.OFF, Sound.NONE, "IN / OUT", (how, *notes), language)


def _declaration_ends(days_left: int, language: str) -> str:
    _ = texts(language).gettext
    if days_left < 0:
        return _("The works declaration has ended.")
    if days_left == 0:
        return _("The works declaration ends today.")
    if days_left == 1:
        return _("The works declaration ends tomorrow.")
    return _("The works declaration ends in {days} days.").format(days=days_left)


def clock(at: datetime, zone: ZoneInfo) -> str:
    """Write a time as everybody here reads it."""
    return at.astimezone(zone).strftime("%H:%M")


def _where(receipt: Receipt, language: str) -> str:
    _ = texts(language).gettext
    return {
        Receipt.STORED_HERE: _("Recorded. Stored here."),
        Receipt.RECEIVED: _("Recorded and received."),
        Receipt.CONFIRMED: _("Confirmed by the ONSS."),
    }[receipt]


def _notes(direction: Direction, zone: ZoneInfo, greeting: Greeting) -> list[str]:
    _ = texts(greeting.language).gettext
    notes = []
    last = greeting.last
    if last is not None and last.direction is direction:
        since, word = clock(last.at, zone), direction.value.upper()
        forgotten = direction.opposite.value.upper()
        # Translators: "IN since 06:02. OUT forgotten?"; IN and OUT stay as they are.
        text = _("{word} since {since}. {forgotten} forgotten?")
        notes.append(text.format(word=word, since=since, forgotten=forgotten))
    if greeting.revoked:
        notes += [_("This badge was withdrawn."), _("Tell your employer.")]
    elif greeting.known is False:
        notes += [_("This badge is not known yet."), _("Tell your employer.")]
    if greeting.days_left is not None and greeting.days_left < 0:
        notes += [
            _declaration_ends(greeting.days_left, greeting.language),
            _("Tell your employer."),
        ]
    if last is not None and last.state in _TROUBLED:
        text = _("Your stamp of {time} is not confirmed.")
        notes += [text.format(time=clock(last.at, zone)), _("Ask your employer.")]
    return notes
