"""Which terminals a bundle is about. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from provisioning.registry.records import IssuedBinding


def stood_at(site: str, issued: Sequence[IssuedBinding], start: datetime, end: datetime) -> bool:
    """Say whether a terminal was bound to a site at any moment of a period.

    `issued` are its bundles, oldest first; one holds from its moment until a later issued one
    begins.
    """
    for index, one in enumerate(issued):
        later = [after.effective_from for after in issued[index + 1 :]]
        ended = min((begins for begins in later if begins >= one.effective_from), default=None)
        if one.site == site and one.effective_from <= end and (ended is None or ended > start):
            return True
    return False
