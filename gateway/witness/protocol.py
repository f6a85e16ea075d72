"""C2SP tlog-witness, `add-checkpoint`: the request, and what a witness does with one. Pure.

The body is `old <size>`, a base64 hash of the consistency proof a line, an empty line, and the
checkpoint. The answer is cosignature lines; 409 says the size that the witness has.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from ciao import notes
from ciao.checkpoint import Checkpoint
from ciao.notes import Note, NoteBroken, VerifierKey
from ciao.tree import EMPTY_ROOT, HASH_SIZE, ProofBroken, verify_consistency

PATH = "/add-checkpoint"
SIZE_TYPE = "text/x.tlog.size"
# 63 hashes prove any tree (C2SP); with them a checkpoint of ours is far below this.
BODY_SIZE_MAX = 64 * 1024
PROOF_MAX = 63


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request: the size that the witness had, the proof from there, the checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Held:
    """What a witness last cosigned of a log."""

    size: int = 0
    root: bytes = EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that is no cosignature: an HTTP status, and for 409 the size that is held."""

    status: int
    why: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Extends:
    """The checkpoint extends what is held: keep this, then cosign the note."""

    held: Held
    note: Note


def encode(request: AddCheckpoint) -> bytes:
    """Write a request's body."""
    hashes = "".join(f"{base64.b64encode(one).decode()}\n" for one in request.proof)
    return f"old {request.old}\n{hashes}\n{request.note}".encode()


def decode(body: bytes) -> AddCheckpoint | Refused:
    """Read a request's body."""
    try:
        head, empty, note = body.decode().partition("\n\n")
        first, *hashes = head.split("\n")
        word, number = first.split(" ")
        if word != "old" or not empty or not _is_size(number) or len(hashes) > PROOF_MAX:
            raise ValueError("not an add-checkpoint request")
        proof = tuple(base64.b64decode(one, validate=True) for one in hashes)
        if any(len(one) != HASH_SIZE for one in proof):
            raise ValueError("a hash of another length")
    except (ValueError, binascii.Error) as error:
        return Refused(400, str(error))
    return AddCheckpoint(int(number), proof, note)


def _is_size(text: str) -> bool:
    digits = text.isascii() and text.isdigit() and len(text) <= 16
    return digits and (text == "0" or text[0] != "0")


def origin_of(request: AddCheckpoint) -> str:
    """Return which log a request is about, by what it says itself."""
    return request.note.partition("\n")[0]


def judge(request: AddCheckpoint, keys: Sequence[VerifierKey], held: Held) -> Extends | Refused:
    """Decide on a checkpoint of a log that is known; `keys` are those that may sign for it."""
    try:
        note = notes.parse(request.note)
        if not notes.signed_by_any(note, keys):
            raise NoteBroken("not signed by the log")
        checkpoint = Checkpoint.parse(note.text)
    except NoteBroken as error:
        return Refused(403, str(error))
    if request.old > checkpoint.size:
        return Refused(400, "the old size is beyond the checkpoint")
    if request.old != held.size:
        return Refused(409, "another size is held", held.size)
    if held.size == checkpoint.size and held.root != checkpoint.root:
        return Refused(409, "another tree of this size is held", held.size)
    try:
        _extends(held, checkpoint, request.proof)
    except ProofBroken as error:
        return Refused(422, str(error))
    return Extends(Held(checkpoint.size, checkpoint.root), note)


def _extends(held: Held, checkpoint: Checkpoint, proof: tuple[bytes, ...]) -> None:
    """From the empty tree everything follows, without a proof (RFC 6962 2.1.2 has none)."""
    if held.size:
        verify_consistency(held.size, checkpoint.size, proof, held.root, checkpoint.root)
    elif proof or (checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT):
        raise ProofBroken("nothing is to be proven from the empty tree")


def signatures(note: Note) -> bytes:
    """Write the last signature of a note as the answer."""
    alone = Note(note.text, note.signatures[-1:]).encode()
    return alone.removeprefix(note.text + "\n").encode()


def cosignature(answer: bytes, note: str, key: VerifierKey) -> str:
    """Put a witness's answer under a note; raise NoteBroken unless it is that witness's."""
    try:
        grown = notes.parse(note + answer.decode())
    except UnicodeDecodeError as error:
        raise NoteBroken("an answer that is not UTF-8") from error
    notes.cosignature_time(grown, key)
    own = [s for s in grown.signatures if (s.name, s.key_id) == (key.name, key.key_id)]
    return notes.parse(note).plus(own[-1]).encode()
