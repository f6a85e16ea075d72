"""`report.csv`: a period's entries as a table that people open. It follows from the rows. Pure.

Whatever comes from outside is a cell and nothing else: no formula, no control character, nothing
that turns the direction of what is read.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime

from ciao import entries
from ciao.entries import Entry
from ciao.evidence.facts import UNTIMED, Facts

# Spreadsheets know UTF-8 by its mark; where a comma is decimal, the semicolon separates.
MARK = "\ufeff"
SEPARATOR = ";"
_FORMULA = ("=", "+", "-", "@")
# Control and format characters, the marks of direction among them; surrogates, private, unassigned.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_LEFT_OUT = frozenset({"heartbeat"})


def line(cells: Sequence[str]) -> str:
    """Write one line, with CRLF."""
    out = io.StringIO()
    csv.writer(out, delimiter=SEPARATOR, lineterminator="\r\n").writerow([cell(c) for c in cells])
    return out.getvalue()


def cell(text: str) -> str:
    """Make a text harmless: shown as it is, never calculated."""
    shown = seen(text)
    return "'" + shown if shown.lstrip().startswith(_FORMULA) else shown


def seen(text: str) -> str:
    """Leave out what can't be seen, and what changes how the rest is seen."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c for c in text if unicodedata.category(c) not in _UNSEEN)


def belongs(facts: Facts, start: datetime, end: datetime) -> bool:
    """Say whether an entry is in the table: of the period, or of a clock that can't tell."""
    if facts.kind in _LEFT_OUT:
        return False
    return not facts.clock.synced or start <= facts.at <= end


def cells(origin: str, facts: Facts, sites: Mapping[str, str]) -> list[str]:
    """Return an entry's cells, in the order of the titles; `sites` names each binding's site."""
    direction, declaration, site, detail = _meaning(facts.entry, sites)
    carried = facts.carried
    return [
        origin,
        str(facts.seq),
        facts.kind,
        "" if facts.at == UNTIMED else facts.at.isoformat(timespec="milliseconds"),
        "synced" if facts.clock.synced else "untrusted",
        direction,
        declaration,
        site,
        detail,
        f"{carried.origin} {carried.seq}" if carried else "",
    ]


def _meaning(entry: Entry | None, sites: Mapping[str, str]) -> tuple[str, str, str, str]:
    """Direction, declaration, site, and what else there is to say."""
    match entry:
        case entries.Tap():
            site = sites.get(entry.binding, "")
            return entry.direction, entry.declaration, site, f"{entry.chosen}, {entry.tier}"
        case entries.BindingChanged():
            return "", "", sites.get(entry.binding, ""), str(entry.serial)
        case entries.Refused():
            return "", "", "", entry.reason
        case entries.Segment():
            return "", "", "", entry.why
        case entries.Boot():
            return "", "", "", "clean" if entry.clean else "unclean"
        case entries.ClockStep():
            return "", "", "", f"{entry.before} > {entry.after}"
        case entries.OutageBegin() | entries.OutageUpdate() | entries.OutageEnd():
            return "", "", "", f"{entry.affected}: {entry.cause} ({entry.outage})"
        case entries.Annotation():
            return "", "", "", entry.outage
        case entries.Deletion() | entries.TimestampFailed():
            return "", "", "", entry.why
        case entries.Timestamp():
            return "", "", "", entry.document
        case _:
            return "", "", "", ""
