"""A tap stands under the works declaration that its terminal was bound to, from its moment on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

from tests.sim.checks.times import SYNCED_WITHIN
from tests.sim.evidence import Evidence
from tests.sim.office import DECLARATION, OTHER_DECLARATION
from tests.sim.reading import Segment
from tests.sim.truth import Rebound


def declarations_hold_from_their_moment(evidence: Evidence) -> Iterator[str]:
    """From leaf to registration it is one number: the other one from its moment, never before."""
    for payload, tap in evidence.taps.items():
        leaf, row = evidence.leaf_of(payload), evidence.row_of(payload)
        if leaf is None:
            continue
        if row is not None and row.declaration != leaf["declaration"]:
            yield f"stamped under {leaf['declaration']}, registered under {row.declaration}"
        rebound = evidence.truth.rebound.get(tap.terminal)
        if leaf["declaration"] != DECLARATION and (rebound is None or _early(leaf, rebound)):
            yield f"{tap} was stamped under a declaration that was not in force"
    for segment in evidence.segments:
        rebound = evidence.truth.rebound.get(segment.terminal)
        if rebound is not None:
            yield from _after_the_switch(segment, rebound)
    for terminal, rebound in evidence.truth.rebound.items():
        if evidence.settled and terminal not in evidence.truth.rolled_back:
            last = [one for one in evidence.segments if one.terminal == terminal]
            if not any(_switches(json.loads(raw), rebound) for one in last for raw in one.leaves):
                yield f"{terminal} was never bound to any of {sorted(rebound.serials)}"


def _early(leaf: dict[str, object], rebound: Rebound) -> bool:
    """Say whether a tap was made before, by its own clock, which may be set back meanwhile."""
    return datetime.fromisoformat(str(leaf["at"])) < rebound.starts - SYNCED_WITHIN and bool(
        dict(leaf["clock"])["synced"]  # type: ignore[call-overload]
    )


def _after_the_switch(segment: Segment, rebound: Rebound) -> Iterator[str]:
    """Once a segment says that the bundle came into force, each tap on a good clock is under it."""
    switched = False
    for raw in segment.leaves:
        leaf = json.loads(raw)
        switched = switched or _switches(leaf, rebound)
        fresh = leaf["kind"] == "tap" and "carried" not in leaf and leaf["clock"]["synced"]
        if switched and fresh and leaf["declaration"] != OTHER_DECLARATION:
            yield f"{segment.origin} {leaf['seq']} stands under the declaration of before"


def _switches(leaf: dict[str, object], rebound: Rebound) -> bool:
    return leaf["kind"] == "binding" and leaf["serial"] in rebound.serials
