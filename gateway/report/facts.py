"""What a report says, as values: from the rows of a bundle, so that anyone can make it again. Pure.

Everything here follows from entries. Nothing is read from a registry or a ledger, and no name of a
person can come in.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ciao.entries import (
    Affected,
    Annotation,
    Entry,
    OutageBegin,
    OutageEnd,
    OutageUpdate,
    Refused,
    SeqRange,
    Tap,
)
from ciao.reading import parse_rfc3339
from ciao.responsibility import Class, Grade, Log, Responsibility, Span
from gateway.report.deleted import Payloads, Sealed
from gateway.report.places import Place

# Beyond these a report names how many more there were; the rows have them all.
OUTAGES_MAX = 1000


@dataclass(frozen=True, slots=True)
class Failure:
    """A time in which something did not work, of one cause and one class.

    `probes` are the raw words of the entry that told it; `stamps` were made meanwhile;
    `documents` counts what was filed with it.
    """

    affected: Affected
    begin: datetime
    end: datetime
    minutes: int
    of: Class
    cause: str
    grade: Grade | None
    outage: str
    corroborated: tuple[str, ...]
    probes: Mapping[str, str]
    stamps: int
    documents: int
    rests_on: tuple[SeqRange, ...]


@dataclass(frozen=True, slots=True)
class TerminalFacts:
    """One terminal over the period, and where it stood.

    `complete_to` is where its entries end, None: nowhere sure. `deleted` is what of its badge
    readings was deleted after its time, a log each; `lost` counts those that are gone without.
    """

    terminal: str
    places: tuple[Place, ...]
    responsibility: Responsibility
    failures: tuple[Failure, ...]
    failures_beyond: int
    stamps: int
    complete_to: datetime | None
    deleted: tuple[Payloads, ...] = ()
    lost: int = 0


@dataclass(slots=True)
class Details:
    """What the entries tell beside their minutes: gathered while they pass by.

    `gateways`: what their gateways' entries told, of the same outages.
    """

    gateways: Details | None = None
    stamps: array[int] = field(default_factory=lambda: array("q"))
    probes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    documents: dict[str, int] = field(default_factory=dict)
    sealed: dict[str, Sealed] = field(default_factory=dict)
    _stamped: set[tuple[str, int]] = field(default_factory=set)

    def watch(self, log: Log) -> Log:
        """Return the same log; what passes by is noted."""
        origin, entries = log
        return origin, self._passing(origin, entries)

    def _passing(self, origin: str, entries: Iterable[Entry]) -> Iterator[Entry]:
        for entry in entries:
            self._note(origin, entry)
            yield entry

    def _note(self, origin: str, entry: Entry) -> None:
        match entry:
            case Tap() | Refused():
                self._tapped(origin, entry)
            case OutageBegin() | OutageUpdate():
                self.probes[entry.outage] = entry.probes
            case OutageEnd():
                self.probes.setdefault(entry.outage, entry.probes)
            case Annotation():
                self.documents[entry.outage] = self.documents.get(entry.outage, 0) + 1
            case _:
                pass

    def _tapped(self, origin: str, entry: Tap | Refused) -> None:
        # Only what was carried can be met twice.
        if entry.carried is not None:
            first = (entry.carried.origin, entry.carried.seq)
            if first in self._stamped:
                return
            self._stamped.add(first)
        at_ms = _ms(parse_rfc3339(entry.at))
        if isinstance(entry, Tap):
            self.stamps.append(at_ms)
        if entry.payload is not None:
            self.sealed.setdefault(origin, Sealed()).add(entry.seq, at_ms)

    def probes_of(self, outage: str) -> Mapping[str, str]:
        """Return the raw words of an outage, by whoever told of it."""
        beside = self.gateways.probes if self.gateways else {}
        return self.probes.get(outage) or beside.get(outage) or {}

    def documents_of(self, outage: str) -> int:
        """Count what was filed with an outage, by anybody."""
        beside = self.gateways.documents if self.gateways else {}
        return self.documents.get(outage, 0) + beside.get(outage, 0)

    def stamps_between(self, begin: datetime, end: datetime) -> int:
        """Count the stamps of [begin, end); call once all entries have passed by."""
        self.stamps = array("q", sorted(self.stamps))
        return bisect_left(self.stamps, _ms(end)) - bisect_left(self.stamps, _ms(begin))


def failures(judged: Responsibility, details: Details) -> list[Failure]:
    """List what did not work, each cause on its own, in the order of time."""
    found = [
        _failure(affected, span, details)
        for affected, spans in _sides(judged)
        for span in _joined(spans)
        if span.of not in (Class.WORKED, Class.NO_DATA)
    ]
    return sorted(found, key=lambda one: (one.begin, one.affected))


def _sides(judged: Responsibility) -> tuple[tuple[Affected, tuple[Span, ...]], ...]:
    return ("register", judged.register), ("submit", judged.submit)


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Join neighbours that tell the same of one outage, and only rest on other entries."""
    waiting: Span | None = None
    for span in spans:
        if waiting is not None and _same(waiting, span):
            rests_on = tuple(dict.fromkeys((*waiting.rests_on, *span.rests_on)))
            minutes = waiting.minutes + span.minutes
            waiting = Span(
                waiting.begin,
                minutes,
                span.of,
                span.cause,
                span.outage,
                span.grade,
                span.corroborated,
                rests_on,
            )
            continue
        if waiting is not None:
            yield waiting
        waiting = span
    if waiting is not None:
        yield waiting


def _same(one: Span, other: Span) -> bool:
    def said(span: Span) -> tuple[object, ...]:
        return span.of, span.cause, span.outage, span.grade, span.corroborated

    return one.end == other.begin and said(one) == said(other)


def _failure(affected: Affected, span: Span, details: Details) -> Failure:
    outage = span.outage or ""
    return Failure(
        affected,
        span.begin,
        span.end,
        span.minutes,
        span.of,
        span.cause or "unclassified",
        span.grade,
        outage,
        span.corroborated,
        details.probes_of(outage),
        details.stamps_between(span.begin, span.end),
        details.documents_of(outage),
        span.rests_on,
    )


def _ms(moment: datetime) -> int:
    return round(moment.astimezone(UTC).timestamp() * 1000)
