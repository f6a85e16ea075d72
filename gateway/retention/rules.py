"""What is due to be deleted, and what still has to wait. Pure.

Source: FAQ Q35, Q38 (a change can be asked for within 30 days), GDPR article 5(1)(e) (no longer
than is needed).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ciao.registration import State
from gateway.ledger.deletions import Sealing

DAY_MS = 86_400_000
# The 30 days of Q35, counted generously: from the stamp, and from whatever last became of it.
CORRECTION_MS = 31 * DAY_MS
# How long what a correction rests on is kept after it was opened, or exported last.
DOSSIER_MS = 366 * DAY_MS
# Nothing can still become of these, unless a person wants it: not even that takes an identity that
# was kept for its time.
CLOSED = frozenset(
    {State.ACCEPTED, State.VALID, State.REMARKED, State.REJECTED, State.WITHHELD, State.ABANDONED}
)


@dataclass(frozen=True, slots=True)
class Settings:
    """After how many days in custody payloads go, and whole logs; and how long they wait besides.

    `look_ms` lies between two looks for what is due. Nothing goes before the clock has gone on
    steadily for `steady_ms` (`steady`).
    """

    payload_days: float = 1826
    segment_days: float = 3653
    correction_ms: int = CORRECTION_MS
    dossier_ms: int = DOSSIER_MS
    look_ms: int = DAY_MS
    steady_ms: int = 7 * DAY_MS


DEFAULTS = Settings()


class Waits(StrEnum):
    """Why something is not deleted although its time is over."""

    OPEN = "open"
    CORRECTABLE = "correctable"
    DOSSIER = "dossier"
    YOUNG = "young"


def cutoff_ms(now_ms: int, days: float) -> int:
    """Return the moment before which things are over."""
    return now_ms - round(days * DAY_MS)


def waits(one: Sealing, now_ms: int, settings: Settings = DEFAULTS) -> Waits | None:
    """Say what keeps an entry's payload from being deleted after its time; None: nothing.

    Our cosignature alone doesn't do: our clock may have been years behind when we gave it.
    """
    if one.state is not None and one.state not in CLOSED:
        return Waits.OPEN
    if one.state is not None:
        if _is_within(settings.correction_ms, one.since_ms, now_ms):
            return Waits.CORRECTABLE
        if _is_within(settings.correction_ms, one.at_ms, now_ms):
            return Waits.CORRECTABLE
        if one.dossier_ms is not None and _is_within(settings.dossier_ms, one.dossier_ms, now_ms):
            return Waits.DOSSIER
    if _is_within(now_ms - cutoff_ms(now_ms, settings.payload_days), one.at_ms, now_ms):
        return Waits.YOUNG
    return None


def _is_within(span_ms: int, at_ms: int, now_ms: int) -> bool:
    """Say whether a moment lies less than so long ago; one that has not come is nobody's."""
    return 0 <= now_ms - at_ms < span_ms


def ranges(sealed: Sequence[tuple[int, bool]], most: int) -> tuple[list[tuple[int, int]], int]:
    """Put together which entries go: ranges [first, last], and how many of `sealed` were used.

    `sealed` are (seq, goes) in order. A range spans entries without anything sealed, never one
    that stays. At most so many ranges; what is left comes the next time.
    """
    found: list[tuple[int, int]] = []
    joined = False
    for used, (seq, goes) in enumerate(sealed):
        if goes and joined:
            found[-1] = (found[-1][0], seq)
        elif goes:
            if len(found) == most:
                return found, used
            found.append((seq, seq))
        joined = goes
    return found, len(sealed)
