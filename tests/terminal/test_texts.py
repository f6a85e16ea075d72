"""What people read: the truth, in every language, short enough for a small screen."""

from __future__ import annotations

import ast
import itertools
import re
from datetime import datetime
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import terminal
from ciao.entries import RefusalReason
from ciao.registration import Direction
from hardware.panel import Light, Receipt, Sound, StampShown, View
from terminal import view
from terminal.recent import RecentStamp
from terminal.texts import DOMAIN, LANGUAGES, texts
from tests.terminal.world import ZONE

FOLDER = Path(terminal.__file__).parent
TRANSLATED = [language for language in LANGUAGES if language != "en"]
AT = datetime(2026, 3, 2, 6, 2, tzinfo=ZONE)
LINE_MAX = 44


def files(language: str) -> tuple[Path, Path]:
    folder = FOLDER / "locale" / language / "LC_MESSAGES"
    return folder / f"{DOMAIN}.po", folder / f"{DOMAIN}.mo"


def catalogue(language: str) -> Catalog:
    with files(language)[0].open("rb") as file:
        return read_po(file, language)


def used() -> set[str]:
    """Every text that the code asks the catalogues for: _("…"), or ….gettext("…")."""
    found = set()
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            asks = ast.unparse(node.func).endswith(("_", "gettext"))
            if asks and isinstance(node.args[0], ast.Constant):
                found.add(str(node.args[0].value))
    return found


def every_view(language: str) -> list[View]:
    """Each view that the panel could be given, in one language."""
    views = [view.refused(reason, language) for reason in get_args(RefusalReason)]
    views += [view.ask_for_badge(direction, language) for direction in Direction]
    views += [view.disk_failed(language), view.ask_for_direction(language)]
    for lanes, *parts in itertools.product((True, False), repeat=5):
        views.append(view.resting(language, lanes=lanes, parts=view.Parts(*parts)))
    for direction, known, revoked, online in itertools.product(
        Direction, (None, True, False), (True, False), (True, False)
    ):
        last = RecentStamp(direction, AT, "held", "late")
        greeting = view.Greeting(language, "A. A.", known, revoked, last)
        shown = StampShown("o", 1, direction.value, Receipt.STORED_HERE)
        stamped = view.stamped(shown, AT, ZONE, greeting, online)
        views += [stamped, *(view.advanced(stamped, receipt) for receipt in Receipt)]
    return views


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_and_none_is_left_over(language: str) -> None:
    translated = {str(message.id): message.string for message in catalogue(language) if message.id}
    assert translated.keys() == used()
    assert all(translated.values()), "an empty translation would show English"
    assert not any(message.fuzzy for message in catalogue(language) if message.id)


def test_the_search_for_texts_finds_them() -> None:
    assert {"Press IN or OUT.", "Now hold your badge here."} <= used()
    assert len(used()) > 20


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_compiled_catalogue_is_that_of_the_text_beside_it(language: str) -> None:
    with files(language)[1].open("rb") as file:
        compiled = {str(message.id): message.string for message in read_mo(file) if message.id}
    written = {str(message.id): message.string for message in catalogue(language) if message.id}
    assert compiled == written, "run: pybabel compile -D terminal -d terminal/locale"


@pytest.mark.parametrize("language", TRANSLATED)
def test_placeholders_and_the_words_on_the_buttons_stay(language: str) -> None:
    for message in catalogue(language):
        for kept in (r"\{\w+\}", r"\bIN\b", r"\bOUT\b"):
            said = sorted(re.findall(kept, str(message.id)))
            assert sorted(re.findall(kept, str(message.string))) == said, message.id


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


def test_a_language_without_a_catalogue_is_english() -> None:
    assert texts("xx").gettext("Press IN or OUT.") == "Press IN or OUT."


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
