"""Outages as people look at them: each whole, with its cause, its time and what it explains. Pure.

From the entries of journals, a gateway's or a terminal's; nothing of it is stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ciao.causes import PROPOSALS
from ciao.entries import Entry, OutageBegin, OutageEnd, OutageUpdate
from ciao.reading import parse_rfc3339


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage. `terminal` is whose it is, "" for the gateway's own side; `employer`, whose
    credential it is about, "" where it is about nobody's in particular.

    `seen_by` is the owner of the journal that tells of it. `begun` and `ended` are RFC 3339, and
    milliseconds since 1970; `ended` is None while it lasts. `proposed` is whose doing the cause
    is proposed to be by itself; never a legal decision.
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
                found[entry.outage] = replace(
                    known, cause=entry.cause, proposed=_proposed(entry.cause)
                )
            case OutageEnd() if known is not None:
                found[entry.outage] = replace(
                    known, ended=entry.well_since, ended_ms=_ms(entry.well_since)
                )
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
    return max(during or met, key=lambda one: _shared_ms(one, at_ms, received_ms), default=None)


def _shared_ms(one: Outage, at_ms: int, received_ms: int) -> tuple[bool, int, str]:
    """Rank by who tells of it (who was cut off knows more), and how long it kept the stamp."""
    end_ms = received_ms if one.ended_ms is None else min(one.ended_ms, received_ms)
    return one.seen_by == one.terminal, end_ms - max(one.begun_ms, at_ms), one.outage


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
    )


def _proposed(cause: str) -> str:
    known = {str(one): proposal for one, proposal in PROPOSALS.items()}.get(cause)
    return known.alone if known else "undetermined"


def _ms(text: str) -> int:
    return round(parse_rfc3339(text).timestamp() * 1000)
