"""Attempts are two rows, begun and ended; what may have been taken is not sent again blindly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.sim.evidence import Attempts, Evidence, Transition

# How a tap comes to its end after an attempt that never got its answer.
INTERRUPTED = "interrupted"


def attempts_are_begun_and_ended(evidence: Evidence) -> Iterator[str]:
    """Each call that reached the ONSS was begun before; each that ended says so.

    One begun without an end was under way when the program died, so its taps became unknown.
    """
    attempts = evidence.attempts
    calls = Counter(trace_id for trace_id, _ in evidence.calls)
    known = set(attempts.begun.values()) | evidence.truth.former_traces
    for trace_id, count in calls.items():
        if trace_id not in known:
            yield f"the ONSS had the call {trace_id}, which was never begun"
        if count > 1:
            yield f"the ONSS had the call {trace_id} {count} times"
    went_to: dict[int, set[tuple[str, str | None]]] = {}
    for move, attempt in _out_of_submitted(attempts):
        went_to.setdefault(attempt, set()).add((move.after, move.reason))
    for attempt in attempts.begun:
        interrupted = went_to.get(attempt, set()) <= {("unknown", INTERRUPTED)}
        if attempt not in attempts.ended and not interrupted:
            yield f"attempt {attempt} has no end, and its taps went to {went_to[attempt]}"
        if attempt in attempts.ended and ("unknown", INTERRUPTED) in went_to.get(attempt, set()):
            yield f"attempt {attempt} ended, and is called interrupted"
        if not attempts.taps.get(attempt):
            yield f"attempt {attempt} is of no tap"


def nothing_is_sent_again_blindly(evidence: Evidence) -> Iterator[str]:
    """An unknown tap goes back into its line only by a search that ended at that moment.

    What was interrupted, or is not known to be refused, is unknown first.
    """
    yield from sent_again_blindly(evidence.attempts)


def sent_again_blindly(attempts: Attempts) -> Iterator[str]:
    """The same, of a ledger's attempts alone."""
    for move in attempts.transitions:
        again = (move.before, move.after) == ("unknown", "recorded")
        if again and (move.tap, move.at_ms) not in attempts.searched:
            yield f"tap {move.tap} was taken up again without a search"
    for move, attempt in _out_of_submitted(attempts):
        if move.after == "recorded" and attempt not in attempts.ended:
            yield f"tap {move.tap} was taken up again after attempt {attempt}, which has no answer"


def _out_of_submitted(attempts: Attempts) -> Iterator[tuple[Transition, int]]:
    """Pair each step out of `submitted` with the attempt of the step into it."""
    under_way: dict[int, int | None] = {}
    for move in attempts.transitions:
        if move.after == "submitted":
            under_way[move.tap] = move.attempt
        elif move.before == "submitted":
            attempt = under_way.get(move.tap)
            if attempt is not None:
                yield move, attempt
