"""A tiny gateway twin: it checks batches against the trees it knows, and cosigns checkpoints."""

from __future__ import annotations

from dataclasses import dataclass, field

from ciao import entries, notes, wire
from ciao.certificate import certified_key
from ciao.checkpoint import Checkpoint
from ciao.entries import seq_of
from ciao.link import Message
from ciao.notes import Signer
from ciao.tree import Frontier, leaf_hash
from tests.terminal.world import COSIGNER, ENROLLED, World, receipt

AT_S = 1_772_427_732


def frontier_of(leaves: list[bytes]) -> Frontier:
    frontier = Frontier()
    for leaf in leaves:
        frontier, _ = frontier.append(leaf_hash(leaf))
    return frontier


@dataclass
class Gateway:
    """What it has stored, by origin; it never forgets."""

    cosigner: Signer = COSIGNER
    stored: dict[str, list[bytes]] = field(default_factory=dict)
    payloads: dict[tuple[str, int], bytes] = field(default_factory=dict)
    gaps: int = 0

    def take(self, batch: wire.Batch) -> Message | None:
        """Store a batch that extends what is known, and return the receipt; None for a gap."""
        key = certified_key(batch.certificate, ENROLLED.verifier())
        assert key.name == batch.origin
        note = notes.parse(batch.checkpoint)
        notes.verify(note, key)
        leaves = self.stored.setdefault(batch.origin, [])
        if batch.start > len(leaves):
            self.gaps += 1
            return None
        grown = leaves[: batch.start] + [leaf.encode() for leaf in batch.leaves]
        assert grown[: len(leaves)] == leaves[: len(grown)], "a fork"
        checkpoint = Checkpoint.parse(note.text)
        assert checkpoint == Checkpoint(batch.origin, batch.end, frontier_of(grown).root())
        assert [seq_of(leaf) for leaf in grown] == list(range(len(grown)))
        if len(grown) > len(leaves):
            self.stored[batch.origin] = grown
        for seq, text in batch.payloads.items():
            self.payloads[batch.origin, int(seq)] = wire.decode_payload(text)
        return receipt(self.cosigner.cosign(note, AT_S).encode(), batch.certificate)

    def serve(self, world: World) -> int:
        """Take everything the terminal has sent, and answer it; return how many batches."""
        batches = world.batches()
        for batch in batches:
            answer = self.take(batch)
            if answer is not None:
                world.do(answer)
        return len(batches)

    def serve_all(self, world: World) -> None:
        """Go on until the terminal has nothing more to send."""
        while self.serve(world):
            pass


def cosigned(world: World, size: int, by: Signer = COSIGNER) -> Message:
    """The receipt for the first `size` entries of the current segment, by this cosigner."""
    note = by.cosign(notes.parse(world.journal.checkpoint(size)), AT_S)
    return receipt(note.encode(), world.journal.current.certificate)


def fill(world: World, count: int) -> None:
    """Add entries of a kind that takes little room."""
    for _ in range(count):
        common = entries.common(world.clock(), world.journal.size)
        world.journal.append(entries.Boot(**common, clean=True))


def counted(world: World) -> dict[str, int]:
    """Wait a minute; the refusals that the next heartbeat tells."""
    world.wait(60_200)
    return [e for e in world.entries() if isinstance(e, entries.Heartbeat)][-1].refused
