"""Each registration is of the person whose badge was laid down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from tests.sim.clocks import BEGIN
from tests.sim.evidence import Evidence


def nobody_elses_badge(evidence: Evidence) -> Iterator[str]:
    """The SSIN registered is that of whose badge lay there when the tap began."""
    for payload, tap in evidence.taps.items():
        row, leaf = evidence.row_of(payload), evidence.leaf_of(payload)
        if row is None or leaf is None:
            continue
        scene = evidence.truth.scenes.get((tap.terminal, leaf["boot"], leaf["up_ms"]))
        if scene is None:
            yield f"{tap} began when nothing happened there"
        elif row.ssin not in scene.ssins:
            there = ", ".join(sorted(scene.ssins)) or "nobody"
            yield f"{tap} was registered for {row.ssin}, and {there} was there"


def lost_badges_are_held(evidence: Evidence) -> Iterator[str]:
    """A tap by a badge that was said to be lost before is not registered; one from before it is.

    What was on its way when the loss was entered may have been registered.
    """
    for payload, tap in evidence.taps.items():
        leaf, row = evidence.leaf_of(payload), evidence.row_of(payload)
        if leaf is None:
            continue
        scene = evidence.truth.scenes.get((tap.terminal, leaf["boot"], leaf["up_ms"]))
        there = scene.ssins if scene else frozenset()
        lost = [one for ssin in there if (one := evidence.truth.revoked.get(ssin))]
        if scene is None or len(there) != 1 or not lost:
            continue
        entered = BEGIN + timedelta(milliseconds=lost[0].entered_ms)
        known = scene.true_at >= entered
        if row is not None and row.at >= lost[0].lost_at and known:
            yield f"{tap} was registered though its badge was lost at {lost[0].lost_at}"
        at = datetime.fromisoformat(leaf["at"])
        if tap.reason == "revoked_badge" and leaf["clock"]["synced"] and at < lost[0].lost_at:
            yield f"{tap} is held, and its badge was lost later, at {lost[0].lost_at}"
