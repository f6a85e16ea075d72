"""A line's wish against the registry: added, put right, or there already.

Writes in the change it is given; raises BadCell, after which its savepoint is taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ciao.errors import BadInput
from provisioning.importing.columns import Wanted, initials_of
from provisioning.importing.problems import BadCell
from provisioning.registry import Employer, Employment, Kind, Registry, badges, people
from provisioning.registry.store import Change


@dataclass(frozen=True, slots=True)
class Tally:
    """What lines did, or would do."""

    employments: int = 0
    badges: int = 0
    updated: int = 0
    unchanged: int = 0

    @property
    def changes(self) -> int:
        """How many rows are new."""
        return self.employments + self.badges + self.updated

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.employments + other.employments,
            self.badges + other.badges,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
        )


def apply(registry: Registry, change: Change, wanted: Wanted, now: datetime, update: bool) -> Tally:
    """Do what one line wants."""
    employment = _there(registry, wanted)
    if employment is None:
        employment = _add(registry, change, wanted)
        done = Tally(employments=1)
    else:
        done = Tally(updated=_put_right(registry, change, employment, wanted, update))
    if wanted.uid is not None and not _has(registry, employment, wanted.uid):
        _enrol(registry, change, employment, wanted, now)
        done += Tally(badges=1)
    return done if done.changes else Tally(unchanged=1)


def _there(registry: Registry, wanted: Wanted) -> Employment | None:
    """Find the employment that a line names: same person, employer, number and first day."""
    person = registry.person_of(wanted.ssin)
    if person is None:
        return None
    employer = registry.employer(wanted.employer)
    company = wanted.company or (employer.company if isinstance(employer, Employer) else None)
    for one in registry.employments_of(person):
        same = one.employer == wanted.employer and one.company == company
        if same and one.period.start == wanted.period.start:
            return one
    return None


def _add(registry: Registry, change: Change, wanted: Wanted) -> Employment:
    initials = wanted.initials or (initials_of(wanted.name) if wanted.name else None)
    if initials is None:
        raise BadCell("initials", "nothing stands there", "a terminal greets by them, or by a name")
    new = people.NewEmployment(
        employer=wanted.employer,
        kind=wanted.kind or Kind.EMPLOYEE,
        company=wanted.company,
        name=wanted.name,
        initials=initials,
        language=wanted.language or "fr",
        period=wanted.period,
    )
    try:
        return people.add(registry, change, wanted.ssin, new)
    except BadInput as error:
        raise BadCell("from", error.what, error.hint) from error


def _put_right(
    registry: Registry, change: Change, there: Employment, wanted: Wanted, update: bool
) -> int:
    """Bring names and the last day to what the line says; return whether anything was changed."""
    if wanted.kind not in (None, there.kind):
        raise BadCell(
            "kind", f"{there.id} is {there.kind}", f"employment change {there.id} --from …"
        )
    said = {"name": wanted.name, "initials": wanted.initials, "language": wanted.language}
    differing = {column: text for column, text in said.items() if _differs(there, column, text)}
    ends = wanted.period.end not in (None, there.period.end)
    if not differing and not ends:
        return 0
    if not update:
        column = next(iter(differing), "until")
        raise BadCell(column, f"{there.id} has another {column}", "give --update to put it right")
    try:
        if differing:
            people.correct(registry, change, there.id, **differing)
        if ends and wanted.period.end is not None:
            people.end(registry, change, there.id, wanted.period.end)
    except BadInput as error:
        raise BadCell(next(iter(differing), "until"), error.what, error.hint) from error
    return 1


def _differs(there: Employment, column: str, text: str | None) -> bool:
    return text is not None and text != getattr(there, column)


def _has(registry: Registry, employment: Employment, uid: bytes) -> bool:
    """Say whether somebody has, or had, that badge in that employment."""
    return any(badge.employment == employment.id for badge in registry.badges_with(uid))


def _enrol(
    registry: Registry, change: Change, employment: Employment, wanted: Wanted, now: datetime
) -> None:
    assert wanted.uid is not None
    start = wanted.badge_from
    try:
        badges.add(registry, change, wanted.uid, employment.id, "uid", start, None, now)
    except BadInput as error:
        raise BadCell("badge", error.what, error.hint) from error
