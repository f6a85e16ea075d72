"""Which terminals a bundle is about. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ciao.binding import held
from provisioning.registry.records import IssuedBinding


def stood_at(site: str, issued: Sequence[IssuedBinding], start: datetime, end: datetime) -> bool:
    """Say whether a terminal was bound to a site at any moment of a period.

    `issued` are its bundles, oldest first.
    """
    in_force = held([one.effective_from for one in issued], start, end)
    return any(issued[number].site == site for number in in_force)
