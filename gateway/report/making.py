"""Edge: a bundle's own files, read again as a reader would, into the facts of a report.

A report follows from `rows.jsonl` and `bindings/` alone. What lies in the PDF ties it to them: the
rows themselves where they are few, and always their hashes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from ciao import binding, entries, notes, printing
from ciao.binding import Binding
from ciao.entries import Entry, NotUnderstood
from ciao.evidence import attached, lines
from ciao.evidence.attached import ATTACHED, ROWS_SIZE_MAX, Attached
from ciao.evidence.writer import Bundle
from ciao.names import GATEWAY_PREFIX, Origin, employer_of
from ciao.reading import parse_rfc3339
from ciao.responsibility import Journals, Log, judge
from ciao.texts import translations
from gateway.report.facts import OUTAGES_MAX, Details, TerminalFacts, failures
from gateway.report.pages import Pages, Report
from gateway.report.places import Place, places_of
from gateway.report.witnessing import Witness

TEMPLATE = Path(__file__).with_name("report.typ")
PDF = "report.pdf"


class _Whose(msgspec.Struct):
    origin: str


@dataclass(frozen=True, slots=True)
class Told:
    """What is told beside the rows: who cosigned from outside, whose time stamps there are."""

    witnesses: Sequence[Witness] = ()
    stamped_by: Sequence[str] = ()


NOTHING_BESIDE = Told()


@dataclass(slots=True)
class Rows:
    """`rows.jsonl`: where each log begins and ends in it, by one pass; read as often as needed."""

    path: Path
    places: dict[str, tuple[int, int]] = field(default_factory=dict)

    def find(self) -> None:
        """Note where each log lies."""
        decoder, place = msgspec.json.Decoder(_Whose), 0
        with self.path.open("rb") as file:
            for line in file:
                origin = decoder.decode(line).origin
                begin, _ = self.places.get(origin, (place, place))
                place += len(line)
                self.places[origin] = (begin, place)

    def logs(self, owner: str) -> Iterator[Log]:
        """Yield the logs of a terminal or a gateway; each must be read before the next."""
        for origin in self.places:
            if Origin.parse(origin).owner == owner:
                yield origin, self._entries(origin)

    def owners(self) -> list[str]:
        """Name whose logs there are, in their order."""
        return list(dict.fromkeys(Origin.parse(origin).owner for origin in self.places))

    def _entries(self, origin: str) -> Iterator[Entry]:
        begin, end = self.places[origin]
        with self.path.open("rb") as file:
            file.seek(begin)
            while begin < end:
                line = file.readline()
                begin += len(line)
                try:
                    yield entries.decode(lines.read_row(line).leaf.encode())
                except NotUnderstood:
                    continue


def make(bundle: Bundle, told: Told = NOTHING_BESIDE) -> bytes:
    """Print the report of a bundle whose rows and bindings are written; unsigned.

    Raises ValueError where the bundle names no site, which is one without a binding.
    """
    asked = bundle.asked
    rows = Rows(bundle.folder / lines.ROWS)
    rows.find()
    bound = _bindings(bundle.folder)
    begin, end = _whole(asked.start), _whole(asked.end)
    employers = _employers(bundle.folder)
    owners = rows.owners()
    gateways = [owner for owner in owners if owner.startswith(GATEWAY_PREFIX)]
    complete = {one.terminal: one.end for one in bundle.stretches}
    spans = [(a * 1000, b * 1000) for one in told.witnesses for a, b in one.spans]
    terminals = [
        _terminal(
            rows,
            (owner, employers.get(owner)),
            places_of(bound, owner, begin, end),
            gateways,
            (begin, end),
            complete.get(owner),
            spans,
        )
        for owner in owners
        if owner not in gateways
    ]
    files = _attached(bundle)
    newest = max(bound, key=lambda one: one.serial)
    report = Report(
        terminals,
        begin,
        end,
        ZoneInfo(newest.time_zone),
        asked.made_at,
        f"rows sha256 {bundle.files[lines.ROWS].sha256[:16]}…",
        told.witnesses,
        told.stamped_by,
        [(name, _MEDIA[name]) for name in files],
    )
    say = translations("gateway", asked.lang).gettext
    data = Pages(report, asked.lang, say).data()
    return printing.pdf(TEMPLATE, data, asked.made_at, files)


_MEDIA = {ATTACHED: "application/json", lines.ROWS: "application/x-ndjson"}


def _attached(bundle: Bundle) -> dict[str, bytes]:
    """What lies in the PDF: the hashes of what it was made of, and the rows where they are few."""
    rows = bundle.files[lines.ROWS]
    said = Attached(rows=rows.sha256, checkpoints=bundle.files[lines.CHECKPOINTS].sha256)
    files = {ATTACHED: attached.encode(said)}
    if rows.size <= ROWS_SIZE_MAX:
        files[lines.ROWS] = (bundle.folder / lines.ROWS).read_bytes()
        assert hashlib.sha256(files[lines.ROWS]).hexdigest() == rows.sha256
    return files


def _terminal(
    rows: Rows,
    whose: tuple[str, str | None],
    places: tuple[Place, ...],
    gateways: Sequence[str],
    period: tuple[datetime, datetime],
    complete: str | None,
    witnessed: Sequence[tuple[int, int]],
) -> TerminalFacts:
    """Judge a terminal for its employer: what another's credential met is not its own."""
    (terminal, employer), details = whose, Details()
    journals = Journals(
        terminal,
        (details.watch(log) for log in rows.logs(terminal)),
        (details.watch(log) for owner in gateways for log in rows.logs(owner)),
        witnessed,
        employer=employer,
    )
    judged = judge(journals, *period)
    found = failures(judged, details)
    return TerminalFacts(
        terminal,
        places,
        judged,
        tuple(found[:OUTAGES_MAX]),
        max(len(found) - OUTAGES_MAX, 0),
        details.stamps_between(*period),
        parse_rfc3339(complete) if complete else None,
    )


def _bindings(folder: Path) -> list[Binding]:
    found = sorted((folder / lines.BINDINGS).glob("*.note"))
    return [binding.read_unverified(path.read_text()).binding for path in found]


def _employers(folder: Path) -> dict[str, str]:
    """Name each terminal's employer: who signed its newest binding, by the name of the key."""
    found: dict[str, tuple[int, str]] = {}
    for path in sorted((folder / lines.BINDINGS).glob("*.note")):
        note = path.read_text()
        one = binding.read_unverified(note).binding
        signers = [employer_of(signature.name) for signature in notes.parse(note).signatures]
        employer = next((name for name in signers if name), "")
        if employer:
            found[one.terminal] = max(found.get(one.terminal, (0, "")), (one.serial, employer))
    return {terminal: employer for terminal, (_, employer) in found.items()}


def _whole(moment: datetime) -> datetime:
    """Cut a moment to its whole minute."""
    return datetime.fromtimestamp(int(moment.timestamp()) // 60 * 60, UTC)
