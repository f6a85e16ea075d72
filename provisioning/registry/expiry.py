"""Works declarations that end while terminals go on stamping under them. Pure.

A terminal that is bound to another declaration in time is not warned of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ciao import binding


@dataclass(frozen=True, slots=True)
class Held:
    """What a terminal holds: the declaration in force, and the next one with its first day."""

    terminal: str
    employer: str
    declaration: binding.Declaration
    following: tuple[binding.Declaration, date] | None = None


@dataclass(frozen=True, slots=True)
class Expiring:
    """A declaration that ends, and the terminals that have no other by then.

    `days_left` is 0 on its last day and below where it has ended. `level` is the nearest of 30, 7
    and 1 days that it has come to, and 0 once it has ended.
    """

    number: str
    employer: str
    last_day: date
    days_left: int
    level: int
    terminals: tuple[str, ...]

    @property
    def text(self) -> str:
        """Say it on one line."""
        what = f"works declaration {self.number}"
        where = f"{', '.join(self.terminals)} stamp under it"
        if self.days_left < 0:
            return f"{what} ended on {self.last_day}, and {where}"
        when = {0: "today", 1: "tomorrow"}.get(self.days_left, f"in {self.days_left} days")
        return f"{what} ends {when} ({self.last_day}), and {where}"


def expiring(held: Sequence[Held], today: date) -> list[Expiring]:
    """List what has ended or ends within 30 days, the most urgent first."""
    terminals: dict[tuple[str, str], list[str]] = {}
    numbers: dict[tuple[str, str], tuple[int, date]] = {}
    for one in held:
        left = one.declaration.expiring(today)
        if left is None or _in_time(one):
            continue
        key = one.employer, one.declaration.number
        numbers[key] = left, date.fromisoformat(one.declaration.valid_until or "")
        terminals.setdefault(key, []).append(one.terminal)
    found = [
        Expiring(number, employer, last, left, _level(left), tuple(terminals[employer, number]))
        for (employer, number), (left, last) in numbers.items()
    ]
    return sorted(found, key=lambda one: (one.days_left, one.number))


def _in_time(one: Held) -> bool:
    """Say whether the next bundle begins under another declaration before a day is without."""
    if one.following is None:
        return False
    declaration, starts = one.following
    uncovered = one.declaration.days_left(starts)
    other = declaration.number != one.declaration.number
    return other and uncovered is not None and uncovered >= -1


def _level(days_left: int) -> int:
    if days_left < 0:
        return 0
    return min(level for level in binding.EXPIRY_WARNED_DAYS if days_left <= level)
