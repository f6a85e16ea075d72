"""The Merkle tree of RFC 6962 (RFC 9162 section 2), grown one leaf at a time.

A log stores, beside leaf n, the hashes of the subtrees that leaf n completes: level 0 (the
leaf itself) upward, 32 bytes each. Nothing is ever rewritten, and the root of any size, a
proof, and the frontier for a restart are each a few reads. `Subtree` is that read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

# (level, index) -> hash of the complete subtree over leaves [index << level, (index+1) << level)
Subtree = Callable[[int, int], bytes]


class ProofBroken(ValueError):
    """A proof does not show what it claims."""


def leaf_hash(leaf: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ leaf), 32 bytes (RFC 6962 2.1)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 ‖ left ‖ right), 32 bytes (RFC 6962 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree: the complete subtrees that cover it, largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, hashed: bytes) -> tuple[Frontier, bytes]:
        """Add a leaf by its hash; return the new edge and the hashes completed, concatenated."""
        completed = [hashed]
        peaks = list(self.peaks)
        size = self.size
        while size & 1:
            completed.append(node_hash(peaks.pop(), completed[-1]))
            size >>= 1
        peaks.append(completed[-1])
        return Frontier(self.size + 1, tuple(peaks)), b"".join(completed)

    def root(self) -> bytes:
        """Return the root over all leaves so far."""
        return _fold(self.peaks)


def _fold(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def completed_by(level: int, index: int) -> tuple[int, int]:
    """Say where a subtree's hash is stored: the leaf that completes it, and the byte offset."""
    return ((index + 1) << level) - 1, level * HASH_SIZE


def frontier_at(size: int, subtree: Subtree) -> Frontier:
    """Read the right edge of the tree of `size` leaves: at most one read a bit of `size`."""
    return Frontier(size, tuple(_cover(0, size, subtree)))


def _cover(start: int, end: int, subtree: Subtree) -> list[bytes]:
    """Read the complete subtrees that cover leaves [start, end), left to right."""
    hashes = []
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        hashes.append(subtree(level, start >> level))
        start += 1 << level
    return hashes


def root_at(size: int, subtree: Subtree) -> bytes:
    """Return the root the tree had when it was `size` leaves long."""
    return _fold(_cover(0, size, subtree))


def _range_hash(start: int, end: int, subtree: Subtree) -> bytes:
    return _fold(_cover(start, end, subtree))


def _split(size: int) -> int:
    """The largest power of two smaller than `size` (RFC 6962 2.1)."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """Return the audit path of leaf `index` in the tree of `size` leaves (RFC 6962 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_hash(middle, end, subtree))
            end = middle
        else:
            path.append(_range_hash(start, middle, subtree))
            start = middle
    return path[::-1]


def consistency_proof(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """Return the proof that the tree of `new` leaves extends that of `old` (RFC 6962 2.1.2)."""
    if not 0 < old <= new:
        raise ValueError(f"no proof from {old} to {new}")
    start, end, whole, path = 0, new, True, []
    while old < end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range_hash(middle, end, subtree))
            end = middle
        else:
            path.append(_range_hash(start, middle, subtree))
            start, whole = middle, False
    if not whole:
        path.append(_range_hash(start, end, subtree))
    return path[::-1]


def verify_inclusion(
    index: int, size: int, hashed: bytes, path: Sequence[bytes], root: bytes
) -> None:
    """Raise ProofBroken unless `path` shows the leaf hash under `root` (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        raise ProofBroken("the leaf is outside the tree")
    first, second, computed = index, size - 1, hashed
    for sibling in path:
        if second == 0:
            raise ProofBroken("the proof is too long")
        if first & 1 or first == second:
            computed = node_hash(sibling, computed)
            while not first & 1 and first:
                first, second = first >> 1, second >> 1
        else:
            computed = node_hash(computed, sibling)
        first, second = first >> 1, second >> 1
    if second or computed != root:
        raise ProofBroken("the proof does not lead to the root")


def verify_consistency(
    old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Raise ProofBroken unless `path` shows that one root extends the other (RFC 9162 2.1.4.2)."""
    if not 0 < old <= new:
        raise ProofBroken("the sizes are the wrong way round")
    if old == new:
        if path or old_root != new_root:
            raise ProofBroken("one size, two roots")
        return
    hashes = list(path)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        raise ProofBroken("the proof is empty")
    first, second = old - 1, new - 1
    while first & 1:
        first, second = first >> 1, second >> 1
    from_old = from_new = hashes[0]
    for sibling in hashes[1:]:
        if second == 0:
            raise ProofBroken("the proof is too long")
        if first & 1 or first == second:
            from_old = node_hash(sibling, from_old)
            from_new = node_hash(sibling, from_new)
            while not first & 1 and first:
                first, second = first >> 1, second >> 1
        else:
            from_new = node_hash(from_new, sibling)
        first, second = first >> 1, second >> 1
    if second or from_old != old_root or from_new != new_root:
        raise ProofBroken("the proof does not lead to both roots")
