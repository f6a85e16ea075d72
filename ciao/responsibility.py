"""Whose doing each minute was: journals in, every minute of a period in one class out. Pure.

The question months later is: could this worker register here at 06:02, and if not, whose doing
was it? Everything here is *proposed, not a legal decision* (Q20, Q39-45). The rules:

- A minute worked where heartbeats, each minute, say so, or a stamp was made in it.
- An outage takes every minute it touches, except where a heartbeat in the midst of it says that
  it worked, and only while somebody was there to write. The time before a start is told by that
  start. What nobody wrote of is no data, never an outage.
- Where several causes meet in a minute, the one that speaks least for the employer counts, whose
  evidence it is; during maintenance what did not work is the employer's.
- To submit takes the terminal's side and the gateway's. A terminal that does not run submits
  nothing either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import get_args

from ciao.causes import Corroboration, Party
from ciao.claims import SEVERITY, Claim, Claims, proposal_of
from ciao.entries import Affected, Entry, Part, SeqRange
from ciao.minutes import (
    FAILS,
    HEARD,
    MINUTE_MS,
    TERMINAL_PARTS,
    WORKS,
    Minutes,
    Outage,
    touched,
    whole_minute_ms,
)

# One log: its origin, and its entries in order.
Log = tuple[str, Iterable[Entry]]

# What a gateway must have, so that what it was handed can be submitted.
GATEWAY_PARTS: Mapping[Affected, Sequence[Part]] = {"submit": ("broker", "onss", "disk")}


class Class(StrEnum):
    """What a minute is; every minute is exactly one of them."""

    WORKED = "worked"
    THIRD_PARTY = "third_party"
    ONSS = "onss"
    EMPLOYER = "employer"
    UNDETERMINED = "undetermined"
    NO_DATA = "no_data"


class Grade(StrEnum):
    """How strongly it is proven (EVIDENCE): A also a third party's document, B a second vantage
    point whose journal somebody outside cosigned, C one side's word alone."""

    A = "A"
    B = "B"
    C = "C"


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes in a row of which the same is said: from `begin` (UTC), a whole minute.

    `cause` and `outage` where it did not work (an outage's id, "" where no entry names one);
    `grade` is None without data. `rests_on`: the entries, ranges of each origin.
    """

    begin: datetime
    minutes: int
    of: Class
    cause: str | None = None
    outage: str | None = None
    grade: Grade | None = None
    corroborated: tuple[Corroboration, ...] = ()
    rests_on: tuple[SeqRange, ...] = ()

    @property
    def end(self) -> datetime:
        """The first minute after it."""
        return self.begin + timedelta(minutes=self.minutes)


@dataclass(frozen=True, slots=True)
class Responsibility:
    """A period, told once for each: `register` (a stamp could be made), `submit` (handed on)."""

    register: tuple[Span, ...]
    submit: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Journals:
    """What is judged by: a terminal's logs and its gateway's, complete for the period.

    Begin a little earlier than the period: an outage, or a silence, may have begun before.
    `gateway` is what its gateways' logs say (`heard`), of the same period.
    `witnessed`: spans (ms since 1970) all through which somebody outside cosigned the gateway's
    journal; what lies outside them is grade C.
    `neighbours` are terminals at other sites nearby: silent at the same time, they corroborate.
    `employer`: whose registrations are asked about, so that another's credential takes nothing
    from "worked"; None, where any employer's counts.
    """

    terminal: str
    logs: Iterable[Log]
    gateway: Minutes | None = None
    witnessed: Sequence[tuple[int, int]] = ()
    neighbours: Collection[str] = ()
    employer: str | None = None


def heard(logs: Iterable[Log], begin: datetime, end: datetime) -> Minutes:
    """Read gateways' logs over [begin, end): once, for all the terminals that they served.

    Raises ValueError unless both are whole minutes.
    """
    return _read(logs, begin, end, GATEWAY_PARTS)


def judge(journals: Journals, begin: datetime, end: datetime) -> Responsibility:
    """Put each minute of [begin, end) into its class; raise ValueError unless both are whole."""
    terminal = _read(journals.logs, begin, end, TERMINAL_PARTS)
    gateway = heard((), begin, end) if journals.gateway is None else journals.gateway
    if (gateway.begin_ms, gateway.count) != (terminal.begin_ms, terminal.count):
        raise ValueError("the gateway was heard of another period")
    judged = _Judging(journals, terminal, gateway)
    return Responsibility(tuple(judged.spans("register")), tuple(judged.spans("submit")))


def _read(
    logs: Iterable[Log],
    begin: datetime,
    end: datetime,
    parts: Mapping[Affected, Sequence[Part]],
) -> Minutes:
    begin_ms = whole_minute_ms(begin)
    count = (whole_minute_ms(end) - begin_ms) // MINUTE_MS
    if count < 0:
        raise ValueError("a period that ends before it begins")
    minutes = Minutes(begin_ms, count, parts)
    for origin, entries in logs:
        minutes.read(origin, entries)
    return minutes


def totals(spans: Iterable[Span]) -> dict[Class, int]:
    """Count the minutes of each class; together they are the whole period."""
    counted = dict.fromkeys(Class, 0)
    for span in spans:
        counted[span.of] += span.minutes
    return counted


# The gateway's word on one terminal, in bits.
_SILENCE, _NEIGHBOUR = 1, 2
_Said = tuple[Class, str | None, str | None, Grade | None, tuple[Corroboration, ...]]


class _Judging:
    """One period, judged from what both journals say of each minute."""

    def __init__(self, journals: Journals, terminal: Minutes, gateway: Minutes) -> None:
        self._witnessed = _witnessed(terminal, journals.witnessed)
        self._terminal = terminal
        self._gateway = gateway
        self._silence = _silences(gateway, journals.terminal, journals.neighbours)
        self._claims = Claims(_documents(terminal, gateway, journals.terminal))
        affected: tuple[Affected, ...] = get_args(Affected)
        self._own = {one: self._claims.paint(terminal, one, by_gateway=False) for one in affected}
        self._theirs = self._claims.paint(
            gateway, "submit", by_gateway=True, employer=journals.employer
        )

    def spans(self, affected: Affected) -> Iterator[Span]:
        """Yield what is said of the period, minutes of which the same is said together."""
        start, said, claims = 0, None, (0, 0)
        known: dict[tuple[int, ...], _Said] = {}
        for index in range(self._terminal.count):
            key = self._key(index, affected)
            now = known.get(key)
            if now is None:
                now = known[key] = self._say(affected, *key)
            if said is not None and (now != said or key[:2] != claims):
                yield self._span(affected, range(start, index), said, claims)
                start = index
            said, claims = now, key[:2]
        if said is not None:
            yield self._span(affected, range(start, self._terminal.count), said, claims)

    def _key(self, index: int, affected: Affected) -> tuple[int, int, int, int, int, int]:
        """Gather all that a minute is judged by, as a few numbers."""
        theirs = self._theirs[index] if affected == "submit" else 0
        own = self._own[affected][index]
        heard = (self._terminal.marks[index], self._gateway.marks[index])
        return own, theirs, *heard, self._silence[index], self._witnessed[index]

    def _say(
        self,
        affected: Affected,
        own: int,
        theirs: int,
        mark: int,
        gateways: int,
        silence: int,
        witnessed: int,
    ) -> _Said:
        seen_by = silence, bool(witnessed)
        judged = [self._judged(self._claims[one], *seen_by) for one in (own, theirs) if one]
        if judged:
            return min(judged, key=lambda said: SEVERITY.index(_party(said[0])))
        works, fails = bool(mark & WORKS[affected]), bool(mark & FAILS[affected])
        if affected == "submit":
            works = works and bool(gateways & WORKS[affected])
            fails = fails or bool(gateways & FAILS[affected])
        seen = bool(gateways & HEARD) and not silence & _SILENCE
        by: tuple[Corroboration, ...] = ("vantage",) if seen else ()
        grade = Grade.B if seen and witnessed else Grade.C
        if fails:
            return Class.UNDETERMINED, "unclassified", "", grade, by
        if works:
            return Class.WORKED, None, None, grade, by
        return Class.NO_DATA, None, None, None, ()

    def _judged(self, claim: Claim, silence: int, witnessed: bool) -> _Said:
        by: list[Corroboration] = []
        if claim.has_document:
            by.append("document")
        if silence & _NEIGHBOUR:
            by.append("neighbours")
        if silence & _SILENCE or claim.by_ups:
            by.append("vantage")
        proposal = proposal_of(claim.cause)
        party = proposal.corroborated if {*by} & {*proposal.by} else proposal.alone
        seen = witnessed and bool(silence or claim.by_gateway)
        grade = Grade.C if not seen else Grade.A if claim.has_document else Grade.B
        return Class(party), claim.cause, claim.outage, grade, tuple(by)

    def _span(
        self, affected: Affected, minutes: range, said: _Said, claims: tuple[int, int]
    ) -> Span:
        of, cause, outage, grade, by = said
        begin_ms = self._terminal.begin_ms + minutes.start * MINUTE_MS
        rests_on = [at for one in claims if one for at in self._claims[one].entries]
        if of is not Class.NO_DATA:
            rests_on += self._terminal.ranges(minutes.start, minutes.stop)
            if affected == "submit" or "vantage" in by:
                rests_on += self._gateway.ranges(minutes.start, minutes.stop)
        begin = datetime.fromtimestamp(begin_ms / 1000, UTC)
        return Span(begin, len(minutes), of, cause, outage, grade, by, _together(rests_on))


def _together(ranges: Iterable[SeqRange]) -> tuple[SeqRange, ...]:
    """Put ranges of entries together that meet, in order."""
    made: list[SeqRange] = []
    for one in sorted(ranges, key=lambda one: (one.origin, one.first, one.last)):
        last = made[-1] if made else None
        if last is not None and last.origin == one.origin and one.first <= last.last + 1:
            made[-1] = SeqRange(one.origin, last.first, max(last.last, one.last))
        else:
            made.append(one)
    return tuple(made)


def _party(of: Class) -> Party:
    """Return whose doing a class says that it was."""
    return next(party for party in SEVERITY if party == of)


def _documents(terminal: Minutes, gateway: Minutes, name: str) -> dict[str, SeqRange]:
    """Find the outages that a document is filed under: also one under what the gateway saw."""
    found = {**gateway.documents, **terminal.documents}
    for seen in gateway.outages.values():
        document = gateway.documents.get(seen.id)
        if seen.terminal == name and document is not None:
            found |= {one.id: document for one in terminal.outages.values() if _meet(one, seen)}
    return found


def _meet(one: Outage, other: Outage) -> bool:
    """Say whether two outages were at the same time."""
    return one.span[0] < other.span[1] and other.span[0] < one.span[1]


def _witnessed(period: Minutes, spans: Sequence[tuple[int, int]]) -> bytearray:
    """Say of each minute whether all of it lies in a span."""
    found = bytearray(period.count)
    for begin_ms, end_ms in spans:
        first = max(-((period.begin_ms - begin_ms) // MINUTE_MS), 0)
        last = min((end_ms - period.begin_ms) // MINUTE_MS, period.count)
        found[first:last] = b"\1" * max(last - first, 0)
    return found


def _silences(gateway: Minutes, terminal: str, neighbours: Collection[str]) -> bytearray:
    """Say of each minute whether the gateway found this terminal silent, or its neighbours."""
    found = bytearray(gateway.count)
    for outage in gateway.outages.values():
        bit = _SILENCE if outage.terminal == terminal else 0
        bit |= _NEIGHBOUR if outage.terminal in neighbours else 0
        for index in touched(gateway, *outage.span) if bit else ():
            found[index] |= bit
    return found
