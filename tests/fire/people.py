"""A crowd with badges: plainly made up, enrolled at once through the registry's own functions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ciao import identifiers
from ciao.sealing import seal
from provisioning.office import Edges, open_office
from provisioning.registry import Kind, Period, badges, people
from tests.demo.people import EXEMPLE, VOORBEELD

CROWD_MAX = 500


@dataclass(slots=True)
class Cleaner:
    """One of the crowd, and which way they went last."""

    uid: str
    inside: bool = False

    def next_direction(self) -> str:
        """IN and OUT in turn: the same again within ten seconds would be refused."""
        self.inside = not self.inside
        return "in" if self.inside else "out"


def enrol(folder: Path, count: int, first: int = 1) -> list[Cleaner]:
    """Enter `count` employments with a badge each, of two companies in turn."""
    assert first + count <= CROWD_MAX
    now = datetime.now(UTC)
    made = []
    edges = Edges(lambda: datetime.now(UTC), os.urandom, seal)
    with (
        open_office(edges, folder / "provision.toml") as office,
        office.change("a crowd") as (change, _),
    ):
        for number in range(first, first + count):
            employer = (EXEMPLE, VOORBEELD)[number % 2].id
            period = Period(now - timedelta(days=365), None)
            new = people.NewEmployment(
                employer, Kind("employee"), None, None, f"N{number}", "fr", period
            )
            ssin = identifiers.ssin(_ssin(number))
            added = people.add(office.registry, change, ssin, new)
            uid = f"04{number:012X}"
            raw = identifiers.uid(uid)
            badges.add(office.registry, change, raw, added.id, "uid", None, None, office.now())
            made.append(Cleaner(uid))
    return made


def _ssin(number: int) -> str:
    """Without a date of birth, valid by its check digits only."""
    return f"{number:09d}{97 - number % 97:02d}"
