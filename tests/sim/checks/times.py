"""A time is the clock's when the badge was sensed, and is never changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from tests.sim.evidence import Evidence

# The most that a clock which says it is synced is off: its steps, and its drift (faults.py).
SYNCED_WITHIN = timedelta(seconds=11)


def times_never_change(evidence: Evidence) -> Iterator[str]:
    """From the badge to the leaf to the ledger to the ONSS it is one time.

    Where the clock was not to be trusted, what is registered is derived, and is the true time.
    """
    for payload, tap in evidence.taps.items():
        leaf, row = evidence.leaf_of(payload), evidence.row_of(payload)
        if leaf is None:
            continue
        scene = evidence.truth.scenes.get((tap.terminal, leaf["boot"], leaf["up_ms"]))
        if scene is not None and scene.at != leaf["at"]:
            yield f"sensed at {scene.at}, journalled at {leaf['at']}"
        if tap.at != leaf["at"]:
            yield f"journalled at {leaf['at']}, in the ledger at {tap.at}"
        if row is None or row.at == datetime.fromisoformat(leaf["at"]):
            continue
        derived = scene is not None and not leaf["clock"]["synced"]
        if not derived or scene is None or abs(row.at - scene.true_at) > SYNCED_WITHIN:
            yield f"journalled at {leaf['at']}, registered at {row.at.isoformat()}"
