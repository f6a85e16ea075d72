"""Texts for people: every one that code marks is in every catalogue, and no others."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from ciao.texts import LANGUAGES, TRANSLATED, translations
from tests.house.source import PACKAGES, ROOT, files


def texts_of(package: str) -> set[str]:
    """Collect what the package's code marks with `_`, `N_`, `gettext` or `ngettext`."""
    found = set()
    for path in files():
        if path.suffix == ".py" and ROOT / package in path.parents:
            for _, text, _, _ in extract_from_file("python", path):
                found.add(text[0] if isinstance(text, tuple) else text)
    return found


TEXTS = {name: texts for name in PACKAGES if (texts := texts_of(name))}
EACH = [(package, language) for package in TEXTS for language in TRANSLATED]
each_catalogue = pytest.mark.parametrize(("package", "language"), EACH)


def place(package: str, language: str) -> Path:
    return ROOT / package / "locale" / language / "LC_MESSAGES" / f"{package}.po"


def written(package: str, language: str) -> Catalog:
    path = place(package, language)
    assert path.is_file(), f"{package} has texts: write {path} (see ciao/README.md, Texts)"
    with path.open("rb") as file:
        return read_po(file, language)


def texts_in(catalogue: Catalog) -> dict[str, str | tuple[str, ...]]:
    """Return translations by their text, or by its singular."""
    return {
        _first(message.id): said if isinstance(said := message.string, str) else tuple(said)
        for message in catalogue
        if message.id
    }


def _first(text: str | tuple[str, ...] | list[str]) -> str:
    return text if isinstance(text, str) else text[0]


@each_catalogue
def test_each_catalogue_holds_its_package_s_texts_translated(package: str, language: str) -> None:
    catalogue = written(package, language)
    held = texts_in(catalogue)
    assert not TEXTS[package] - held.keys(), "not in the catalogue: add them, translated"
    assert not held.keys() - TEXTS[package], "nobody says these any more: take them out"
    empty = [
        text for text, said in held.items() if not (said if isinstance(said, str) else all(said))
    ]
    assert not empty, "an empty translation shows English"
    assert not [message.id for message in catalogue if message.id and message.fuzzy]


@each_catalogue
def test_each_compiled_catalogue_is_that_of_the_text_beside_it(package: str, language: str) -> None:
    how = f"run: pybabel compile -D {package} -d {package}/locale"
    compiled = place(package, language).with_suffix(".mo")
    assert compiled.is_file(), how
    with compiled.open("rb") as file:
        assert texts_in(read_mo(file)) == texts_in(written(package, language)), how


@each_catalogue
def test_placeholders_and_the_words_on_the_buttons_stay(package: str, language: str) -> None:
    for text, said in texts_in(written(package, language)).items():
        for each in (said,) if isinstance(said, str) else said:
            for kept in (r"\{\w+\}", r"\bIN\b", r"\bOUT\b"):
                assert sorted(re.findall(kept, each)) == sorted(re.findall(kept, text)), text


@each_catalogue
def test_what_the_programs_load_is_that_catalogue(package: str, language: str) -> None:
    loaded = translations(package, language)
    for text, said in texts_in(written(package, language)).items():
        assert loaded.gettext(text) == said or not isinstance(said, str)


@pytest.mark.parametrize("package", TEXTS)
def test_compiled_catalogues_are_installed_with_their_package(package: str) -> None:
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg")
    installed = setup["options.package_data"].get(package, "")
    assert "locale/*/LC_MESSAGES/*.mo" in installed, "setup.cfg: [options.package_data]"


def test_no_catalogue_lies_where_nobody_loads_it() -> None:
    found = {path for path in files() if path.suffix in (".po", ".mo")}
    known = {place(*each).with_suffix(suffix) for each in EACH for suffix in (".po", ".mo")}
    assert not found - known


def test_a_language_without_a_catalogue_is_english() -> None:
    assert set(TRANSLATED) == set(LANGUAGES) - {"en"}
    assert translations("terminal", "xx").gettext("Press IN or OUT.") == "Press IN or OUT."


def test_marked_texts_are_found(tmp_path: Path) -> None:
    code = tmp_path / "a.py"
    code.write_text("_('one'); ngettext('two', 'twos', 2); gettext('three'); print('four')\n")
    found = {text for _, text, _, _ in extract_from_file("python", code)}
    assert found == {"one", ("two", "twos"), "three"}
    assert {"Press IN or OUT.", "Now hold your badge here."} <= TEXTS["terminal"]
