"""Judging a batch: does it extend, byte for byte, the tree that we know of that log? Pure.

Strict about bytes, tolerant about meaning (DESIGN 3.5, 3.9): every leaf that hashes into the
signed root is taken; one that is not understood, or whose payload is declared gone, is flagged.
Nothing is taken of a batch that is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ciao import canonical, entries, notes
from ciao.certificate import certified_key
from ciao.checkpoint import Checkpoint
from ciao.entries import LEAF_SIZE_MAX, Entry, LeafBroken, NotUnderstood, Refused, Tap
from ciao.names import Origin
from ciao.notes import Note, NoteBroken, VerifierKey
from ciao.tree import Frontier, Subtree, frontier_at, leaf_hash, root_at
from ciao.wire import Batch, BatchRefusal, WireBroken, decode_payload

NOT_UNDERSTOOD = "not_understood"
PAYLOAD_GONE = "payload_gone"


@dataclass(frozen=True, slots=True)
class Known:
    """What we hold of a log already; `leaf_hashes` reads those of [start, end)."""

    size: int
    key: VerifierKey
    certificate: str
    subtree: Subtree
    leaf_hashes: Callable[[int, int], Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Owed:
    """What we once cosigned of a log, beyond what we hold of it: we were restored from a backup.

    At that size the tree must have that root, or the terminal signed two.
    """

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """An entry to store: the hashes its leaf completes, its payload, what it says if we know."""

    seq: int
    leaf: bytes
    hashes: bytes
    payload: bytes | None
    flag: str | None
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """Store these, then cosign: `checkpoint` carries the terminal's own signature alone."""

    key: VerifierKey
    held: tuple[Held, ...]
    size: int
    checkpoint: Note


@dataclass(frozen=True, slots=True)
class AlreadyHeld:
    """Nothing new: the receipt was lost, say it again."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Genuine, but entries from `resend_from` on are missing before it."""

    resend_from: int


@dataclass(frozen=True, slots=True)
class Turned:
    """Refused: why, in the wire's closed set, and in words for the log."""

    reason: BatchRefusal
    detail: str


Judgement = Accepted | AlreadyHeld | Gap | Turned


class _Refusal(Exception):
    def __init__(self, reason: BatchRefusal, detail: str) -> None:
        super().__init__(detail)
        self.turned = Turned(reason, detail)


def judge(
    batch: Batch,
    terminal: str,
    enrolled: VerifierKey,
    known: Known | None,
    owed: Owed | None = None,
) -> Judgement:
    """Judge a batch that came on a terminal's topic; raises nothing.

    `enrolled` is the terminal's enrolled key, which certifies its segments' keys.
    """
    try:
        key = _key(batch, terminal, enrolled, known)
        checkpoint, signed = _checkpoint(batch, key)
        size = known.size if known else 0
        if batch.start > size:
            return Gap(size)
        leaves = [_encoded(text) for text in batch.leaves]
        overlap = leaves[: size - batch.start]
        fresh = [
            _held(batch, size + index, leaf)
            for index, leaf in enumerate(leaves[size - batch.start :])
        ]
        held, root, root_then = _extended(known, batch.end, fresh, owed.size if owed else 0)
        _compare(known, batch.start, overlap, root == checkpoint.root, bool(held))
        if owed is not None and root_then not in (None, owed.root):
            raise _Refusal("fork", f"not the tree of {owed.size} entries that we once cosigned")
    except _Refusal as refusal:
        return refusal.turned
    return Accepted(key, held, batch.end, signed) if held else AlreadyHeld()


def _key(batch: Batch, terminal: str, enrolled: VerifierKey, known: Known | None) -> VerifierKey:
    """Return the segment's log key, certified by the terminal whose topic this is."""
    try:
        if Origin.parse(batch.origin).owner != terminal:
            raise _Refusal("certificate", "a log of another terminal")
        if known is not None and batch.certificate == known.certificate:
            return known.key
        key = certified_key(batch.certificate, enrolled)
    except ValueError as error:
        raise _Refusal("certificate", str(error)) from error
    if key.name != batch.origin or (known is not None and key != known.key):
        raise _Refusal("certificate", "a certificate for another log or another key")
    return key


def _checkpoint(batch: Batch, key: VerifierKey) -> tuple[Checkpoint, Note]:
    """Return the batch's checkpoint, and its note with the segment key's signature alone."""
    try:
        note = notes.parse(batch.checkpoint)
        notes.verify(note, key)
        checkpoint = Checkpoint.parse(note.text)
    except NoteBroken as error:
        raise _Refusal("signature", str(error)) from error
    if checkpoint.origin != batch.origin or checkpoint.size != batch.end:
        raise _Refusal("malformed", "the checkpoint is not that of the batch's last entry")
    own = tuple(s for s in note.signatures if s.name == key.name and s.key_id == key.key_id)
    return checkpoint, Note(note.text, own[:1])


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise _Refusal("malformed", "a leaf that is not UTF-8") from error


def _held(batch: Batch, seq: int, leaf: bytes) -> Held:
    """Judge one new leaf and its payload; its hashes are not known yet."""
    entry = _entry(leaf, seq)
    if entry is None:
        return _held_blindly(batch, seq, leaf)
    if entry.seq != seq:
        raise _Refusal("malformed", f"leaf {seq} says that it is {entry.seq}")
    named = payload_named(entry)
    if named is None:
        return Held(seq, leaf, b"", None, None, entry)
    text = batch.payloads.get(str(seq))
    if text is None:
        raise _Refusal("malformed", f"leaf {seq} came without its payload")
    payload = _payload(text, seq)
    if payload is not None and not _is(payload, named):
        raise _Refusal("malformed", f"leaf {seq} names another payload")
    return Held(seq, leaf, b"", payload, None if payload is not None else PAYLOAD_GONE, entry)


def _entry(leaf: bytes, seq: int) -> Entry | None:
    """Read a leaf; None where it is not understood."""
    try:
        return entries.decode(leaf)
    except LeafBroken as error:
        raise _Refusal("malformed", f"leaf {seq}: {error}") from error
    except NotUnderstood:
        return None


def payload_named(entry: Entry) -> str | None:
    """Return the hash of the payload that lies beside an entry; None where none does."""
    return entry.payload if isinstance(entry, Tap | Refused) else None


def _held_blindly(batch: Batch, seq: int, leaf: bytes) -> Held:
    """Take a leaf that is not understood, with its payload where it names one as ours do.

    So that a version of this program that understands it has all that it needs (`reread`).
    """
    value: dict[str, Any] = canonical.decode(leaf, LEAF_SIZE_MAX)
    if type(value.get("seq")) is not int or value["seq"] != seq:
        raise _Refusal("malformed", f"leaf {seq} does not say that it is")
    text = batch.payloads.get(str(seq))
    payload = None if text is None else _payload(text, seq)
    if payload is not None and not _is(payload, value.get("payload")):
        payload = None
    return Held(seq, leaf, b"", payload, NOT_UNDERSTOOD, None)


def reread(seq: int, leaf: bytes, hashes: bytes, payload: bytes | None) -> Held | None:
    """Read a leaf again that was stored without being understood; None where it still isn't."""
    try:
        entry = entries.decode(leaf)
    except NotUnderstood:
        return None
    named = payload_named(entry)
    gone = named is not None and (payload is None or not _is(payload, named))
    return Held(seq, leaf, hashes, payload, PAYLOAD_GONE if gone else None, entry)


def _payload(text: str, seq: int) -> bytes | None:
    """Return sealed bytes; None for "", by which a terminal says that they are gone."""
    try:
        return decode_payload(text) if text else None
    except WireBroken as error:
        raise _Refusal(error.reason, f"payload {seq}: {error}") from error


def _is(payload: bytes, named: object) -> bool:
    return hashlib.sha256(payload).hexdigest() == named


def _extended(
    known: Known | None, end: int, fresh: Sequence[Held], then: int
) -> tuple[tuple[Held, ...], bytes, bytes | None]:
    """Return the new entries with the hashes they complete, and our root at the batch's end.

    And our root at size `then`, if the batch passes it.
    """
    if known is not None and end <= known.size:
        return (), root_at(end, known.subtree), None
    frontier = frontier_at(known.size, known.subtree) if known else Frontier()
    held = []
    root_then = None
    for one in fresh:
        frontier, hashes = frontier.append(leaf_hash(one.leaf))
        held.append(Held(one.seq, one.leaf, hashes, one.payload, one.flag, one.entry))
        if frontier.size == then:
            root_then = frontier.root()
    return tuple(held), frontier.root(), root_then


def _compare(
    known: Known | None, start: int, overlap: Sequence[bytes], same_root: bool, new: bool
) -> None:
    """Hold the batch to what we have: the entries we hold already, and the signed root."""
    equal = (
        known is None
        or not overlap
        or (list(known.leaf_hashes(start, start + len(overlap))) == [leaf_hash(x) for x in overlap])
    )
    if same_root and equal:
        return
    if same_root:
        # The terminal signed our tree, so it was not the terminal that wrote these leaves.
        raise _Refusal("root", "leaves that are not in the tree that was signed")
    if not equal or not new:
        raise _Refusal("fork", "the terminal signed two trees of one size")
    raise _Refusal("root", "the entries do not lead to the root that was signed")
