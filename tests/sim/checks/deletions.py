"""What the gateway deleted after its time it said before, and nothing that was still to be sent."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.sim.evidence import AT_ONSS, Evidence

# Where nothing is to become of a stamp any more, unless a person wants it.
OVER = AT_ONSS | {"rejected", "withheld", "abandoned"}


def what_is_gone_was_said(evidence: Evidence) -> Iterator[str]:
    """Each payload that the ledger lacks is named by a `deletion` of the gateway's journal.

    That it is not sent a second time, however it comes again, the checks on registrations say.
    """
    said = set(_said(evidence))
    for origin, numbers in evidence.emptied.items():
        for seq in numbers:
            leaf = json.loads(evidence.leaves[origin][seq])
            if "payload" not in leaf:
                continue
            if (origin, seq) not in said:
                yield f"the payload of {origin} entry {seq} is gone, and nothing says so"
            tap = evidence.taps.get(leaf["payload"])
            if leaf["kind"] == "tap" and tap is not None and tap.state not in OVER:
                yield f"{tap} lost its payload while it was {tap.state}"


def _said(evidence: Evidence) -> Iterator[tuple[str, int]]:
    for segment in evidence.watch.segments:
        for leaf in map(json.loads, segment.leaves):
            for part in leaf.get("ranges", []):
                yield from ((part["origin"], seq) for seq in range(part["first"], part["last"] + 1))
