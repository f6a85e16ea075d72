"""Since when our clock has gone on steadily: one that leapt is not believed for a week. Pure.

A synchronised clock may be wrong as well, by a false source of time. Where it goes forward by years
and then back, nothing may have been deleted meanwhile. So nothing goes either in the first week
that there is this to run, nor after a backup was put back or the gateway was off for a month.
"""

from __future__ import annotations

from typing import Protocol

from gateway.retention.rules import DAY_MS, Settings

SEEN = "retention_seen_ms"
SINCE = "retention_steady_ms"
# More than this from one look at the clock to the next is a leap.
LEAP_MS = 31 * DAY_MS
# How often it is written down; and by how much it may be set back.
HOUR_MS = DAY_MS // 24


class Facts(Protocol):
    """Where the gateway keeps numbers about itself (`gateway.ledger.custody.Custody`)."""

    def fact(self, name: str) -> int | None:
        """Read one."""

    def put_fact(self, name: str, value: int) -> None:
        """Keep one."""


def look(facts: Facts, now_ms: int, settings: Settings) -> bool:
    """Look at the clock, and say whether things may be deleted by it."""
    seen_ms = facts.fact(SEEN)
    if seen_ms is None or not -HOUR_MS <= now_ms - seen_ms <= LEAP_MS:
        facts.put_fact(SINCE, now_ms)
        facts.put_fact(SEEN, now_ms)
    elif now_ms - seen_ms >= HOUR_MS:
        facts.put_fact(SEEN, now_ms)
    return now_ms >= begins_ms(facts, now_ms, settings)


def begins_ms(facts: Facts, now_ms: int, settings: Settings) -> int:
    """Say from when on things may be deleted, in ms since 1970, unless the clock leaps."""
    since_ms = facts.fact(SINCE)
    return (now_ms if since_ms is None else since_ms) + settings.steady_ms
