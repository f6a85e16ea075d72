"""Is this receipt a proof that our entries are safe? Pure; nothing else makes us forget.

It must be cosigned by a gateway key that the binding lists, over a checkpoint we signed
ourselves, whose root equals our own (DESIGN 3.5).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from ciao import notes
from ciao.certificate import certified_key
from ciao.checkpoint import Checkpoint
from ciao.notes import NoteBroken, VerifierKey
from ciao.wire import Receipt


@dataclass(frozen=True, slots=True)
class Settled:
    """Everything below `size` is in custody; `note` is the proof to keep."""

    size: int
    note: str


@dataclass(frozen=True, slots=True)
class Stale:
    """True, but it says nothing new: an earlier size, or a segment that ended."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Not a receipt for us; counted, and told in the next heartbeat."""

    reason: Literal["malformed", "foreign", "signature", "cosignature"]


@dataclass(frozen=True, slots=True)
class RolledBack:
    """We signed and somebody keeps what our own disk does not have: the disk went back.

    `detail` is `beyond` (longer than ours), `against` (another root) or `lacking` (a segment).
    """

    detail: Literal["beyond", "against", "lacking"]


Judgement = Settled | Stale | Refused | RolledBack


@dataclass(frozen=True, slots=True)
class Local:
    """What a terminal knows of its own log when a receipt arrives."""

    log_key: VerifierKey
    size: int
    settled: int
    origins: Callable[[], Collection[str]]
    enrolled: VerifierKey
    root: Callable[[int], bytes]


def judge(receipt: Receipt, local: Local, cosigners: Sequence[VerifierKey]) -> Judgement:
    """Decide what a receipt means here. Reads at most one root of our own tree."""
    try:
        note = notes.parse(receipt.checkpoint)
        checkpoint = Checkpoint.parse(note.text)
    except NoteBroken:
        return Refused("malformed")
    if checkpoint.origin == local.log_key.name:
        key = local.log_key
    else:
        try:
            key = certified_key(receipt.certificate, local.enrolled)
        except NoteBroken:
            return Refused("foreign")
        if key.name != checkpoint.origin:
            return Refused("foreign")
    try:
        notes.verify(note, key)
    except NoteBroken:
        return Refused("signature")
    if not _cosigned(note, cosigners):
        return Refused("cosignature")
    if key is not local.log_key:
        return Stale() if checkpoint.origin in local.origins() else RolledBack("lacking")
    if checkpoint.size > local.size:
        return RolledBack("beyond")
    if checkpoint.size <= local.settled:
        return Stale()
    if local.root(checkpoint.size) != checkpoint.root:
        return RolledBack("against")
    return Settled(checkpoint.size, receipt.checkpoint)


def _cosigned(note: notes.Note, cosigners: Sequence[VerifierKey]) -> bool:
    for key in cosigners:
        try:
            notes.cosignature_time(note, key)
        except NoteBroken:
            continue
        return True
    return False
