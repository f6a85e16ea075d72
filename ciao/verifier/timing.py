"""The bracket: could an entry have been written at the time it says? (docs/protocol/evidence.md)

It was written after the cosigned checkpoint that it, or the latest entry before it, names, and
before the first cosignature of a larger size. Pure.
"""

from __future__ import annotations

from typing import Literal

from ciao.evidence.facts import Facts

# Cosignature times are whole seconds, of another clock than the terminal's.
TOLERANCE_MS = 2_000
# A stamp's time is that of the badge; the press that completes it may follow.
PRESS_MS = 12_000
# Of what is not held closer than this it is said: an owner may have chosen the time within it.
CLOSE_S = 600
PRESSED = frozenset({"tap", "refused"})

Verdict = Literal["proven", "undated", "clock", "too_early", "too_late"]


def judge(facts: Facts, lower_s: int | None, upper_s: int | None) -> Verdict:
    """Judge an entry's time against what is proven; the bounds are Unix seconds.

    `lower_s`: when the checkpoint that it, or the latest entry before it, names was cosigned;
    `upper_s`: the first cosignature that covers it. None where there is none.
    """
    if not facts.believed:
        return "clock"
    slack_ms = (facts.clock.error_ms or 0) + TOLERANCE_MS
    if upper_s is not None and facts.at_ms > upper_s * 1000 + slack_ms:
        return "too_late"
    if lower_s is None:
        return "undated"
    before_ms = slack_ms + (PRESS_MS if facts.kind in PRESSED else 0)
    return "too_early" if facts.at_ms < lower_s * 1000 - before_ms else "proven"
