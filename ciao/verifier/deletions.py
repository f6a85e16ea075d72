"""What gateways' own journals say was deleted on purpose: each entry by itself, proven. Pure.

It may have been written years after the period of the bundle; so it comes with an inclusion proof
instead of all that lies between (decision 39).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ciao import notes
from ciao.checkpoint import Checkpoint
from ciao.entries import Deletion, LeafBroken
from ciao.evidence import facts
from ciao.evidence.lines import DELETIONS, DeletionLine
from ciao.names import GATEWAY_PREFIX, Origin
from ciao.tree import leaf_hash, verify_inclusion
from ciao.verifier.findings import Findings, Place, at
from ciao.verifier.policy import Policy
from ciao.verifier.seen import cosigned
from ciao.verifier.trust import Trust


@dataclass(slots=True)
class Deletions:
    """Of each log, which entries' payloads a gateway deleted: (first, last, when), in order.

    `whole` are the logs that it deleted whole, and when.
    """

    of: dict[str, list[tuple[int, int, str]]] = field(default_factory=lambda: defaultdict(list))
    whole: dict[str, str] = field(default_factory=dict)

    def when(self, origin: str, seq: int) -> str | None:
        """Say when an entry's payload was deleted; None where nothing says that it was."""
        known = self.of.get(origin, [])
        index = bisect_right(known, (seq, 1 << 62, "")) - 1
        if index < 0 or known[index][1] < seq:
            return None
        return known[index][2]

    def split(self, origin: str, first: int, last: int) -> Iterator[tuple[int, int, str | None]]:
        """Cut a range where what is said of it changes: (first, last, when)."""
        at = first
        for start, end, when in self.of.get(origin, []):
            if end < at or start > last:
                continue
            if start > at:
                yield at, start - 1, None
            yield max(at, start), min(end, last), when
            at = end + 1
        if at <= last:
            yield at, last, None


def read(
    lines: Iterable[DeletionLine], trusted: Trust, policy: Policy, findings: Findings
) -> Deletions:
    """Read what the bundle brings; what is not proven counts for nothing, and is said."""
    speaks = defaultdict(set)
    for signed in trusted.bindings.values():
        for gateway in signed.binding.gateways:
            speaks[signed.binding.terminal].add(GATEWAY_PREFIX + gateway.id)
    found = Deletions()
    for number, line in enumerate(lines, 1):
        place = at("line", file=DELETIONS, line=number)
        try:
            journal, entry, when = _proven(line, trusted, policy, findings, place)
            for part in entry.ranges:
                _belongs(part.origin, journal, speaks)
        except (LeafBroken, ValueError):
            findings.fail("deletion", place)
            continue
        for part in entry.ranges:
            if entry.why == "segment":
                found.whole[part.origin] = when
            elif entry.why == "retention":
                found.of[part.origin].append((part.first, part.last, when))
    for known in found.of.values():
        known.sort()
    for origin, when in found.whole.items():
        findings.unknown("deleted_log", at("log_deleted", origin=origin, when=when))
    return found


def _proven(
    line: DeletionLine, trusted: Trust, policy: Policy, findings: Findings, place: Place
) -> tuple[Origin, Deletion, str]:
    """Return whose journal it is, the entry, and when it was; raise ValueError where not proven."""
    origin = Checkpoint.parse(notes.parse(line.note).text).origin
    journal = Origin.parse(origin)
    key = trusted.log_key(origin, line.certificate)
    if key is None or not journal.owner.startswith(GATEWAY_PREFIX):
        raise ValueError("not a gateway's own journal")
    seen = cosigned(line.note, key, policy, findings, place)
    if seen is None:
        raise ValueError("not signed by its log")
    if policy.journals and not seen.witnessed:
        findings.unknown("unwitnessed", place)
    leaf = line.leaf.encode()
    proof = [bytes.fromhex(part) for part in line.proof]
    verify_inclusion(line.seq, seen.size, leaf_hash(leaf), proof, seen.root)
    read_leaf = facts.read(leaf)
    if not isinstance(read_leaf.entry, Deletion) or read_leaf.seq != line.seq:
        raise ValueError("another entry")
    return journal, read_leaf.entry, read_leaf.entry.at


def _belongs(origin: str, journal: Origin, speaks: dict[str, set[str]]) -> None:
    """A gateway speaks of the terminals alone whose bindings name it; raise ValueError."""
    named = speaks.get(Origin.parse(origin).owner)
    if named is not None and journal.owner not in named:
        raise ValueError("of a terminal that is not this gateway's")
