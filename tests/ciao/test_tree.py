"""The Merkle tree, held to the Certificate Transparency reference tree and to its definition."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ciao import tree
from ciao.tree import EMPTY_ROOT, HASH_SIZE, Frontier, ProofBroken, leaf_hash

# The tree that Certificate Transparency implementations share as their test data.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# (leaf index, tree size, audit path)
INCLUSION = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
# (old size, new size, proof)
CONSISTENCY = [
    (1, 1, []),
    (1, 8, INCLUSION[1][2]),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
SIZE_MAX = 70


class Stored:
    """What a log keeps: beside leaf n, the hashes that it completes."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.rows: list[bytes] = []
        self.edges = [Frontier()]
        for leaf in leaves:
            edge, completed = self.edges[-1].append(leaf_hash(leaf))
            self.rows.append(completed)
            self.edges.append(edge)

    def subtree(self, level: int, index: int) -> bytes:
        leaf, offset = tree.completed_by(level, index)
        hashed = self.rows[leaf][offset : offset + HASH_SIZE]
        assert len(hashed) == HASH_SIZE, "asked for a subtree that is not complete"
        return hashed


def root_by_definition(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    left, right = root_by_definition(leaves[:half]), root_by_definition(leaves[half:])
    return hashlib.sha256(b"\x01" + left + right).digest()


GROWN = [b"leaf %d" % number for number in range(SIZE_MAX)]
LOG = Stored(GROWN)
REFERENCE = Stored(LEAVES)


def test_the_reference_tree_has_its_published_roots() -> None:
    assert [edge.root().hex() for edge in REFERENCE.edges] == ROOTS
    assert [tree.root_at(size, REFERENCE.subtree).hex() for size in range(9)] == ROOTS
    assert EMPTY_ROOT.hex() == ROOTS[0]


@pytest.mark.parametrize(("index", "size", "path"), INCLUSION)
def test_the_published_inclusion_proofs(index: int, size: int, path: list[str]) -> None:
    proof = tree.inclusion_proof(index, size, REFERENCE.subtree)
    assert [step.hex() for step in proof] == path
    root = bytes.fromhex(ROOTS[size])
    tree.verify_inclusion(index, size, leaf_hash(LEAVES[index]), proof, root)


@pytest.mark.parametrize(("old", "new", "path"), CONSISTENCY)
def test_the_published_consistency_proofs(old: int, new: int, path: list[str]) -> None:
    proof = tree.consistency_proof(old, new, REFERENCE.subtree)
    assert [step.hex() for step in proof] == path
    tree.verify_consistency(old, new, proof, bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new]))


def test_every_earlier_root_and_edge_is_had_from_what_is_stored() -> None:
    for size in range(SIZE_MAX + 1):
        expected = root_by_definition(GROWN[:size])
        assert LOG.edges[size].root() == expected
        assert tree.root_at(size, LOG.subtree) == expected
        assert tree.frontier_at(size, LOG.subtree) == LOG.edges[size]


def test_a_restart_reads_at_most_one_hash_a_bit() -> None:
    reads: list[tuple[int, int]] = []

    def counted(level: int, index: int) -> bytes:
        reads.append((level, index))
        return bytes(HASH_SIZE)

    tree.frontier_at(5_000_000, counted)
    assert len(reads) == (5_000_000).bit_count()


def test_every_proof_between_all_sizes_holds() -> None:
    for size in range(1, SIZE_MAX + 1):
        root = LOG.edges[size].root()
        for index in range(size):
            path = tree.inclusion_proof(index, size, LOG.subtree)
            tree.verify_inclusion(index, size, leaf_hash(GROWN[index]), path, root)
        for old in range(1, size + 1):
            path = tree.consistency_proof(old, size, LOG.subtree)
            tree.verify_consistency(old, size, path, LOG.edges[old].root(), root)


def test_what_is_stored_beside_five_million_leaves_is_two_hashes_each() -> None:
    assert sum(len(row) for row in LOG.rows) < 2 * HASH_SIZE * SIZE_MAX


sizes = st.integers(1, SIZE_MAX)


@given(sizes, st.data())
def test_an_altered_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    root = LOG.edges[size].root()
    hashed = leaf_hash(GROWN[index])
    path = tree.inclusion_proof(index, size, LOG.subtree)
    for broken in broken_paths(path, data):
        with pytest.raises(ProofBroken):
            tree.verify_inclusion(index, size, hashed, broken, root)
    with pytest.raises(ProofBroken):
        tree.verify_inclusion(index, size, leaf_hash(b"another"), path, root)
    other = data.draw(st.integers(-1, SIZE_MAX).filter(lambda i: i != index))
    with pytest.raises(ProofBroken):
        tree.verify_inclusion(other, size, hashed, path, root)
    with pytest.raises(ProofBroken):
        tree.verify_inclusion(index, size, hashed, path, bytes(HASH_SIZE))


@given(sizes, st.data())
def test_an_altered_consistency_proof_is_refused(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    roots = LOG.edges[old].root(), LOG.edges[new].root()
    path = tree.consistency_proof(old, new, LOG.subtree)
    for broken in broken_paths(path, data):
        with pytest.raises(ProofBroken):
            tree.verify_consistency(old, new, broken, *roots)
    with pytest.raises(ProofBroken):
        tree.verify_consistency(old, new, path, bytes(HASH_SIZE), roots[1])
    with pytest.raises(ProofBroken):
        tree.verify_consistency(old, new, path, roots[0], bytes(HASH_SIZE))


@given(sizes, st.data())
def test_a_proof_for_one_size_proves_nothing_for_another_depth(
    size: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = tree.inclusion_proof(index, size, LOG.subtree)
    deeper = 2 ** (size - 1).bit_length() + size
    with pytest.raises(ProofBroken):
        tree.verify_inclusion(index, deeper, leaf_hash(GROWN[index]), path, LOG.edges[size].root())


def broken_paths(path: list[bytes], data: st.DataObject) -> list[list[bytes]]:
    """The path with one more step, one less, and one bit of one step turned."""
    broken = [[*path, bytes(HASH_SIZE)], [bytes(HASH_SIZE), *path]]
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        turned = bytes([path[at][0] ^ 1]) + path[at][1:]
        broken += [path[:-1], path[1:], [*path[:at], turned, *path[at + 1 :]]]
    return broken


def test_questions_outside_the_tree_are_refused() -> None:
    with pytest.raises(ValueError, match="no leaf 3 in a tree of 3"):
        tree.inclusion_proof(3, 3, LOG.subtree)
    with pytest.raises(ValueError, match="no proof from 0 to 3"):
        tree.consistency_proof(0, 3, LOG.subtree)
    with pytest.raises(ValueError, match="no proof from 4 to 3"):
        tree.consistency_proof(4, 3, LOG.subtree)
    with pytest.raises(ProofBroken, match="wrong way round"):
        tree.verify_consistency(4, 3, [], bytes(32), bytes(32))


def test_a_fork_of_one_size_is_refused() -> None:
    with pytest.raises(ProofBroken, match="one size, two roots"):
        tree.verify_consistency(3, 3, [], LOG.edges[3].root(), LOG.edges[4].root())
