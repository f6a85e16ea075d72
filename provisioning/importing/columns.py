"""What the columns are called, in four languages, and what a cell of each means. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from ciao import identifiers
from ciao.errors import BadInput
from ciao.registration import Company
from provisioning.importing.problems import BadCell
from provisioning.registry import Kind, Period
from provisioning.registry.organisation import NAME_SIZE_MAX
from provisioning.registry.people import INITIALS_MAX
from provisioning.registry.records import OWN_COMPANY

# Our name for a column, and what else it may be called: French, Dutch, German.
ALIASES = {
    "niss": ("insz", "ssin", "inss", "nrn", "rijksregisternummer", "registre national"),
    "name": ("nom", "naam"),
    "initials": ("initiales", "initialen"),
    "language": ("langue", "taal", "sprache"),
    "employer": ("employeur", "werkgever", "arbeitgeber"),
    "kind": ("statut", "statuut", "art"),
    "company": ("entreprise", "onderneming", "unternehmen", "kbo", "bce"),
    "from": ("debut", "depuis", "begin", "vanaf", "von", "beginn"),
    "until": ("fin", "jusque", "einde", "tot", "ende"),
    "badge": ("uid", "badge uid"),
    "badge from": ("badge depuis", "badge vanaf", "badge von"),
}
REQUIRED = ("niss", "from")
# Read aloud in the template: one plainly made-up person.
EXAMPLE = {
    "niss": "00000000196",
    "name": "Example Anna",
    "initials": "AE",
    "language": "fr",
    "employer": "acme",
    "kind": "employee",
    "company": "",
    "from": "05/01/2026",
    "until": "",
    "badge": "04A1B2C3D4E580",
    "badge from": "",
}

_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_SCIENTIFIC = re.compile(r"\d[.,]?\d*E\+\d+", re.IGNORECASE)

Value = TypeVar("Value")

# Reads a day or a moment; `last` is true for the first moment after a day.
ReadMoment = Callable[[str, bool], datetime]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one line wants; None is what it doesn't say."""

    ssin: str = field(repr=False)
    employer: str
    kind: Kind | None
    company: Company | None
    name: str | None = field(repr=False)
    initials: str | None
    language: str | None
    period: Period
    uid: bytes | None = field(repr=False)
    badge_from: datetime | None


def recognised(columns: Sequence[str]) -> dict[str, str]:
    """Find our columns among a file's: our name to the file's; raise BadInput."""
    known = {_plain(alias): ours for ours, more in ALIASES.items() for alias in (ours, *more)}
    found: dict[str, str] = {}
    for name in columns:
        ours = known.get(_plain(name))
        if ours is None and name:
            raise BadInput(
                f"the file's column {name[:40]!r} is not known",
                f"known are: {', '.join(ALIASES)}; take it out, or see --template",
            )
        if ours in found:
            raise BadInput(f"two columns are the {ours}", "take one out")
        if ours is not None:
            found[ours] = name
    missing = [name for name in REQUIRED if name not in found]
    if missing:
        raise BadInput(f"no column {' and no column '.join(missing)}", "see --template")
    return found


def wanted(cells: Mapping[str, str], employers: Sequence[str], read: ReadMoment) -> Wanted:
    """Read the cells of one line, by our names of their columns; raise BadCell."""
    kind = _kind(cells["kind"]) if cells.get("kind") else None
    company = _company(cells["company"]) if cells.get("company") else None
    if company is None and kind is not None and kind not in OWN_COMPANY:
        raise BadCell("company", "nothing stands there", f"whose number is submitted for {kind}?")
    starts = _moment("from", cells.get("from", ""), read)
    ends = _moment("until", cells["until"], read) if cells.get("until") else None
    if ends is not None and ends <= starts:
        raise BadCell("until", "it ends before it starts", "look at both days")
    badge_from = cells.get("badge from")
    return Wanted(
        ssin=_ssin(cells.get("niss", "")),
        employer=_employer(cells.get("employer", ""), employers),
        kind=kind,
        company=company,
        name=_named("name", cells, NAME_SIZE_MAX),
        initials=_named("initials", cells, INITIALS_MAX),
        language=_language(cells["language"].lower()) if cells.get("language") else None,
        period=Period(starts, ends),
        uid=_uid(cells["badge"]) if cells.get("badge") else None,
        badge_from=_moment("badge from", badge_from, read) if badge_from else None,
    )


def initials_of(name: str) -> str:
    """Make what a terminal greets by from a name: its words' first letters."""
    return "".join(word[0] for word in name.split())[:INITIALS_MAX].upper()


def _plain(name: str) -> str:
    """Compare names without accents, capitals, underscores."""
    bare = unicodedata.normalize("NFKD", name.casefold().replace("_", " "))
    return " ".join("".join(c for c in bare if not unicodedata.combining(c)).split())


def _ssin(cell: str) -> str:
    if len(re.sub(r"\D", "", cell)) in (9, 10):
        raise BadCell("niss", "fewer than 11 digits", "spreadsheets drop zeros in front: as text")
    return _checked("niss", identifiers.ssin, cell, "not a NISS or BIS number")


def _named(column: str, cells: Mapping[str, str], size_max: int) -> str | None:
    cell = cells.get(column)
    if cell and len(cell) > size_max:
        raise BadCell(column, f"{len(cell)} characters", f"at most {size_max}")
    return cell or None


def _language(cell: str) -> str:
    if not re.fullmatch(r"[a-z]{2}", cell):
        raise BadCell("language", "not a language", "two letters, such as fr, nl, de, en")
    return cell


def _uid(cell: str) -> bytes:
    if _SCIENTIFIC.fullmatch(cell):
        raise BadCell("badge", "a spreadsheet made a number of it", "format the column as text")
    return _checked("badge", identifiers.uid, cell, "not a badge's UID")


def _company(cell: str) -> Company:
    return _checked("company", identifiers.company, cell, "not a company number")


def _kind(cell: str) -> Kind:
    return _checked("kind", Kind, cell.lower().replace(" ", "_"), "not a kind of employment")


def _employer(cell: str, employers: Sequence[str]) -> str:
    if not cell and len(employers) == 1:
        return employers[0]
    if cell not in employers:
        which = "no such employer" if cell else "which employer?"
        raise BadCell("employer", which, f"one of: {', '.join(employers[:8])}")
    return cell


def _moment(column: str, cell: str, read: ReadMoment) -> datetime:
    written = _DATE.fullmatch(cell)
    if written:
        day, month, year = written.groups()
        cell = f"{year}-{int(month):02}-{int(day):02}"
    what = "not a day or a moment" if cell else "nothing stands there"
    return _checked(column, lambda text: read(text, column == "until"), cell, what)


def _checked(column: str, read: Callable[[str], Value], cell: str, what: str) -> Value:
    """Read a cell; on failure say what without repeating it: in a slipped column it is a NISS."""
    try:
        return read(cell)
    except BadInput as error:
        raise BadCell(column, what, error.hint) from error
    except ValueError as error:
        raise BadCell(column, what, f"one of: {', '.join(Kind)}") from error
