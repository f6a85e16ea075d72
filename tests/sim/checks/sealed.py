"""What was sealed for the gateway it can open, whichever of its keys it was sealed to."""

from __future__ import annotations

from collections.abc import Iterator

from tests.sim.evidence import Evidence


def what_was_sealed_is_opened(evidence: Evidence) -> Iterator[str]:
    """No tap is held because nobody has its key."""
    for tap in evidence.taps.values():
        if tap.reason in ("unknown_key", "unreadable_payload"):
            yield f"{tap} can't be opened"
