"""A light was a promise, and a receipt another."""

from __future__ import annotations

from collections.abc import Iterator

from tests.sim.evidence import Evidence


def what_was_shown_is_kept(evidence: Evidence) -> Iterator[str]:
    """Every shown stamp is on a card or in the ledger, unless a disaster erased every copy.

    What was shown and receipted survives the loss of the terminal's card.
    """
    truth = evidence.truth
    yield from truth.broken_promises
    for payload, promise in truth.promises.items():
        leaf = evidence.leaf_of(payload)
        if leaf is None:
            if payload not in truth.lost:
                yield f"{promise} is nowhere"
        elif leaf["direction"] != promise.direction:
            yield f"{promise} was journalled as {leaf['direction']}"
