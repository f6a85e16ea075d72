"""Every segment counts from 0 without a gap, on both ends."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from tests.sim.evidence import Evidence


def sequences_are_gapless(evidence: Evidence) -> Iterator[str]:
    """Each leaf says its own place, and entry 0 begins the segment."""
    for segment in evidence.segments:
        yield from _gaps(segment.origin, segment.leaves)
    for origin, leaves in evidence.leaves.items():
        yield from _gaps(origin, leaves)


def _gaps(origin: str, leaves: Sequence[bytes]) -> Iterator[str]:
    said = [json.loads(leaf) for leaf in leaves]
    numbers = [leaf["seq"] for leaf in said]
    if numbers != list(range(len(leaves))):
        yield f"{origin} counts {numbers}"
    if said and said[0]["kind"] != "segment":
        yield f"{origin} begins with {said[0]['kind']}"
