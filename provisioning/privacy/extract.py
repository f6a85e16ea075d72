"""All that the registry holds of one person, for that person (GDPR, article 15)."""

from __future__ import annotations

from typing import Any

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
                "history": listing.told(registry.history("employments", one.id), office.zone),
            }
            for one in employments
        ],
        "badges": [
            {
                **listing.badge(registry, one, office.zone),
                "uid": registry.uid_of(one.id).hex().upper(),
                "history": listing.told(registry.history("badges", one.id), office.zone),
            }
            for one in badges
        ],
        "disclosures": listing.told(disclosures(registry, person), office.zone),
        "kept_years_after_the_last_employment": office.settings.retention.people_years,
        "stamps": f"ciao-gateway stamps {person}",
    }
