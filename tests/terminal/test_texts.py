"""What people read: the truth, in every language, short enough for a small screen."""

from __future__ import annotations

import itertools
import re
from datetime import datetime
from typing import get_args

import pytest

from ciao.entries import RefusalReason
from ciao.registration import Direction
from ciao.texts import LANGUAGES, TRANSLATED
from hardware.panel import Light, Receipt, Sound, StampShown, View
from terminal import view
from terminal.recent import RecentStamp
from tests.terminal.world import ZONE

AT = datetime(2026, 3, 2, 6, 2, tzinfo=ZONE)
LINE_MAX = 44


def every_view(language: str) -> list[View]:
    """Each view that the panel could be given, in one language."""
    views = [view.refused(reason, language) for reason in get_args(RefusalReason)]
    views += [view.ask_for_badge(direction, language) for direction in Direction]
    views += [view.disk_failed(language), view.ask_for_direction(language)]
    for lanes, *parts in itertools.product((True, False), repeat=5):
        views.append(view.resting(language, lanes=lanes, parts=view.Parts(*parts)))
    for left in (30, 1, 0, -1):
        views.append(view.resting(language, lanes=True, parts=view.Parts(days_left=left)))
    for direction, known, revoked, online in itertools.product(
        Direction, (None, True, False), (True, False), (True, False)
    ):
        last = RecentStamp(direction, AT, "held", "late")
        greeting = view.Greeting(language, "A. A.", known, revoked, last, -1)
        shown = StampShown("o", 1, direction.value, Receipt.STORED_HERE)
        stamped = view.stamped(shown, AT, ZONE, greeting, online)
        views += [stamped, *(view.advanced(stamped, receipt) for receipt in Receipt)]
    return views


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_terminal_never_says_registered(language: str) -> None:
    """That word is the ONSS's: enregistré, geregistreerd, registriert, erfasst."""
    said = " ".join(" ".join((v.headline, *v.lines)) for v in every_view(language)).lower()
    assert not re.search(r"regist|erfasst", said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_fits_a_small_screen(language: str) -> None:
    for shown in every_view(language):
        assert all(0 < len(line) <= LINE_MAX for line in shown.lines), shown
        assert len(shown.headline) <= 18, shown


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_english_is_left_on_a_screen(language: str) -> None:
    english = {line for shown in every_view("en") for line in (shown.headline, *shown.lines)}
    same = {"A. A.", "IN", "OUT", "IN / OUT", "IN / OUT ?", "IN 06:02", "OUT 06:02"}
    for shown in every_view(language):
        assert not {shown.headline, *shown.lines} & english - same


@pytest.mark.parametrize("language", LANGUAGES)
def test_stored_received_and_confirmed_never_read_alike(language: str) -> None:
    shown = StampShown("o", 1, "in", Receipt.STORED_HERE)
    stamped = view.stamped(shown, AT, ZONE, view.Greeting(language), online=True)
    said = {view.advanced(stamped, receipt).lines for receipt in Receipt}
    assert len(said) == 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_light_and_sound_alone_carry_direction_and_outcome(language: str) -> None:
    meanings: dict[tuple[Light, Sound], set[str]] = {}
    for shown in every_view(language):
        if shown.sound is not Sound.NONE:
            meaning = shown.stamp.direction if shown.stamp else "none"
            meanings.setdefault((shown.light, shown.sound), set()).add(meaning)
    assert all(len(meaning) == 1 for meaning in meanings.values()), meanings
    promised = {light for (light, _), said in meanings.items() if said != {"none"}}
    assert promised == {Light.IN, Light.OUT}


def test_times_are_the_sites_whatever_offset_the_clock_had() -> None:
    assert view.clock(datetime.fromisoformat("2026-07-01T04:02:00+00:00"), ZONE) == "06:02"
    assert view.clock(datetime.fromisoformat("2026-01-01T04:02:00+00:00"), ZONE) == "05:02"
