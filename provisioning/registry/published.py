"""Which of the bundles that were issued a terminal must hold at a moment. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from provisioning.registry.records import IssuedBinding


def published(issued: Sequence[IssuedBinding], at: datetime) -> list[IssuedBinding]:
    """Choose what a terminal must hold at a moment: the bundle in force, then the next to begin.

    Each holds from its moment until a later issued one begins, so a bundle issued later for an
    earlier moment takes the place of one that has not begun.
    """
    begun = [one for one in issued if one.effective_from <= at]
    current = max(begun, key=lambda one: one.serial, default=None)
    pending = [
        one
        for one in issued
        if one.effective_from > at and (current is None or one.serial > current.serial)
    ]
    following = min(pending, key=lambda one: (one.effective_from, -one.serial), default=None)
    return [one for one in (current, following) if one is not None]
