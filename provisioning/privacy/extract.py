"""All that the registry holds of one person, for that person (GDPR, article 15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from ciao.reading import rfc3339
from provisioning import listing
from provisioning.office import Office
from provisioning.registry.disclosing import disclosures


def extract(office: Office, person: str) -> dict[str, Any]:
    """Collect it, with nothing masked."""
    registry = office.registry
    employments = registry.employments_of(person)
    badges = [badge for one in employments for badge in registry.badges_of(one.id)]
    employers = {one.id: one.name for one in registry.employers()}
    return {
        "person": person,
        "niss": registry.ssin_of(person),
        "made_at": office.now().isoformat(timespec="seconds"),
        "employments": [
            {
                **listing.employment(registry, one, office.zone),
                "ssin": registry.ssin_of(person),
                "employer_name": employers.get(one.employer, one.employer),
                "history": _local(registry.history("employments", one.id), office.zone),
            }
            for one in employments
        ],
        "badges": [
            {
                **listing.badge(registry, one, office.zone),
                "uid": registry.uid_of(one.id).hex().upper(),
                "history": _local(registry.history("badges", one.id), office.zone),
            }
            for one in badges
        ],
        "disclosures": _local(disclosures(registry, person), office.zone),
        "kept_years_after_the_last_employment": office.settings.retention.people_years,
        "stamps": f"ciao-gateway stamps {person}",
    }


def _local(rows: Sequence[Mapping[str, str]], zone: tzinfo) -> list[dict[str, str]]:
    """Tell moments in local time, as all the rest of it."""
    return [
        {**row, "at": rfc3339(datetime.fromisoformat(row["at"]).astimezone(zone))} for row in rows
    ]
