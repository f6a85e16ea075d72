"""Which stamp goes next, and when again after a failure. Pure.

A *line* is one worker's open taps at one terminal, in the order they were made. Its stamps go
one at a time; some states never hold back the next (DESIGN 3.10). A line in which a fresh stamp
waits goes in the fresh lane whole, so the stamp takes with it what is pending before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ciao.registration import State

FRESH_MS = 60_000
UNKNOWN_BLOCKS_MS = 10 * 60_000
NEVER_MS = 2**62
AGAIN_MIN_MS = 1_000
RETRY_MAX_MS = 15 * 60_000
_SPREAD = 4


@dataclass(frozen=True, slots=True)
class Open:
    """A tap of a line that is not at its end: recorded, submitted or unknown.

    `since_ms`: when it came into that state; `due_ms`: not before then. Both by the wall clock.
    `fresh`: whether a fresh stamp waits anywhere in its line.
    """

    id: int
    state: State
    since_ms: int
    due_ms: int
    employer: str
    fresh: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn it is in a line, in which lane and queue, and when to look at the line again."""

    head: int
    fresh: bool
    due_ms: int
    employer: str


def is_fresh(at_ms: int, received_ms: int) -> bool:
    """Say whether a stamp came within 60 s of its tap, either way: clocks differ a little."""
    return abs(received_ms - at_ms) <= FRESH_MS


def turn(line: Iterable[Open], now_ms: int) -> Turn | None:
    """Say whose turn it is among a line's open taps, oldest first; None where nobody's is.

    Reads no further than it must.
    """
    for tap in line:
        match tap.state:
            case State.RECORDED:
                return Turn(tap.id, tap.fresh, tap.due_ms, tap.employer)
            case State.SUBMITTED:
                return Turn(tap.id, tap.fresh, NEVER_MS, tap.employer)
            case State.UNKNOWN if now_ms < tap.since_ms + UNKNOWN_BLOCKS_MS:
                until_ms = tap.since_ms + UNKNOWN_BLOCKS_MS
                return Turn(tap.id, tap.fresh, until_ms, tap.employer)
    return None


def retry_ms(after_s: float, tries: int, tap: int) -> int:
    """Say how long to wait before the next try: doubling to 15 minutes, or longer where asked.

    At once only the first time. Up to a quarter more, different for each tap and try but always
    the same for one, so that a service that recovers is not stampeded and a simulation replays.
    """
    asked_ms = max(int(after_s * 1000), 0 if tries <= 1 else AGAIN_MIN_MS)
    wait_ms = max(asked_ms, min(asked_ms << min(max(tries - 1, 0), 10), RETRY_MAX_MS))
    digest = hashlib.sha256(f"{tap} {tries}".encode()).digest()
    return wait_ms + int.from_bytes(digest[:4], "big") * (wait_ms // _SPREAD) // 2**32


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tap whose turn it is: by which credentials it goes, and whether in a call of its own."""

    tap: int
    employer: str
    alone: bool


def calls(candidates: Sequence[Candidate], items_max: int, calls_max: int) -> list[list[int]]:
    """Put candidates into calls, in their order: one employer a call, `items_max` taps at most."""
    made: list[list[int]] = []
    filling: dict[str, list[int]] = {}
    for candidate in candidates:
        call = None if candidate.alone else filling.get(candidate.employer)
        if call is None or len(call) >= items_max:
            if len(made) == calls_max:
                continue
            call = []
            made.append(call)
            if not candidate.alone:
                filling[candidate.employer] = call
        call.append(candidate.tap)
    return made
