"""Where a terminal stood in a period, as its bindings tell. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ciao.binding import Binding, Site, held


@dataclass(frozen=True, slots=True)
class Place:
    """A site, as a binding names it, and the works declarations under which stamps were made."""

    name: str
    address: str
    declarations: tuple[str, ...]


def places_of(
    bindings: Sequence[Binding], terminal: str, begin: datetime, end: datetime
) -> tuple[Place, ...]:
    """List the sites at which a terminal stood in a period, in their order.

    Where no binding was in force yet, its newest says where it was to stand.
    """
    issued = sorted((b for b in bindings if b.terminal == terminal), key=lambda b: b.serial)
    in_force = held([one.starts_at() for one in issued], begin, end)
    found: dict[Site, dict[str, None]] = {}
    for one in [issued[number] for number in in_force] or issued[-1:]:
        found.setdefault(one.site, {})[one.declaration.number] = None
    return tuple(Place(site.name, _where(site), tuple(under)) for site, under in found.items())


def _where(site: Site) -> str:
    if site.address is not None:
        at = site.address
        box = f" / {at.box}" if at.box else ""
        return f"{at.street} {at.house_number}{box}, {at.post_code} {at.municipality}"
    assert site.coordinates is not None
    return f"{site.coordinates.latitude}, {site.coordinates.longitude}"
