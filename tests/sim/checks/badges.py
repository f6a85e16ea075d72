"""Each registration is of the person whose badge was laid down."""

from __future__ import annotations

from collections.abc import Iterator

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
