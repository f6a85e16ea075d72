"""Outages as people look at them: each whole, with its cause, its time and what it explains. Pure.

From the entries of journals, a gateway's or a terminal's; nothing of it is stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ciao.causes import PROPOSALS
from ciao.entries import Entry, OutageBegin, OutageEnd, OutageUpdate
from ciao.reading import parse_rfc3339

# What tells, at a start, of the time before it.
_STOPS = {"stop", "gateway-stop"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an outage that has one cause; times as an outage's."""

    cause: str
    proposed: str
    begun: str
    begun_ms: int
    ended: str | None = None
    ended_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage. `terminal` is whose it is, "" for the gateway's own side; `employer`, whose
    credential it is about, "" where it is about nobody's in particular.

    `seen_by` is the owner of the journal that tells of it. `begun` and `ended` are RFC 3339, and
    milliseconds since 1970; `ended` is None while it lasts. `proposed` is whose doing the cause
    is proposed to be by itself; never a legal decision. Where the cause became another one,
    `cause` is the newest, and `pieces` are all of them, in their order. `started` is when whoever
    was away came back, where it has said nothing since of how it is.
    """

    outage: str
    terminal: str
    seen_by: str
    affected: str
    cause: str
    proposed: str
    begun: str
    begun_ms: int
    ended: str | None
    ended_ms: int | None
    synced: bool
    origin: str
    seq: int
    employer: str = ""
    pieces: tuple[Piece, ...] = ()
    started: str | None = None


def outages(told: Iterable[tuple[str, str, Entry]]) -> list[Outage]:
    """Put outages together from (owner, origin, entry), in the order in which they began."""
    found: dict[str, Outage] = {}
    for owner, origin, entry in told:
        known = found.get(getattr(entry, "outage", ""))
        match entry:
            case OutageBegin():
                if known is None:
                    found[entry.outage] = _begun(owner, origin, entry)
            case OutageUpdate() if known is not None:
                found[entry.outage] = _updated(known, entry)
            case OutageEnd() if known is not None:
                found[entry.outage] = _ended(known, entry)
            case _:
                pass
    return sorted(found.values(), key=lambda one: (one.begun_ms, one.outage))


def explaining(outages: Iterable[Outage], at_ms: int, received_ms: int) -> Outage | None:
    """Return the outage that explains why a stamp came late: one in which it was made.

    Else the longest between the stamp and its arrival. One of a clock that was wrong explains
    nothing, since nobody knows when it was.
    """
    met = [
        one
        for one in outages
        if one.synced
        and one.begun_ms < received_ms
        and (one.ended_ms is None or one.ended_ms > at_ms)
    ]
    during = [one for one in met if one.begun_ms <= at_ms]
    found = max(during or met, key=lambda one: _shared_ms(one, at_ms, received_ms), default=None)
    return None if found is None else _as_of(found, at_ms)


def _shared_ms(one: Outage, at_ms: int, received_ms: int) -> tuple[bool, int, str]:
    """Rank by who tells of it (who was cut off knows more), and how long it kept the stamp."""
    end_ms = received_ms if one.ended_ms is None else min(one.ended_ms, received_ms)
    return one.seen_by == one.terminal, end_ms - max(one.begun_ms, at_ms), one.outage


def _as_of(one: Outage, at_ms: int) -> Outage:
    """Tell an outage by the cause that it had then: the last that had begun, else the first."""
    had = [piece for piece in one.pieces if piece.begun_ms <= at_ms] or list(one.pieces[:1])
    return replace(one, cause=had[-1].cause, proposed=had[-1].proposed) if had else one


def _updated(known: Outage, entry: OutageUpdate) -> Outage:
    """Another cause, or the same one said again."""
    started = _started(entry)
    if entry.cause == known.cause:
        return replace(known, started=started)
    since = entry.since or entry.at
    before = known.pieces[-1]
    if _ms(since) < before.begun_ms:
        since = before.begun
    piece = Piece(entry.cause, _proposed(entry.cause), since, _ms(since))
    closed = replace(before, ended=since, ended_ms=piece.begun_ms)
    return replace(
        known,
        cause=piece.cause,
        proposed=piece.proposed,
        pieces=(*known.pieces[:-1], closed, piece),
        started=started,
    )


def _ended(known: Outage, entry: OutageEnd) -> Outage:
    ended, ended_ms = entry.well_since, _ms(entry.well_since)
    last = replace(known.pieces[-1], ended=ended, ended_ms=ended_ms)
    pieces = (*known.pieces[:-1], last)
    return replace(known, ended=ended, ended_ms=ended_ms, pieces=pieces, started=None)


def _started(entry: OutageBegin | OutageUpdate) -> str | None:
    """When somebody came back who had been away, where the entry tells of that."""
    return entry.at if _STOPS & entry.probes.keys() else None


def _begun(owner: str, origin: str, entry: OutageBegin) -> Outage:
    first = entry.carried
    begun = entry.since or entry.at
    own = "" if owner.startswith("gateway-") else owner
    return Outage(
        outage=entry.outage,
        terminal=entry.terminal or own,
        seen_by=owner,
        affected=entry.affected,
        cause=entry.cause,
        proposed=_proposed(entry.cause),
        begun=begun,
        begun_ms=_ms(begun),
        ended=None,
        ended_ms=None,
        synced=entry.clock.synced,
        origin=first.origin if first else origin,
        seq=first.seq if first else entry.seq,
        employer=entry.employer or "",
        pieces=(Piece(entry.cause, _proposed(entry.cause), begun, _ms(begun)),),
        started=_started(entry),
    )


def _proposed(cause: str) -> str:
    known = {str(one): proposal for one, proposal in PROPOSALS.items()}.get(cause)
    return known.alone if known else "undetermined"


def _ms(text: str) -> int:
    return round(parse_rfc3339(text).timestamp() * 1000)
