"""The chain of segments that is one terminal's journal, in one directory.

Files are `<number>-<segment id>.db`; the newest is written, the others are kept. Entries count
from 0 in each segment; (origin, seq) is an entry's identity from the tap to the ONSS.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ciao import canonical, entries
from ciao.certificate import certify, is_certified
from ciao.checkpoint import Checkpoint
from ciao.entries import Deletion, Entry, Segment, SegmentReason, SeqRange
from ciao.journal.files import (
    SUFFIXES,
    Connect,
    StoreDamaged,
    StoreFailed,
    connect_sqlite,
    converted,
)
from ciao.journal.legacy import (
    Legacy,
    carried,
    ended,
    kept_note,
    legacy_of,
    notes_named,
    salvage,
)
from ciao.journal.older import OlderSegment
from ciao.journal.retention import forgettable_below
from ciao.journal.store import Row, SegmentStore
from ciao.keys import RandomBytes, new_signing_key
from ciao.names import Origin
from ciao.notes import Signer, VerifierKey
from ciao.reading import Reading
from ciao.tree import root_at

SEGMENT_ID_SIZE = 8
# So that a `deletion` fits a leaf, whatever the length of the origin.
RANGES_MAX = 8
# How many entries' payloads go at once: nobody's tap waits longer for it than for a batch.
FORGOTTEN_MAX = 10_000
_FILE = re.compile(r"[0-9]{4}-[0-9a-f]{16}\.db")
_DAMAGED = ".damaged"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose journal it is: its origins' names, the key that certifies, and those before that."""

    domain: str
    name: str
    enrolled: Signer
    before: Sequence[VerifierKey] = ()

    @property
    def keys(self) -> list[VerifierKey]:
        """Every key that certifies its segments, or did."""
        return [self.enrolled.verifier(), *self.before]


class Journal:
    """The whole journal, open for appending. Commit, then tell: `append` returns when durable.

    `damaged` is set when the current segment turns out not to be what was written; `recover`
    then carries on in another.
    """

    def __init__(
        self,
        directory: Path,
        owner: Owner,
        random_bytes: RandomBytes,
        firmware: str,
        connect: Connect = connect_sqlite,
    ) -> None:
        self._directory = directory
        self._owner = owner
        self._random_bytes = random_bytes
        self._firmware = firmware
        self._connect = connect
        self._number = 0
        self._segment: SegmentStore | None = None
        self._wrecks: list[Legacy] = []
        self.damaged = False

    def open(self, now: Reading, predecessor: str | None = None) -> SegmentReason | None:
        """Open the newest segment, or begin one; return why, where one was begun.

        A segment that is damaged is put aside, never deleted; what can be read of its unreceipted
        tail goes into a new one, and where something can't, the tail of the one before it as well.
        `predecessor` is the last cosigned note of the hardware that this one replaces. Raises
        StoreFailed, with nothing put aside, where the disk does not let a file be opened or
        written now.
        """
        try:
            with converted(self._directory):
                return self._open(now, predecessor)
        except StoreFailed:
            self.close()
            raise

    @property
    def is_open(self) -> bool:
        """Whether there is a segment to append to."""
        return self._segment is not None

    @property
    def current(self) -> SegmentStore:
        """The segment that is written."""
        if self._segment is None:
            raise StoreFailed("the journal is not open")
        return self._segment

    @property
    def origin(self) -> str:
        """The current segment's name."""
        return self.current.origin

    @property
    def size(self) -> int:
        """The next sequence number in the current segment."""
        return self.current.size

    @property
    def settled(self) -> int:
        """How many entries of the current segment a receipt covers."""
        return self.current.settled

    @property
    def certificate(self) -> str:
        """The current segment's certificate."""
        return self.current.certificate

    @property
    def log_key(self) -> VerifierKey:
        """The public key that signs the current segment's checkpoints."""
        return self.current.signer.verifier()

    def origins(self) -> set[str]:
        """Every origin of the chain: of each segment kept, and those that their entries 0 name.

        Opens every file of the chain: for the rare receipt of another origin than ours.
        """
        known = {self._origin(path.name[5:21]) for path in self._files() if path.suffix == ".db"}
        for segment in self._chain():
            (first,) = segment.rows(0, 1)
            head = canonical.decode(first.leaf, entries.LEAF_SIZE_MAX)
            known |= {head["previous"]["origin"]} if "previous" in head else set()
        return known

    def older(self, origin: str) -> OlderSegment | None:
        """Open another segment of the chain to send from; None where it is not on this disk.

        Raises StoreDamaged where nothing of it can be signed any more.
        """
        for path in self._files():
            if path != self.current.path and self._origin(path.name[5:21]) == origin:
                return OlderSegment.open(path, origin, self._owner.keys)
        return None

    def append(self, entry: Entry, payload: bytes | None = None) -> None:
        """Add the next entry; when this returns it is durable. Raise StoreFailed."""
        assert entry.seq == self.size, "an entry out of sequence"
        named = entry.note if isinstance(entry, entries.Heartbeat) else None
        with self._noticing():
            try:
                self.current.append(entries.encode(entry), payload, named)
            except StoreFailed:
                # It may be there all the same: what counts is what the file says now.
                self.current.reload()
                raise

    def rows(self, start: int, end: int) -> Iterator[Row]:
        """Read entries [start, end) of the current segment; raise StoreFailed."""
        with self._noticing():
            yield from self.current.rows(start, end)

    def check(self, start: int, end: int) -> None:
        """Read entries [start, end) and the tree above them; raise StoreDamaged."""
        with self._noticing():
            self.current.check(start, end)

    def backlog(self) -> int:
        """Count the taps and refusals that no receipt covers."""
        with self._noticing():
            return self.current.backlog()

    def root(self, size: int) -> bytes:
        """Return the root the current segment's tree had at a size."""
        with self._noticing():
            return root_at(size, self.current.subtree)

    def checkpoint(self, size: int) -> str:
        """Sign the current segment's checkpoint of a size."""
        text = Checkpoint(self.origin, size, self.root(size)).text()
        return self.current.signer.sign(text).encode()

    def settle(self, note: str, size: int) -> None:
        """Keep a receipt that was checked: entries below `size` are safe elsewhere."""
        if size > self.settled:
            with self._noticing():
                self.current.keep_note(note, size)

    def newest_note(self) -> str | None:
        """Return the newest cosigned note held for the current segment."""
        with self._noticing():
            found = self.current.newest_note()
        return found.note if found else None

    def notes_named(self, rows: Iterable[Row]) -> list[str]:
        """Return the cosigned notes that entries of the current segment name."""
        with self._noticing():
            return [kept.note for kept in notes_named(self.current.note, rows)]

    def begin(self, why: SegmentReason, now: Reading, witness: str | None = None) -> None:
        """Begin a segment: entry 0 and the whole unreceipted tail of the last, in one commit.

        `witness` is a cosigned note, already checked, of more than our own disk holds.
        """
        left = self._left()
        signer = Signer(
            self._origin(self._random_bytes(SEGMENT_ID_SIZE).hex()),
            new_signing_key(self._random_bytes),
        )
        previous = ended(left, witness)
        head = Segment(
            **entries.common(now, 0), why=why, firmware=self._firmware, previous=previous
        )
        rows = [Row(0, entries.encode(head), None), *carried(left, 1)]
        rows += _named_as_lost(left, now, len(rows))
        kept = [kept_note(witness)] if witness else []
        kept += [note for legacy in left for note in legacy.kept]
        self._number += 1
        path = self._directory / f"{self._number:04d}-{Origin.parse(signer.name).segment}.db"
        certificate = certify(self._owner.enrolled, signer.verifier())
        fresh = SegmentStore.create(path, signer, certificate, rows, kept, self._connect)
        if self._segment is not None:
            self._segment.close()
        self._segment, self._wrecks, self.damaged = fresh, [], False

    def recover(self, now: Reading) -> None:
        """Put the damaged current segment aside, and carry on in another; raise StoreFailed.

        The new one is durable before the old one is touched.
        """
        wreck = self.current.path
        self.begin("damaged", now)
        with converted(wreck):
            self._quarantine(wreck)

    def forgettable(self, now: datetime) -> list[SeqRange]:
        """Say whose payloads have been in custody for 30 days, oldest first, a portion at a time.

        `now` must be a synced clock's. What an old segment handed over unreceipted goes when the
        segment that took it over is settled that long.
        """
        ends: list[tuple[SegmentStore, int]] = []
        for segment in self._chain():
            start = segment.payloads_from
            below = max(start, forgettable_below(segment.notes_from(start), now))
            if ends and below > (before := ends[-1][0]).size - before.settled:
                ends[-1] = (before, before.size)
            ends.append((segment, below))
        found: list[SeqRange] = []
        room = FORGOTTEN_MAX
        for segment, below in ends:
            start, end = segment.payloads_from, min(below, segment.payloads_from + room)
            if end > start and len(found) < RANGES_MAX:
                found.append(SeqRange(segment.origin, start, end - 1))
                room -= end - start
        return found

    def forget(self, ranges: Sequence[SeqRange]) -> None:
        """Delete these payloads, which an entry must have said before; raise StoreFailed."""
        wanted = {part.origin: part.last + 1 for part in ranges}
        with self._noticing():
            for segment in self._chain():
                if segment.origin in wanted:
                    segment.forget_payloads(wanted[segment.origin])

    def close(self) -> None:
        """Let the files go."""
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    def _open(self, now: Reading, predecessor: str | None) -> SegmentReason | None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._wrecks = []
        for path in sorted(self._files(), reverse=True):
            self._number = max(self._number, int(path.name[:4]))
            # Put aside already, perhaps by a start that did not get as far as the next segment.
            found = path if path.suffix == _DAMAGED else self._opened(path)
            if isinstance(found, SegmentStore):
                self._segment = found
                break
            if found is not None:
                wreck = salvage(found, self._origin(path.name[5:21]))
                self._wrecks.append(wreck)
                if wreck.ending and not wreck.lost:
                    break
        why: SegmentReason = "replaced" if predecessor else "new"
        if self._wrecks:
            why, predecessor = "damaged", None
        elif self._segment is not None:
            return None
        self.begin(why, now, predecessor)
        return why

    def _opened(self, path: Path) -> SegmentStore | Path | None:
        """Open a file: the segment, where it was put aside, or None where nothing was in it."""
        try:
            found = SegmentStore.open(path, self._connect)
        except StoreDamaged:
            return self._quarantine(path)
        if found is None:
            path.unlink()
        elif not self._is_ours(found):
            found.close()
            return self._quarantine(path)
        return found

    def _is_ours(self, segment: SegmentStore) -> bool:
        """Say whether a key of ours certified this name and log key; else nobody takes it."""
        return is_certified(segment.certificate, segment.signer.verifier(), self._owner.keys)

    def _chain(self) -> Iterator[SegmentStore]:
        """Open each segment that is there and sound, oldest first; the last is the current one."""
        for path in sorted(self._files()):
            if path.suffix == _DAMAGED or path == self.current.path:
                continue
            try:
                segment = SegmentStore.open(path, self._connect)
            except StoreFailed:
                continue
            if segment is not None:
                try:
                    yield segment
                finally:
                    segment.close()
        yield self.current

    def _left(self) -> list[Legacy]:
        """What the segments before leave to the next, oldest first."""
        if self._segment is None:
            return self._wrecks[::-1]
        try:
            left = legacy_of(self._segment)
        except StoreDamaged:
            left = salvage(self._segment.path, self._segment.origin, self._segment.frontier)
        return [left, *self._wrecks[::-1]]

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        """Whoever comes upon damage need not be the one who can do something about it."""
        try:
            yield
        except StoreDamaged:
            self.damaged = True
            raise

    def _origin(self, segment_id: str) -> str:
        return str(Origin(self._owner.domain, self._owner.name, segment_id))

    def _files(self) -> list[Path]:
        """The segments, and those put aside; not what SQLite keeps beside a file."""
        with converted(self._directory):
            found = list(self._directory.iterdir())
        return [path for path in found if _FILE.fullmatch(path.name.removesuffix(_DAMAGED))]

    def _quarantine(self, path: Path) -> Path:
        for suffix in SUFFIXES:
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(path.with_name(f"{path.name}{_DAMAGED}{suffix}"))
        return path.with_name(path.name + _DAMAGED)


def _named_as_lost(left: Sequence[Legacy], now: Reading, seq: int) -> list[Row]:
    """Write the entries that name what could not be read."""
    lost = [part for legacy in left for part in legacy.lost]
    rows: list[Row] = []
    for first in range(0, len(lost), RANGES_MAX):
        place = seq + len(rows)
        part = lost[first : first + RANGES_MAX]
        entry = Deletion(**entries.common(now, place), ranges=part, why="unreadable")
        rows.append(Row(place, entries.encode(entry), None))
    return rows
