"""Asking the service whether it has a registration whose answer was lost, and reading that. Pure.

The search itself is unknown at the real service (docs/protocol/onss.md); path by configuration.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.onss.answers import Answer, Outcome
from gateway.onss.cases import Case
from gateway.onss.decisions import Verdict, accepted, waiting
from gateway.onss.mapping import Created, created_from, instant
from gateway.onss.problems import parse_json, retry_after_s

# A service might keep whole seconds only. One person's two stamps in one direction are at
# least ten seconds apart (DESIGN 3.2), so a second either way can't take one for another.
TOLERANCE = timedelta(seconds=1)
LOOK_AGAIN_S_MAX = 60.0


def query(wanted: Mapping[str, Any]) -> dict[str, str]:
    """Return the search's query: this person, direction, company and declaration, at this time.

    `wanted` is the item as it was sent, or would be (`mapping.item`).
    """
    (number,) = wanted["employer"].values()
    at = _at(wanted)
    return {
        "ssin": wanted["ssin"],
        "type": wanted["type"],
        "registrationDateFrom": instant(at - TOLERANCE),
        "registrationDateTo": instant(at + TOLERANCE),
        "employerNumber": number,
        "contractualRelationshipReference": wanted["contractualRelationshipReference"],
    }


@dataclass(frozen=True, slots=True)
class Found:
    """One registration that a search returned: when, and what the service says of it."""

    at: datetime
    created: Created
    fields: dict[str, Any]


def found(body: bytes) -> tuple[Found, ...] | None:
    """Read a search's answer; None where it, or any part of it, is not understood or not whole."""
    read = parse_json(body)
    if not isinstance(read, dict) or not isinstance(read.get("items"), list):
        return None
    rows = [_found(raw) for raw in read["items"]]
    whole = [row for row in rows if row is not None]
    if len(whole) != len(rows) or read.get("total") != len(whole):
        return None
    return tuple(whole)


def _found(raw: Any) -> Found | None:
    if not isinstance(raw, dict) or not isinstance(raw.get("registrationDate"), str):
        return None
    created = created_from(raw)
    try:
        at = datetime.fromisoformat(raw["registrationDate"])
    except ValueError:
        return None
    return Found(at, created, raw) if created and at.tzinfo else None


def _at(wanted: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(wanted["registrationDate"])


def same(wanted: Mapping[str, Any], row: Found) -> bool:
    """Whether a found registration is this item: SSIN, type, instant, company, declaration."""
    keys = ("ssin", "type", "employer", "contractualRelationshipReference")
    if any(row.fields.get(key) != wanted[key] for key in keys):
        return False
    return abs(row.at - _at(wanted)) < TOLERANCE


def decide_consult(
    wanted: Mapping[str, Any],
    outcome: Outcome,
    waited_s: float,
    settling_s: float,
    taken: Collection[str] = (),
) -> Verdict:
    """Return what a search says of an item of which it is unknown whether it was registered.

    `waited_s` runs from the moment the attempt was given up (or found to be unended) until the
    search *began*; `settling_s` is the time after which the search shows whatever was stored.
    `taken` are the ONSS ids of this person that other registrations of ours already have.
    """
    if not isinstance(outcome, Answer):
        return waiting(Case.SEARCH_FAILED, outcome.retry_after_s)
    rows = found(outcome.body) if outcome.status == 200 else None
    if rows is None:
        return waiting(Case.SEARCH_FAILED, retry_after_s(outcome))
    there = [row for row in rows if same(wanted, row) and row.created.onss_id not in taken]
    if there:
        # Two would mean that it was stored twice; the first stored is the one we made.
        return accepted(Case.FOUND, min((row.created for row in there), key=_by_id))
    if waited_s < settling_s:
        return waiting(Case.NOT_YET, min(settling_s - waited_s, LOOK_AGAIN_S_MAX))
    return waiting(Case.NOT_THERE)


def standing(outcome: Outcome, onss_id: str) -> Created | None:
    """Return what a search says now of a registration by its id; None where that isn't told."""
    rows = found(outcome.body) if isinstance(outcome, Answer) and outcome.status == 200 else None
    return next((row.created for row in rows or () if row.created.onss_id == onss_id), None)


def _by_id(created: Created) -> tuple[int, str]:
    return len(created.onss_id), created.onss_id
