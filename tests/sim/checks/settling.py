"""After the faults stop, everything settles."""

from __future__ import annotations

from collections.abc import Iterator

from tests.sim.evidence import Evidence


def everything_settles(evidence: Evidence) -> Iterator[str]:
    """Every journal is receipted to its end, and no stamp is still on its way."""
    if evidence.settled:
        return
    yield "calm hours went by, and something is still under way"
    newest = {segment.terminal: segment for segment in evidence.segments}
    for segment in newest.values():
        if segment.settled < len(segment.leaves):
            yield f"{segment.origin}: {segment.settled} of {len(segment.leaves)} receipted"
