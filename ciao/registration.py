"""The registration the law asks for, its six data and the states it goes through.

Source: FAQ Q18 (the six data), Q19 (IN or OUT in all cases), Q27-32 (whose number).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime


class Direction(enum.StrEnum):
    """IN or OUT; there is no third (Q8, Q15, Q37: a break is an OUT, then an IN)."""

    IN = "in"
    OUT = "out"

    @property
    def opposite(self) -> Direction:
        """The other one; for showing, never for choosing (Q19)."""
        return Direction.OUT if self is Direction.IN else Direction.IN


@dataclass(frozen=True, slots=True)
class EnterpriseNumber:
    """A Belgian company: 10 digits beginning 0 or 1 (Q27)."""

    number: str


@dataclass(frozen=True, slots=True)
class ForeignNumber:
    """A foreign company: an EU VAT number, or a free identifier outside the EU (Q28)."""

    number: str


Company = EnterpriseNumber | ForeignNumber


@dataclass(frozen=True, slots=True)
class Address:
    """A place of work by its address."""

    post_code: str
    municipality: str
    street: str
    house_number: str
    box: str | None = None


@dataclass(frozen=True, slots=True)
class Coordinates:
    """A place of work by WGS 84 coordinates, decimal strings as they were provisioned."""

    longitude: str
    latitude: str


Place = Address | Coordinates


@dataclass(frozen=True, slots=True)
class Registration:
    """One IN or OUT of one person: exactly the six data of Q18.

    `at` is aware of its offset; it is the tap's own instant and is never re-timed.
    """

    at: datetime
    ssin: str
    company: Company
    declaration: str
    place: Place
    direction: Direction


class State(enum.StrEnum):
    """Where a registration stands, from the tap to the ONSS's last word."""

    RECORDED = "recorded"
    UNRESOLVED = "unresolved"
    HELD = "held"
    WITHHELD = "withheld"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    VALID = "valid"
    REMARKED = "remarked"
    REJECTED = "rejected"
    ABANDONED = "abandoned"


TRANSITIONS: dict[State, frozenset[State]] = {
    # The gateway knows the tap; whose it is and whether it may go is not decided yet.
    State.RECORDED: frozenset(
        {State.SUBMITTED, State.UNRESOLVED, State.HELD, State.WITHHELD, State.UNKNOWN}
    ),
    # The badge may be enrolled later; the tap waits for it.
    State.UNRESOLVED: frozenset({State.RECORDED, State.HELD, State.ABANDONED}),
    # A person decides: late, untrusted clock, revoked badge.
    State.HELD: frozenset({State.RECORDED, State.WITHHELD, State.ABANDONED}),
    State.WITHHELD: frozenset({State.RECORDED, State.ABANDONED}),
    # On its way. Back to RECORDED only where the service certainly did not take it.
    State.SUBMITTED: frozenset(
        {State.ACCEPTED, State.REJECTED, State.UNKNOWN, State.RECORDED, State.HELD}
    ),
    # No answer: consult. RECORDED again only once the search is sure it is not there.
    State.UNKNOWN: frozenset({State.ACCEPTED, State.REJECTED, State.RECORDED, State.ABANDONED}),
    State.ACCEPTED: frozenset({State.VALID, State.REMARKED}),
    State.VALID: frozenset({State.REMARKED}),
    State.REMARKED: frozenset({State.VALID}),
    State.REJECTED: frozenset({State.RECORDED, State.ABANDONED}),
    State.ABANDONED: frozenset(),
}

# These never hold back the next stamp of the same worker (DESIGN 3.10).
NOT_BLOCKING = frozenset(
    {State.HELD, State.UNRESOLVED, State.REJECTED, State.WITHHELD, State.ABANDONED}
)


class IllegalTransition(AssertionError):
    """A program error: the table above does not know this step."""


def step(before: State, after: State) -> State:
    """Return `after` if the table allows it from `before`; raise IllegalTransition otherwise."""
    if after not in TRANSITIONS[before]:
        raise IllegalTransition(f"{before} -> {after}")
    return after
