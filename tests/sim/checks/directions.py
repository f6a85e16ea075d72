"""Directions are chosen, never toggled or inferred (Q19)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tests.sim.evidence import Evidence
from tests.sim.office import TERMINALS
from tests.sim.truth import Press

WINDOW_MS = 10_000


def directions_are_those_pressed(evidence: Evidence) -> Iterator[str]:
    """Each stamp has a press of its own within 10 s, and says what that press said.

    What is journalled is also what is registered.
    """
    presses: dict[tuple[str, str], list[Press]] = defaultdict(list)
    for press in evidence.truth.presses:
        presses[press.terminal, press.boot].append(press)
    stamps = [(tap, evidence.leaf_of(payload)) for payload, tap in evidence.taps.items()]
    for tap, leaf in sorted(stamps, key=lambda pair: (pair[1] or {}).get("up_ms", 0)):
        if leaf is None:
            continue
        if TERMINALS[tap.terminal] == "buttons" and not _take(
            presses[tap.terminal, leaf["boot"]], leaf
        ):
            yield f"nobody pressed {leaf['direction']} for {leaf}"
        if tap.direction != leaf["direction"]:
            yield f"{tap} was journalled as {leaf['direction']}"
    for payload, tap in evidence.taps.items():
        row = evidence.row_of(payload)
        if row is not None and row.direction != tap.direction:
            yield f"{tap} was registered as {row.direction}"


def _take(presses: list[Press], leaf: Mapping[str, Any]) -> bool:
    """Use up the oldest press that this stamp may have had."""
    for press in presses:
        near = abs(press.up_ms - leaf["up_ms"]) <= WINDOW_MS
        if near and press.direction == leaf["direction"]:
            presses.remove(press)
            return True
    return False
