"""Adding and ending employments: who works for whom, and whose number is submitted (Q27-32).

Each function writes in the change it is given, after its checks; raises BadInput.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from ciao.errors import BadInput
from ciao.registration import Company
from provisioning.registry import badges, organisation
from provisioning.registry.records import (
    OWN_COMPANY,
    Employment,
    Kind,
    Period,
    company_kind,
)
from provisioning.registry.registry import Registry
from provisioning.registry.store import Change, instant

_LANGUAGE = re.compile(r"[a-z]{2}")
INITIALS_MAX = 8


@dataclass(frozen=True, slots=True)
class NewEmployment:
    """What is said of somebody's work; the NISS is checked already.

    `company` is None for the employer's own number. The NISS stays out of this value's text.
    """

    employer: str
    kind: Kind
    company: Company | None
    name: str | None
    initials: str
    language: str
    period: Period


def add(registry: Registry, change: Change, ssin: str, new: NewEmployment) -> Employment:
    """Add an employment, and the person where the NISS is new."""
    known = {employer.id: employer for employer in registry.employers()}
    organisation.found("employer", new.employer, known)
    if new.company is None and new.kind not in OWN_COMPANY:
        raise BadInput(
            f"{new.kind}: whose company number is submitted?",
            "give --company: the agency's, the foreign employer's, or their own (Q27-32)",
        )
    if new.period.end is not None and new.period.end <= new.period.start:
        raise BadInput("an employment that ends before it starts", "look at --from and --until")
    if not _LANGUAGE.fullmatch(new.language):
        raise BadInput(f"{new.language!r} is no language", "two letters, such as fr, nl, de, en")
    employment = Employment(
        id=f"e{change.next_row('employments')}",
        person=_person(registry, change, ssin),
        employer=new.employer,
        kind=new.kind,
        name=None if new.name is None else organisation.name(new.name, "name"),
        initials=organisation.name(new.initials, "initials", INITIALS_MAX),
        language=new.language,
        company=new.company or known[new.employer].company,
        period=new.period,
    )
    _not_twice(registry, employment)
    _append(registry, change, employment, replaces=None)
    return employment


def end(registry: Registry, change: Change, employment: str, at: datetime) -> Employment:
    """End an employment at a moment, excluded; ending it again moves the end."""
    before = registry.employment(employment)
    if before is None:
        raise BadInput(
            f"there is no employment {employment!r}", "see: ciao-provision employment list"
        )
    if at < before.period.start:
        raise BadInput(
            f"{employment} begins later, at {instant(before.period.start)}",
            "an employment can't end before it starts",
        )
    after = replace(before, period=Period(before.period.start, at))
    _not_twice(registry, after)
    _append(registry, change, after, replaces=_row(registry, employment))
    # A later end may reach into somebody else's time with the same badge.
    for badge in registry.badges():
        if badge.employment == employment:
            badges.not_elsewhere(registry, badge)
    return after


def _not_twice(registry: Registry, new: Employment) -> None:
    for other in registry.employments_of(new.person):
        if (
            other.company == new.company
            and other.id != new.id
            and other.period.overlaps(new.period)
        ):
            raise BadInput(
                f"this person works for {new.company.number} then already: {other.id}",
                f"end that one first: ciao-provision employment end {other.id} --at DATE",
            )


def _person(registry: Registry, change: Change, ssin: str) -> str:
    """Find who has a NISS, or note that there is somebody new."""
    ssin_hash = registry.fields.ssin_hash(ssin)
    known = registry.store.row("SELECT id FROM people WHERE ssin_hash = ?", [ssin_hash])
    if known is not None:
        return str(known["id"])
    person = f"p{change.next_row('people')}"

    def encrypt(row: int) -> dict[str, bytes]:
        return {"ssin": registry.fields.encrypt(ssin.encode(), "people", "ssin", row)}

    change.append("people", {"id": person, "ssin_hash": ssin_hash}, encrypt=encrypt)
    return person


def _append(
    registry: Registry, change: Change, employment: Employment, *, replaces: int | None
) -> None:
    def encrypt(row: int) -> dict[str, bytes | None]:
        if employment.name is None:
            return {"name": None}
        plain = employment.name.encode()
        return {"name": registry.fields.encrypt(plain, "employments", "name", row)}

    end = employment.period.end
    values = {
        "id": employment.id,
        "person": employment.person,
        "employer": employment.employer,
        "kind": employment.kind.value,
        "initials": employment.initials,
        "language": employment.language,
        "company_kind": company_kind(employment.company),
        "company": employment.company.number,
        "valid_from": instant(employment.period.start),
        "valid_until": instant(end) if end else None,
    }
    change.append("employments", values, replaces=replaces, encrypt=encrypt)


def _row(registry: Registry, employment: str) -> int:
    row = registry.store.row("SELECT row FROM employments_now WHERE id = ?", [employment])
    assert row is not None
    return int(row["row"])
