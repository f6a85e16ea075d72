"""Forgetting: what identifies a person who left long ago is erased; that somebody was here stays.

Rows are never changed but for this: triggers let exactly these columns be emptied, and nothing
else. Employments, periods and numbers of companies stay, of a person without a number or a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from provisioning.registry.records import Employment
from provisioning.registry.registry import Registry
from provisioning.registry.store import Change


def forgettable(registry: Registry, at: datetime, years: int) -> list[str]:
    """List who left at least so many years before a moment, and is not forgotten yet."""
    last: dict[str, datetime | None] = {}
    for one in registry.employments():
        last[one.person] = _later(last.get(one.person, one.period.end), one)
    return [
        person
        for person, ended in last.items()
        if ended is not None and _years_after(ended, years) <= at and registry.ssin_of(person)
    ]


def forget(registry: Registry, change: Change, people: Sequence[str]) -> None:
    """Empty what identifies some people, in every row there ever was of them."""
    for person in people:
        badges = [
            one.id for e in registry.employments_of(person) for one in registry.badges_of(e.id)
        ]
        change.erase("people", person)
        for employment in registry.employments_of(person):
            change.erase("employments", employment.id)
        for badge in badges:
            change.erase("badges", badge)


def _later(known: datetime | None, one: Employment) -> datetime | None:
    end = one.period.end
    return None if known is None or end is None else max(known, end)


def _years_after(moment: datetime, years: int) -> datetime:
    try:
        return moment.replace(year=moment.year + years)
    except ValueError:  # 29 February
        return moment.replace(year=moment.year + years, day=28)
