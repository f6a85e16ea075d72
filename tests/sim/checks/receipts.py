"""Trees and cosignatures, by code of their own: RFC 6962 and C2SP as their texts have them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.sim.evidence import Evidence


def receipts_are_proofs(evidence: Evidence) -> Iterator[str]:
    """What a terminal calls settled the gateway signed for, holds, and holds alike."""
    for segment in evidence.segments:
        if segment.note is not None:
            yield from _proof(segment.origin, segment.note, segment.leaves, evidence)
        for older in segment.notes[1:]:
            if not any(_cosigned(older, public) for public in evidence.cosigners):
                yield f"{segment.origin} once settled without a cosignature"
    for origin, note in evidence.receipts.items():
        yield from _proof(origin, note, evidence.leaves[origin], evidence)


def _proof(origin: str, note: str, leaves: Sequence[bytes], evidence: Evidence) -> Iterator[str]:
    named, size_line, root_line = note.split("\n")[:3]
    size = int(size_line)
    if named != origin:
        yield f"{origin} keeps a note of {named}"
    if not any(_cosigned(note, public) for public in evidence.cosigners):
        yield f"{origin} is settled at {size} without a cosignature"
    if len(leaves) < size or _root(leaves[:size]) != base64.b64decode(root_line):
        yield f"{origin} is settled at {size}, which is not its tree"
    if list(leaves[:size]) != evidence.leaves.get(origin, [])[:size] and not _forgotten(evidence):
        yield f"{origin} is settled at {size}, and the two ends differ"


def _forgotten(evidence: Evidence) -> bool:
    """Whether both ends lost their disks: then nobody may be left who has the entries."""
    return evidence.truth.restored and bool(evidence.truth.rolled_back)


def _cosigned(note: str, public: bytes) -> bool:
    """C2SP tlog-cosignature: a line of time and signature over the body."""
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
    """RFC 6962 2.1: slow and plain."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    cut = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + _root(leaves[:cut]) + _root(leaves[cut:])).digest()
