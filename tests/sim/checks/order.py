"""One worker's stamps of one terminal reach the ONSS in the order they were made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from tests.sim.evidence import SET_ASIDE, Evidence, Transition

# After so long, an unknown one no longer holds up the next (DESIGN 3.10).
UNKNOWN_BLOCKS_MS = 10 * 60_000


def each_workers_order_is_kept(evidence: Evidence) -> Iterator[str]:
    """By sequence, never by time; what was once set aside may be overtaken.

    So may everything of a terminal whose card went back: its order is not known to it any more.
    """
    overtaken = set(may_be_overtaken(evidence.attempts.transitions))
    order: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for payload, promise in evidence.truth.promises.items():
        tap, row = evidence.taps.get(payload), evidence.row_of(payload)
        if tap is None or row is None or tap.id in overtaken:
            continue
        if promise.terminal not in evidence.truth.rolled_back:
            order[row.ssin, promise.terminal].append((promise.seen, row.id))
    for (worker, terminal), stamps in order.items():
        made = [number for _, number in sorted(stamps)]
        if made != sorted(made):
            yield f"{worker} at {terminal} was registered in the order {made}"


def may_be_overtaken(transitions: Sequence[Transition]) -> Iterator[int]:
    """List taps that were set aside once, or whose answer was unknown for very long."""
    since: dict[int, int] = {}
    for move in transitions:
        if move.after in SET_ASIDE or move.reason == "restored":
            yield move.tap
        if move.before == "unknown" and move.at_ms - since[move.tap] >= UNKNOWN_BLOCKS_MS:
            yield move.tap
        since[move.tap] = move.at_ms
