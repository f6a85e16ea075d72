"""What a search looks for: what was sent, whatever the registry says of it by now (decision 42)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from ciao.sealing import SealBroken
from gateway.forwarding.answers import Sealer, Sent, sent_info
from gateway.forwarding.desk import Desk
from gateway.forwarding.resolution import Ready, resolve
from gateway.ledger.attempts import LastSent
from gateway.ledger.rows import Tap
from gateway.onss.mapping import item


@dataclass(frozen=True, slots=True)
class Sought:
    """The item that may be at the service, as whose stamp, and with whose credentials it went."""

    item: dict[str, Any] = field(repr=False)
    worker: str
    employer: str


def sought(desk: Desk, sealer: Sealer, tap: Tap) -> Sought | None:
    """Say what to search for, for a tap that may be at the service; None where it isn't known.

    What its last call said. Where none of ours is known to have been made (after a backup was
    restored), what it would say now.
    """
    last = desk.attempts.last_sent(tap.id)
    if last is None or last.sent is None:
        return as_it_would_go(desk, tap)
    return _opened(sealer, last, last.sent, tap)


def as_it_would_go(desk: Desk, tap: Tap) -> Sought | None:
    """Say what a tap would be sent as now; None where that isn't known."""
    known = resolve(desk.facts(tap))
    if not isinstance(known, Ready):
        return None
    return Sought(item(known.registration), known.worker, known.employer)


def _opened(sealer: Sealer, last: LastSent, sealed: bytes, tap: Tap) -> Sought | None:
    """Open what a call said; with another key by now, only a person can tell what it was."""
    if not sealed:
        # Deleted after its time.
        return None
    try:
        plaintext = sealer.open(sealed, sent_info(last.trace_id, tap.id))
    except SealBroken:
        return None
    sent = msgspec.json.decode(plaintext, type=Sent)
    return Sought(sent.item, sent.worker, last.employer)
