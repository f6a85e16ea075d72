"""What a verifier has to say, as values: a code, how often, and the first places.

The same thing found a thousand times is said once, with a number; `words.py` says it. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ciao.evidence.lines import Row
from ciao.verifier.sentences import FAILS, PLACES, UNKNOWN

PLACES_MAX = 5


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was found: `kind` is one of `sentences.PLACES`, `said` what it names."""

    kind: str
    said: Mapping[str, str | int]

    def sized(self, size: int) -> Place:
        """Return a tree's size at this place, which is a log or a line."""
        return Place("size" if self.kind == "log" else "line_size", {**self.said, "size": size})


def at(kind: str, **said: str | int) -> Place:
    """Name a place."""
    assert kind in PLACES, kind
    return Place(kind, said)


def row_place(row: Row) -> Place:
    """Name the place of an entry."""
    return at("entry", origin=row.origin, seq=row.seq)


def range_place(origin: str, first: int, last: int) -> Place:
    """Name the place of several entries."""
    if first == last:
        return at("entry", origin=origin, seq=first)
    return at("entries", origin=origin, first=first, last=last)


@dataclass(slots=True)
class Finding:
    """One thing that was found: which, how often, and the first places."""

    code: str
    count: int = 0
    places: list[Place] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stamped:
    """What an outside authority's time stamps add to what holds: `known` checkpoints are here."""

    first: datetime
    last: datetime
    stamps: int
    known: int


@dataclass(slots=True)
class Findings:
    """Everything that was found; it holds whole if nothing fails."""

    failures: dict[str, Finding] = field(default_factory=dict)
    unknowns: dict[str, Finding] = field(default_factory=dict)

    def fail(self, code: str, place: Place | None = None) -> None:
        """Something does not hold; `code` is one of `sentences.FAILS`."""
        assert code in FAILS, code
        _note(self.failures, code, place)

    def unknown(self, code: str, place: Place | None = None) -> None:
        """Something can't be known from the bundle; `code` is one of `sentences.UNKNOWN`."""
        assert code in UNKNOWN, code
        _note(self.unknowns, code, place)

    @property
    def whole(self) -> bool:
        """Whether nothing fails."""
        return not self.failures


def _note(found: dict[str, Finding], code: str, place: Place | None) -> None:
    finding = found.setdefault(code, Finding(code))
    finding.count += 1
    if place is not None and len(finding.places) < PLACES_MAX:
        finding.places.append(place)
