"""Employments, added, changed, ended: who works for whom, whose number is submitted (Q27-32).

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
    Employer,
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
    _within_life_of(known[new.employer], new.period)
    if new.company is None and new.kind not in OWN_COMPANY:
        raise BadInput(
            f"{new.kind}: whose company number is submitted?",
            "give --company: the agency's, the foreign employer's, or their own (Q27-32)",
        )
    if new.period.end is not None and new.period.end <= new.period.start:
        raise BadInput("an employment that ends before it starts", "look at --from and --until")
    employment = Employment(
        id=f"e{change.next_row('employments')}",
        person=_person(registry, change, ssin),
        employer=new.employer,
        kind=new.kind,
        name=None if new.name is None else organisation.name(new.name, "name"),
        initials=organisation.name(new.initials, "initials", INITIALS_MAX),
        language=_language(new.language),
        company=new.company or known[new.employer].company,
        period=new.period,
    )
    _not_twice(registry, employment)
    _append(registry, change, employment, replaces=None)
    return employment


def correct(
    registry: Registry,
    change: Change,
    employment: str,
    *,
    name: str | None = None,
    initials: str | None = None,
    language: str | None = None,
) -> Employment:
    """Change how somebody is named or greeted; what isn't given stays."""
    before = _known(registry, employment)
    after = replace(
        before,
        name=before.name if name is None else organisation.name(name, "name"),
        initials=before.initials
        if initials is None
        else organisation.name(initials, "initials", INITIALS_MAX),
        language=before.language if language is None else _language(language),
    )
    if after == before:
        raise BadInput("nothing would change", "give what is different now")
    _append(registry, change, after, replaces=_row(registry, employment))
    return after


@dataclass(frozen=True, slots=True)
class Move:
    """What is different from a moment on: for whom, as what, under whose number (Q27-32)."""

    at: datetime
    employer: str | None = None
    kind: Kind | None = None
    company: Company | None = None


def move(registry: Registry, change: Change, employment: str, to: Move) -> Employment:
    """End an employment and begin another of the same person, who keeps their badges.

    A number once submitted belongs to its time: the old employment keeps resolving its own taps.
    Without `company`, staff who stay with their employer keep the number they had.
    """
    before = _known(registry, employment)
    if not before.period.covers(to.at):
        raise BadInput(
            f"{employment} is not in force at {instant(to.at)}",
            f"see: ciao-provision employment show {employment}",
        )
    stays = to.employer in (None, before.employer) and to.kind in (None, before.kind)
    new = NewEmployment(
        employer=to.employer or before.employer,
        kind=to.kind or before.kind,
        company=to.company or (before.company if stays else None),
        name=before.name,
        initials=before.initials,
        language=before.language,
        period=Period(to.at, before.period.end),
    )
    end(registry, change, employment, to.at)
    after = add(registry, change, registry.ssin_of(before.person), new)
    if (after.employer, after.kind, after.company) == (
        before.employer,
        before.kind,
        before.company,
    ):
        raise BadInput("nothing would change", "give --kind, --company or --employer")
    for badge in registry.badges_of(employment):
        badges.hand_on(registry, change, badge, after.id, to.at)
    return after


def move_all(registry: Registry, change: Change, employer: Employer, to: Move) -> list[str]:
    """Move everybody who is registered under an employer's number; return the new ids."""
    return [
        move(registry, change, one.id, _when(one, to)).id
        for one in registry.employments()
        if one.employer == employer.id
        and one.company == employer.company
        and (one.period.end is None or to.at < one.period.end)
    ]


def _when(employment: Employment, to: Move) -> Move:
    return replace(to, at=max(to.at, employment.period.start))


def end(registry: Registry, change: Change, employment: str, at: datetime) -> Employment:
    """End an employment at a moment, excluded; ending it again moves the end."""
    before = _known(registry, employment)
    if at < before.period.start:
        raise BadInput(
            f"{employment} begins later, at {instant(before.period.start)}",
            "an employment can't end before it starts",
        )
    after = replace(before, period=Period(before.period.start, at))
    _not_twice(registry, after)
    _append(registry, change, after, replaces=_row(registry, employment))
    # A later end may reach into somebody else's time with the same badge.
    for badge in registry.badges_of(employment):
        badges.not_elsewhere(registry, badge)
    return after


def _known(registry: Registry, employment: str) -> Employment:
    known = registry.employment(employment)
    if known is None:
        raise BadInput(
            f"there is no employment {employment!r}", "see: ciao-provision employment list"
        )
    return known


def _within_life_of(employer: Employer, period: Period) -> None:
    ended = employer.ended_at
    if ended is not None and (period.end is None or period.end > ended):
        raise BadInput(
            f"employer {employer.id} ended at {instant(ended)}",
            "see: ciao-provision employer list",
        )


def _language(text: str) -> str:
    if not _LANGUAGE.fullmatch(text):
        raise BadInput(f"{text!r} is no language", "two letters, such as fr, nl, de, en")
    return text


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
    known = registry.person_of(ssin)
    if known is not None:
        return known
    ssin_hash = registry.fields.ssin_hash(ssin)
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
