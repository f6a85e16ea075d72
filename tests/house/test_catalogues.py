"""Texts for people: every one that code marks is in every catalogue, and no others."""

from __future__ import annotations

from pathlib import Path

from babel.messages.extract import extract_from_file
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from tests.house.source import PACKAGES, ROOT, files

CATALOGUES = [path for path in files() if path.suffix == ".po"]


def texts_of(package: Path) -> set[str]:
    """Collect what the package's code marks with `_`, `gettext` or `ngettext`."""
    found = set()
    for path in files():
        if path.suffix == ".py" and package in path.parents:
            for _, text, _, _ in extract_from_file("python", path):
                found.add(text[0] if isinstance(text, tuple) else text)
    return found


def package_of(catalogue: Path) -> Path:
    return ROOT / catalogue.relative_to(ROOT).parts[0]


def test_a_package_with_texts_has_catalogues() -> None:
    without = [
        name
        for name in PACKAGES
        if texts_of(ROOT / name) and not any(package_of(c) == ROOT / name for c in CATALOGUES)
    ]
    assert not without, f"make locale/<language>/LC_MESSAGES/*.po in: {without}"


def test_each_catalogue_holds_its_package_s_texts_translated() -> None:
    for path in CATALOGUES:
        with path.open("rb") as file:
            catalogue = read_po(file)
        held = {m.id if isinstance(m.id, str) else m.id[0]: m for m in catalogue if m.id}
        marked = texts_of(package_of(path))
        assert marked <= held.keys(), f"{path}: run pybabel update; missing {marked - held.keys()}"
        assert held.keys() <= marked, f"{path}: nobody says {held.keys() - marked} any more"
        empty = [text for text, message in held.items() if not message.string or message.fuzzy]
        assert not empty, f"{path}: translate {empty}"


def test_each_compiled_catalogue_is_up_to_date() -> None:
    for path in CATALOGUES:
        with path.open("rb") as file:
            written = {m.id: m.string for m in read_po(file) if m.id}
        compiled = path.with_suffix(".mo")
        assert compiled.is_file(), f"{path}: run pybabel compile"
        with compiled.open("rb") as file:
            read = {m.id: m.string for m in read_mo(file) if m.id}
        assert written == read, f"{path}: run pybabel compile"


def test_marked_texts_are_found(tmp_path: Path) -> None:
    code = tmp_path / "a.py"
    code.write_text("_('one'); ngettext('two', 'twos', 2); gettext('three'); print('four')\n")
    found = {text for _, text, _, _ in extract_from_file("python", code)}
    assert found == {"one", ("two", "twos"), "three"}
