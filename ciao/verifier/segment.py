"""One log of a bundle: its entries and its cosigned checkpoints, walked through together. Pure.

The tree is grown entry by entry from the edge that the bundle gives; at each checkpoint its root
must be the one that was cosigned. That the edge is the right one follows from the first root that
agrees. Nothing is kept of an entry that was passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ciao.entries import Heartbeat, LeafBroken
from ciao.entries import Segment as Head
from ciao.evidence import facts
from ciao.evidence.facts import Facts
from ciao.evidence.lines import CheckpointLine, ClaimLine, EarlierLine, NoteLine, Row, SegmentLine
from ciao.notes import VerifierKey
from ciao.tree import Frontier, ProofBroken, leaf_hash, verify_consistency
from ciao.verifier import timing
from ciao.verifier.ahead import Ahead
from ciao.verifier.findings import Findings, Place, at, row_place
from ciao.verifier.named import Named
from ciao.verifier.policy import Policy
from ciao.verifier.seen import Seen, add_times, cosigned, own_checkpoint
from ciao.verifier.timing import Verdict


@dataclass(frozen=True, slots=True)
class Passed:
    """An entry that was passed: its row, what it says, and what is proven of its time.

    `claimed` where it lies behind the last cosigned checkpoint.
    """

    row: Row
    facts: Facts
    verdict: Verdict
    claimed: bool


@dataclass(slots=True)
class Segment:
    """One log while it is walked through, and how it ended.

    `first_moment_s`: the first moment at which all before its first row is known to have been.
    `moment_before` says when a checkpoint of the log before, by its SHA-256, had been cosigned.
    """

    header: SegmentLine
    key: VerifierKey
    policy: Policy
    findings: Findings
    named: Named = field(default_factory=Named)
    frontier: Frontier = field(init=False)
    place: Place = field(init=False)
    first_moment_s: int | None = None
    last: Seen | None = None
    # How far an outside witness saw it, where the policy asks for one.
    witnessed: int = 0
    seen: Callable[[str], None] = lambda sha256: None
    moment_before: Callable[[str], int | None] = lambda sha256: None
    # Who cosigned, the first and the last time (Unix seconds).
    cosigners: dict[str, tuple[int, int]] = field(default_factory=dict)
    sound: bool = True
    _lower_s: int | None = None
    _next: Seen | None = None
    _claim: Seen | None = None

    def __post_init__(self) -> None:
        """Take the edge of the tree as it is given; the first root will tell."""
        self.place = at("log", origin=self.header.origin)
        edge = tuple(bytes.fromhex(peak) for peak in self.header.edge)
        self.frontier = Frontier(self.header.first, edge)

    def walk(self, lines: Ahead[CheckpointLine], rows: Ahead[Row]) -> Iterator[Passed]:
        """Walk to the log's end, and say what each entry is; failures are said on the way."""
        if len(self.header.edge) != self.header.first.bit_count():
            self.broken("form", at("edge", origin=self.header.origin))
        self._earlier(lines)
        self._next = self._take(lines)
        self._reached(lines)
        while (row := rows.peek) is not None and row.origin == self.header.origin:
            rows.take()
            passed = self._entry(row) if self.sound else None
            if passed is not None:
                self._reached(lines)
                yield passed
        self._ended(lines)

    def broken(self, code: str, place: Place) -> None:
        """Something fails after which nothing more can be said of this log."""
        self.findings.fail(code, place)
        self.sound = False

    def _earlier(self, lines: Ahead[CheckpointLine]) -> None:
        """Checkpoints of sizes before the first row, which the first rows may name."""
        while isinstance(line := lines.peek, EarlierLine):
            lines.take()
            seen = self._cosigned(line.note)
            if seen is None:
                continue
            try:
                proof = [bytes.fromhex(part) for part in line.proof]
                root = self.frontier.root()
                verify_consistency(seen.size, self.header.first, proof, seen.root, root)
            except ProofBroken:
                self.findings.fail("proof", self.place.sized(seen.size))
                continue
            self._remember(seen)

    def _entry(self, row: Row) -> Passed | None:
        place = row_place(row)
        claimed = row.seq >= self.header.end
        if row.seq != self.frontier.size:
            self.broken("row_order", place)
            return None
        leaf = row.leaf.encode()
        try:
            found = facts.read(leaf)
            if found.seq != row.seq:
                raise ValueError("another sequence number")
            if isinstance(found.entry, Head) and found.seq and found.carried is None:
                raise ValueError("a beginning in the midst")
        except (LeafBroken, ValueError):
            self.broken("leaf", place)
            return None
        self.frontier, _ = self.frontier.append(leaf_hash(leaf))
        return Passed(row, found, self._judged(found, place), claimed)

    def _judged(self, found: Facts, place: Place) -> Verdict:
        """Bracket an entry; a carried one only where it was first written."""
        if found.carried is not None:
            return "undated"
        self._after(self._named(found, place))
        upper_s = self._next.moment_s if self._next else None
        verdict = timing.judge(found, self._lower_s, upper_s)
        if verdict in ("too_early", "too_late"):
            self.findings.fail(verdict, place)
        elif verdict == "proven" and (upper_s or 0) - (self._lower_s or 0) > timing.CLOSE_S:
            self.findings.unknown("wide", place)
        return verdict

    def _named(self, found: Facts, place: Place) -> int | None:
        """When the checkpoint was cosigned that an entry names: it was written after that."""
        match found.entry:
            case Heartbeat(note=str(sha256)):
                named = self.named.name(sha256)
                if named is None:
                    self.findings.fail("note_missing", place)
                return named.moment_s if named else None
            case Head(previous=before) if before is not None and before.note is not None:
                return self.moment_before(before.note)
        return None

    def _after(self, moment_s: int | None) -> None:
        if moment_s is not None:
            self._lower_s = max(self._lower_s or 0, moment_s)

    def _reached(self, lines: Ahead[CheckpointLine]) -> None:
        """Compare the tree with every checkpoint of the size that it has now."""
        while self._next is not None and self._next.size <= self.frontier.size:
            seen = self._next
            place = self.place.sized(seen.size)
            if seen.size < self.frontier.size:
                self.findings.fail("note_order", place)
            elif seen.root != self.frontier.root():
                self._next = self._take(lines)
                self.broken("fork" if self._twice(seen.size) else "root", place)
                return
            elif seen.sha256 in self.named.kept:
                self.findings.fail("note_order", place)
            else:
                self._remember(seen)
                self.last = seen
            self._next = self._take(lines)

    def _twice(self, size: int) -> bool:
        """Whether the log also signed the tree that the rows do lead to, beside this one."""
        both = [seen for seen in (self.last, self._next) if seen is not None and seen.size == size]
        return any(seen.root == self.frontier.root() for seen in both)

    def _remember(self, seen: Seen) -> None:
        add_times(self.cosigners, {name: (at, at) for name, at in seen.cosigners.items()})
        self.seen(seen.sha256)
        if seen.witnessed:
            self.witnessed = max(self.witnessed, seen.size)
        if seen.moment_s is not None and seen.size >= self.header.first:
            before = self.first_moment_s
            self.first_moment_s = min(before, seen.moment_s) if before else seen.moment_s
        if not self.named.add(seen):
            self.broken("form", at("unnamed", origin=self.header.origin))

    def _take(self, lines: Ahead[CheckpointLine]) -> Seen | None:
        """Read the log's next checkpoint."""
        while isinstance(line := lines.peek, NoteLine):
            lines.take()
            seen = self._cosigned(line.note)
            if seen is None:
                continue
            if not self.header.first <= seen.size <= self.header.end:
                self.findings.fail("note_order", self.place.sized(seen.size))
                continue
            return seen
        return None

    def _cosigned(self, note: str) -> Seen | None:
        return cosigned(note, self.key, self.policy, self.findings, self.place)

    def _ended(self, lines: Ahead[CheckpointLine]) -> None:
        """The rows of this log are through: did they reach what was said?"""
        end = self.header.end
        while self._next is not None:
            if self.sound:
                self.findings.fail("end", self.place.sized(self._next.size))
            self.sound = False
            self._next = self._take(lines)
        if isinstance(line := lines.peek, ClaimLine):
            lines.take()
            self._claim = own_checkpoint(line.note, self.key, self.findings, self.place)
        if not self.sound:
            return
        reached = self.last.size if self.last is not None else 0
        if reached != end or self.frontier.size < end:
            self.broken("end", self.place.sized(end))
        elif self._claim is not None and self._claim.size == self.frontier.size:
            if self._claim.root != self.frontier.root():
                self.broken("root", self.place.sized(self._claim.size))
        elif self._claim is not None or self.frontier.size > end:
            self.broken("beyond", self.place.sized(self.frontier.size))
