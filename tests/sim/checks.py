"""What must be true at the end of every run, whatever happened: one function an invariant.

Each returns the violations it found, in words; none uses the code it checks.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.sim.onss import Row

Identity = tuple[str, int]
AT_ONSS = frozenset({"accepted", "valid", "remarked"})
# For a person, with a reason: told, not lost.
SET_ASIDE = frozenset({"held", "rejected", "unresolved", "withheld", "abandoned"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything the checkers look at, read from the disks after the end."""

    promised: dict[Identity, str]
    journal: dict[Identity, dict[str, Any]]
    segments: dict[str, list[bytes]]
    settled: dict[str, str]
    cosigner: bytes
    ledger: dict[Identity, tuple[str, str | None, str | None]]
    ledger_leaves: dict[str, list[bytes]]
    onss: Sequence[Row]
    badges: dict[str, str]


def shown_stamps_are_journalled(evidence: Evidence) -> Iterator[str]:
    """A light was a promise."""
    for identity, direction in evidence.promised.items():
        leaf = evidence.journal.get(identity)
        if leaf is None:
            yield f"{identity} was shown and is not in the journal"
        elif leaf["direction"] != direction:
            yield f"{identity} was shown as {direction} and journalled as {leaf['direction']}"


def shown_stamps_are_at_the_onss_once_or_set_aside(evidence: Evidence) -> Iterator[str]:
    """Nothing shown is lost or doubled."""
    rows = {str(row.id): row for row in evidence.onss}
    claimed = Counter(onss_id for _, _, onss_id in evidence.ledger.values() if onss_id)
    for identity in evidence.journal:
        state, reason, onss_id = evidence.ledger.get(identity, ("nowhere", None, None))
        if state in AT_ONSS and onss_id in rows:
            if claimed[onss_id] != 1:
                yield f"{identity} shares the ONSS id {onss_id}"
        elif state not in SET_ASIDE or not reason:
            yield f"{identity} ended as {state} ({reason})"
    for onss_id in rows.keys() - claimed.keys():
        yield f"the ONSS has {onss_id}, which no tap claims: {rows[onss_id]}"


def times_and_directions_are_the_taps_own(evidence: Evidence) -> Iterator[str]:
    """Nothing is re-timed or turned round."""
    rows = {str(row.id): row for row in evidence.onss}
    for identity, leaf in evidence.journal.items():
        _, _, onss_id = evidence.ledger.get(identity, ("", None, None))
        row = rows.get(onss_id or "")
        if row is not None and (row.at, row.direction) != (
            datetime.fromisoformat(leaf["at"]),
            leaf["direction"],
        ):
            yield f"{identity} at {leaf['at']} was registered as {row}"


def nobody_elses_badge(evidence: Evidence) -> Iterator[str]:
    """Each registration is of the person whose badge was laid down."""
    rows = {str(row.id): row for row in evidence.onss}
    for identity, leaf in evidence.journal.items():
        _, _, onss_id = evidence.ledger.get(identity, ("", None, None))
        row = rows.get(onss_id or "")
        if row is not None and evidence.badges.get(leaf["at"]) not in (row.ssin, None):
            yield f"{identity} was registered for somebody else"


def sequences_are_gapless(evidence: Evidence) -> Iterator[str]:
    """Every segment counts from 0 without a gap."""
    for origin, leaves in evidence.segments.items():
        numbers = [json.loads(leaf)["seq"] for leaf in leaves]
        if numbers != list(range(len(leaves))):
            yield f"{origin} counts {numbers}"


def receipts_are_cosigned_and_cover_what_both_ends_hold(evidence: Evidence) -> Iterator[str]:
    """What a terminal calls settled, the gateway signed for, holds, and holds alike."""
    for origin, note in evidence.settled.items():
        _, size_line, root_line = note.split("\n")[:3]
        size = int(size_line)
        if not _cosigned(note, evidence.cosigner):
            yield f"{origin} is settled at {size} without a cosignature"
        mine = evidence.segments[origin][:size]
        theirs = evidence.ledger_leaves.get(origin, [])[:size]
        if _root(mine) != base64.b64decode(root_line) or mine != theirs:
            yield f"{origin} is settled at {size}, and the two ends differ"


def each_workers_order_is_kept(evidence: Evidence) -> Iterator[str]:
    """One worker's stamps of one terminal reach the ONSS in the order they were made."""
    claims = {onss_id: identity for identity, (_, _, onss_id) in evidence.ledger.items()}
    order: dict[tuple[str, str], list[Identity]] = defaultdict(list)
    for row in evidence.onss:
        identity = claims.get(str(row.id))
        if identity is not None:
            order[row.ssin, identity[0].rsplit("/", 1)[0]].append(identity)
    for worker, identities in order.items():
        times = [evidence.journal[identity]["at"] for identity in identities]
        moments = [datetime.fromisoformat(time) for time in times]
        if moments != sorted(moments):
            yield f"{worker} was registered in the order {identities}"


CHECKS = (
    shown_stamps_are_journalled,
    shown_stamps_are_at_the_onss_once_or_set_aside,
    times_and_directions_are_the_taps_own,
    nobody_elses_badge,
    sequences_are_gapless,
    receipts_are_cosigned_and_cover_what_both_ends_hold,
    each_workers_order_is_kept,
)


def _cosigned(note: str, public: bytes) -> bool:
    """C2SP tlog-cosignature, as its text has it: one line's time and signature over the body."""
    text, _, signatures = note.rpartition("\n\n")
    for line in signatures.splitlines():
        raw = base64.b64decode(line.split(" ")[2])
        time_s = int.from_bytes(raw[4:12], "big")
        message = f"cosignature/v1\ntime {time_s}\n{text}\n".encode()
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(raw[12:], message)
        except InvalidSignature:
            continue
        return True
    return False


def _root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 2.1, as its text has it: slow and plain."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    cut = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + _root(leaves[:cut]) + _root(leaves[cut:])).digest()


def rows(path: Path, select: str) -> list[tuple[Any, ...]]:
    """Read from a database that nobody uses any more."""
    db = sqlite3.connect(path)
    try:
        return db.execute(select).fetchall()
    finally:
        db.close()
