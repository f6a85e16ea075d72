"""From a tap to what may be registered: whose badge, which site, and whether it may go. Pure.

The registration is as of the tap: its own instant, never re-timed, the binding its entry names,
the employment that the registry knows for that moment *now* (a badge enrolled later resolves).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from ciao import entries, opening
from ciao.binding import Binding, Lateness
from ciao.entries import Entry
from ciao.entries import Tap as TapEntry
from ciao.registration import Direction, Registration
from ciao.sealing import SealBroken, payload_info
from gateway.forwarding.turns import FRESH_MS
from gateway.intake import DIFFERS
from gateway.ledger.rows import Sealed, Tap
from gateway.people import Opener, People
from provisioning.registry.records import Resolution, place

HOUR_MS = 3_600_000
YEARS = (2000, 2200)
READ_KEPT_MAX = 64


class Reason(StrEnum):
    """Why a tap is held, waits, or is withheld: the closed codes that an outcome may carry."""

    PAYLOAD_GONE = "payload_gone"
    UNKNOWN_KEY = "unknown_key"
    UNREADABLE = "unreadable_payload"
    OPENING_DIFFERS = "opening_differs"
    CARRIED_DIFFERS = "carried_differs"
    UNTRUSTED_CLOCK = "untrusted_clock"
    ABSURD_TIME = "absurd_time"
    UNKNOWN_BINDING = "unknown_binding"
    FOREIGN_BINDING = "foreign_binding"
    UNKNOWN_BADGE = "unknown_badge"
    REVOKED_BADGE = "revoked_badge"
    LATE = "late"
    EVIDENCE_ONLY = "evidence_only"


@dataclass(frozen=True, slots=True)
class Identified:
    """The payload was opened: the keyed HMAC of the badge's UID."""

    badge: bytes


@dataclass(frozen=True, slots=True)
class Ready:
    """It may be registered: the six data, whose stamp it is, with whose credentials."""

    registration: Registration = field(repr=False)
    worker: str
    employer: str


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Nobody's badge, as far as the registry knows now."""

    reason: Reason = Reason.UNKNOWN_BADGE


@dataclass(frozen=True, slots=True)
class Hold:
    """A person decides."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Withhold:
    """Kept as evidence, by the binding's policy."""

    reason: Reason


Decision = Ready | Unresolved | Hold | Withhold


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a decision on an identified tap rests on.

    `at` is its time: as it says, or derived where its clock was set later. `binding` is the
    bundle that the entry names, None where it is not one of ours; `holder` is whose badge it was
    then, None where nobody's, as far as is known now.
    """

    tap: Tap
    entry: TapEntry
    at: datetime
    binding: Binding | None
    holder: Resolution | None = field(repr=False)


def identify(
    tap: Tap, sealed: Sealed, openers: Mapping[str, Opener], people: People
) -> Identified | Hold:
    """Open a tap's payload: sealed for its first place, and holding what the leaf commits to."""
    entry = entry_of(sealed)
    if sealed.payload is None:
        return Hold(Reason.PAYLOAD_GONE)
    opener = openers.get(entry.key)
    if opener is None:
        return Hold(Reason.UNKNOWN_KEY)
    try:
        plaintext = opener(sealed.payload, payload_info(tap.first_origin, tap.first_seq))
    except SealBroken:
        return Hold(Reason.UNREADABLE)
    if opening.commitment(plaintext) != entry.opening:
        return Hold(Reason.OPENING_DIFFERS)
    try:
        said = opening.decode(plaintext)
    except ValueError:
        return Hold(Reason.UNREADABLE)
    return Identified(people.badge_hmac(bytes.fromhex(said.uid)))


def entry_of(sealed: Sealed) -> TapEntry:
    """Read the entry of a tap of the ledger, which was read before it was stored."""
    entry = _read(sealed.leaf)
    assert isinstance(entry, TapEntry)
    return entry


@lru_cache(maxsize=READ_KEPT_MAX)
def _read(leaf: bytes) -> Entry:
    """Read a leaf; a step looks at the same one more than once."""
    return entries.decode(leaf)


def decide(facts: Facts) -> Decision:
    """Say whether a tap may go, and as what."""
    resolved = resolve(facts)
    if not isinstance(resolved, Ready):
        return resolved
    return policy(facts) or resolved


def resolve(facts: Facts) -> Ready | Unresolved | Hold:
    """Make the registration of a tap (Q18), whether or not it may go.

    One whose time is not known can't be searched for either: it would be missed.
    """
    binding, entry, holder = facts.binding, facts.entry, facts.holder
    if binding is None:
        return Hold(Reason.UNKNOWN_BINDING)
    if binding.terminal != facts.tap.terminal or binding.declaration.number != entry.declaration:
        return Hold(Reason.FOREIGN_BINDING)
    if not facts.tap.timed:
        return Hold(Reason.UNTRUSTED_CLOCK)
    if not is_possible(facts.at):
        return Hold(Reason.ABSURD_TIME)
    if holder is None:
        return Unresolved()
    registration = Registration(
        at=facts.at,
        ssin=holder.ssin,
        company=holder.company,
        declaration=entry.declaration,
        place=place(binding.site),
        direction=Direction(entry.direction),
    )
    return Ready(registration, holder.worker, holder.employer)


def policy(facts: Facts) -> Hold | Withhold | None:
    """Say what keeps a tap from going although it is known whose it is; None where nothing.

    Nothing does where a person released it.
    """
    if facts.tap.released:
        return None
    if facts.tap.flag == DIFFERS:
        return Hold(Reason.CARRIED_DIFFERS)
    if facts.holder is not None and facts.holder.revoked:
        return Hold(Reason.REVOKED_BADGE)
    age_ms = facts.tap.received_ms - facts.tap.stamped_ms
    return None if facts.binding is None else _late(age_ms, facts.binding.lateness)


def is_possible(at: datetime) -> bool:
    """Say whether a tap can be of that time: some that can be written can't be reckoned with."""
    return YEARS[0] <= at.year < YEARS[1]


def _late(age_ms: int, lateness: Lateness) -> Hold | Withhold | None:
    """Apply the binding's policy to a stamp by its age when it reached us (DESIGN 3.11)."""
    match lateness.policy:
        case "send":
            late = age_ms > lateness.send_hours * HOUR_MS
            return Hold(Reason.LATE) if late else None
        case "hold":
            return Hold(Reason.LATE) if age_ms > FRESH_MS else None
        case "evidence-only":
            return Withhold(Reason.EVIDENCE_ONLY) if age_ms > FRESH_MS else None
