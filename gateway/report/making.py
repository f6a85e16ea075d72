"""Edge: a bundle's own files into the facts of a report, and the report printed.

A report follows from `rows.jsonl`, `bindings/` and `deletions.jsonl` alone. What lies in the PDF
ties it to them: the rows themselves where they are few, and always their hashes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ciao import binding, notes, printing
from ciao.binding import Binding
from ciao.evidence import attached, lines
from ciao.evidence.attached import ATTACHED, ROWS_SIZE_MAX, Attached
from ciao.evidence.writer import Bundle
from ciao.minutes import Minutes
from ciao.names import GATEWAY_PREFIX, employer_of
from ciao.reading import parse_rfc3339
from ciao.responsibility import Journals, heard, judge
from ciao.texts import translations
from gateway.report import deleted
from gateway.report.deleted import Kept, Said, WholeLog
from gateway.report.facts import OUTAGES_MAX, Details, TerminalFacts, failures
from gateway.report.pages import Pages, Report
from gateway.report.places import Place, places_of
from gateway.report.rows import Rows, deletions
from gateway.report.witnessing import Witness

TEMPLATE = Path(__file__).with_name("report.typ")
PDF = "report.pdf"


@dataclass(frozen=True, slots=True)
class Told:
    """What is told beside the rows: who cosigned from outside, whose time stamps there are.

    `kept`: for how long the gateway keeps what identifies people.
    """

    witnesses: Sequence[Witness] = ()
    stamped_by: Sequence[str] = ()
    kept: Kept | None = None


NOTHING_BESIDE = Told()


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
    reading = _Reading(bundle, rows, (begin, end), told)
    terminals = [
        _terminal(reading, owner, employers.get(owner), places_of(bound, owner, begin, end))
        for owner in rows.owners()
        if not owner.startswith(GATEWAY_PREFIX)
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
        reading.whole_logs(),
        told.kept,
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


class _Reading:
    """What all terminals of a report are judged by; their gateways' journals are read here, once.

    A year of a gateway's journal takes as long to read as one of a terminal's.
    """

    def __init__(
        self, bundle: Bundle, rows: Rows, period: tuple[datetime, datetime], told: Told
    ) -> None:
        self.rows = rows
        self.period = period
        self.said: Said = deleted.said(deletions(bundle.folder / lines.DELETIONS))
        self.complete = {one.terminal: (one.start, one.end) for one in bundle.stretches}
        self.witnessed = [(a * 1000, b * 1000) for one in told.witnesses for a, b in one.spans]
        self.details = Details()
        gateways = [owner for owner in rows.owners() if owner.startswith(GATEWAY_PREFIX)]
        logs = (self.details.watch(log) for owner in gateways for log in rows.logs(owner))
        self.gateway: Minutes = heard(logs, *period)

    def complete_to(self, terminal: str) -> datetime | None:
        """Say where a terminal's entries end; None: nowhere sure."""
        _, end = self.complete.get(terminal, ("", None))
        return parse_rfc3339(end) if end else None

    def whole_logs(self) -> list[WholeLog]:
        """List the logs that were deleted whole and may have told of the period."""
        begin, _ = self.period
        found = []
        for log in self.said.whole:
            start, _ = self.complete.get(log.terminal, ("", None))
            if not start or _whole(parse_rfc3339(start)) > begin:
                found.append(log)
        return found


def _terminal(
    reading: _Reading, terminal: str, employer: str | None, places: tuple[Place, ...]
) -> TerminalFacts:
    """Judge a terminal for its employer: what another's credential met is not its own."""
    details = Details(reading.details)
    journals = Journals(
        terminal,
        (details.watch(log) for log in reading.rows.logs(terminal)),
        reading.gateway,
        reading.witnessed,
        employer=employer,
    )
    judged = judge(journals, *reading.period)
    found = failures(judged, details)
    gone = [
        deleted.payloads(
            origin,
            sealed.between(*reading.period),
            reading.said,
            reading.rows.gone.get(origin, ()),
        )
        for origin, sealed in details.sealed.items()
    ]
    return TerminalFacts(
        terminal,
        places,
        judged,
        tuple(found[:OUTAGES_MAX]),
        max(len(found) - OUTAGES_MAX, 0),
        details.stamps_between(*reading.period),
        reading.complete_to(terminal),
        tuple(one for one, _ in gone if one is not None),
        sum(lost for _, lost in gone),
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
