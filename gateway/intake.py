"""From an accepted entry to the ledger's tap: a new one, or one that is held already. Pure."""

from __future__ import annotations

from datetime import datetime

from ciao.entries import Tap as TapEntry
from ciao.reading import parse_rfc3339
from gateway.forwarding.turns import FRESH_MS, is_fresh
from gateway.ledger.rows import NewTap, Tap

CARRIED = "carried"
DIFFERS = "differs"


def epoch_ms(moment: datetime) -> int:
    """Return an aware moment in milliseconds since 1970 (UTC)."""
    return round(moment.timestamp() * 1000)


def new_tap(entry: TapEntry, terminal: str, log: int, origin: str, received_ms: int) -> NewTap:
    """Make the ledger's row of a tap entry of a log that was received at a moment."""
    first = entry.carried
    at_ms = epoch_ms(parse_rfc3339(entry.at))
    return NewTap(
        terminal=terminal,
        payload=bytes.fromhex(entry.payload),
        log=log,
        seq=entry.seq,
        first_origin=first.origin if first else origin,
        first_seq=first.seq if first else entry.seq,
        at=entry.at,
        at_ms=at_ms,
        received_ms=received_ms,
        direction=entry.direction,
        fresh=is_fresh(at_ms, received_ms),
        boot=entry.boot,
        up_ms=entry.up_ms,
        synced=entry.clock.synced,
    )


def linked_as(held: Tap | NewTap, again: NewTap) -> str:
    """Say what an entry with the payload of a tap that is held already is (DESIGN 3.4).

    `carried`: the same tap, in the terminal's next segment. `differs`: it claims another time,
    direction or first place, so a person must look; it is never submitted as a second one.
    """
    before = (held.at, held.direction, held.first_origin, held.first_seq)
    after = (again.at, again.direction, again.first_origin, again.first_seq)
    return CARRIED if before == after else DIFFERS


def precedes(tap: Tap | NewTap, restored_ms: int | None) -> bool:
    """Say whether a tap may have been forwarded before a backup of the ledger was restored.

    Then it enters as unknown, never as new (DESIGN 3.5). A clock that is not trusted proves
    nothing, so its taps may have been too.
    """
    if restored_ms is None:
        return False
    # Two clocks that are both right still differ a little, as in `is_fresh`.
    until_ms = restored_ms + FRESH_MS
    if isinstance(tap, NewTap):
        return tap.at_ms <= until_ms or not tap.synced
    return tap.stamped_ms <= until_ms or not (tap.synced or tap.derived_at is not None)


def is_doubtful(tap: Tap, restored_ms: int | None, restored: int) -> bool:
    """Say whether the ONSS must be searched for a tap before it may be sent.

    So for a tap that the backup still held as not sent: it may have been since. Once for each of
    the backups that were `restored`.
    """
    return tap.cleared < restored and precedes(tap, restored_ms)
