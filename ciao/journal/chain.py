"""The chain of segments that is one terminal's journal, in one directory.

Files are `<number>-<segment id>.db`; the newest is written, the others are kept. Entries count
from 0 in each segment; (origin, seq) is an entry's identity from the tap to the ONSS.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ciao import canonical, entries, notes
from ciao.certificate import certify
from ciao.checkpoint import Checkpoint
from ciao.entries import Entry, Previous, Segment, SegmentReason
from ciao.journal.store import (
    SUFFIXES,
    KeptNote,
    Row,
    SegmentStore,
    StoreDamaged,
    StoreFailed,
    note_digest,
)
from ciao.keys import RandomBytes, new_signing_key
from ciao.names import Origin
from ciao.notes import Signer, VerifierKey
from ciao.reading import Reading
from ciao.tree import root_at

SEGMENT_ID_SIZE = 8
_FILE = re.compile(r"[0-9]{4}-[0-9a-f]{16}\.db")
_DAMAGED = ".damaged"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose journal it is: the names in its origins, and the key that certifies its segments."""

    domain: str
    name: str
    enrolled: Signer


class Journal:
    """The whole journal, open for appending. Commit, then tell: `append` returns when durable."""

    def __init__(
        self, directory: Path, owner: Owner, random_bytes: RandomBytes, firmware: str
    ) -> None:
        self._directory = directory
        self._owner = owner
        self._random_bytes = random_bytes
        self._firmware = firmware
        self._number = 0
        self._segment: SegmentStore | None = None

    def open(self, now: Reading) -> SegmentReason | None:
        """Open the newest segment, or begin one; return why, where one was begun.

        A segment that is damaged is put aside, never deleted; then the one before it, if there
        is one, hands its unreceipted tail to a new one. Raises StoreFailed, with nothing put
        aside, where the disk does not let a file be opened or written now.
        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        why: SegmentReason = "new"
        for path in sorted(self._files(), reverse=True):
            self._number = max(self._number, int(path.name[:4]))
            # Put aside already, perhaps by a start that did not get as far as the next segment.
            if path.suffix == _DAMAGED:
                why = "damaged"
                continue
            try:
                found = SegmentStore.open(path)
            except StoreDamaged:
                self._quarantine(path)
                why = "damaged"
                continue
            if found is None:
                path.unlink()
                continue
            self._segment = found
            if why == "new":
                return None
            break
        self.begin(why, now)
        return why

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
    def log_key(self) -> VerifierKey:
        """The public key that signs the current segment's checkpoints."""
        return self.current.signer.verifier()

    def origins(self) -> set[str]:
        """Every origin of the chain: of each segment kept, and those that their entries 0 name.

        Opens every file of the chain: for the rare receipt of another origin than ours.
        """
        known: set[str] = set()
        for path in self._files():
            if path.suffix == _DAMAGED:
                continue
            known.add(self._origin(path.name[5:21]))
            try:
                segment = SegmentStore.open(path)
            except StoreFailed:
                continue
            if segment is not None:
                known |= _named_before(segment)
                segment.close()
        return known

    def append(self, entry: Entry, payload: bytes | None = None) -> None:
        """Add the next entry; when this returns it is durable. Raise StoreFailed."""
        assert entry.seq == self.size, "an entry out of sequence"
        named = entry.note if isinstance(entry, entries.Heartbeat) else None
        try:
            self.current.append(entries.encode(entry), payload, named)
        except StoreFailed:
            # It may be there all the same: what counts is what the file says now.
            self.current.reload()
            raise

    def rows(self, start: int, end: int) -> Iterator[Row]:
        """Read entries [start, end) of the current segment."""
        return self.current.rows(start, end)

    def root(self, size: int) -> bytes:
        """Return the root the current segment's tree had at a size."""
        return root_at(size, self.current.subtree)

    def checkpoint(self, size: int) -> str:
        """Sign the current segment's checkpoint of a size."""
        text = Checkpoint(self.origin, size, self.root(size)).text()
        return self.current.signer.sign(text).encode()

    def settle(self, note: str, size: int) -> None:
        """Keep a receipt that was checked: entries below `size` are safe elsewhere."""
        if size > self.settled:
            self.current.keep_note(note, size)

    def newest_note(self) -> str | None:
        """Return the newest cosigned note held for the current segment."""
        found = self.current.newest_note()
        return found.note if found else None

    def notes_named(self, rows: Iterable[Row]) -> list[str]:
        """Return the cosigned notes that entries of the current segment name."""
        return [kept.note for kept in _notes_named(self.current, rows)]

    def begin(self, why: SegmentReason, now: Reading, witness: str | None = None) -> None:
        """Begin a segment: entry 0 and the whole unreceipted tail of the last, in one commit.

        `witness` is a cosigned note, already checked, of more than our own disk holds.
        """
        signer = Signer(
            self._origin(self._random_bytes(SEGMENT_ID_SIZE).hex()),
            new_signing_key(self._random_bytes),
        )
        previous = self._segment
        head = Segment(
            **entries.common(now, 0),
            why=why,
            firmware=self._firmware,
            previous=_ending(previous, witness),
        )
        rows = [Row(0, entries.encode(head), None)]
        kept = [_kept(witness)] if witness else []
        if previous is not None:
            tail = list(previous.rows(previous.settled, previous.size))
            rows += _carried(tail, previous.origin)
            newest = previous.newest_note()
            kept += [*_notes_named(previous, tail), *([newest] if newest else [])]
        self._number += 1
        path = self._directory / f"{self._number:04d}-{Origin.parse(signer.name).segment}.db"
        certificate = certify(self._owner.enrolled, signer.verifier())
        fresh = SegmentStore.create(path, signer, certificate, rows, kept)
        if previous is not None:
            previous.close()
        self._segment = fresh

    def close(self) -> None:
        """Let the files go."""
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    def _origin(self, segment_id: str) -> str:
        return str(Origin(self._owner.domain, self._owner.name, segment_id))

    def _files(self) -> list[Path]:
        """The segments, and those put aside; not what SQLite keeps beside a file."""
        names = ((path, path.name.removesuffix(_DAMAGED)) for path in self._directory.iterdir())
        return [path for path, name in names if _FILE.fullmatch(name)]

    def _quarantine(self, path: Path) -> None:
        for suffix in SUFFIXES:
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(path.with_name(f"{path.name}{_DAMAGED}{suffix}"))


def _named_before(segment: SegmentStore) -> set[str]:
    """Read which origin a segment's entry 0 names as the one before it."""
    head = entries.decode(next(segment.rows(0, 1)).leaf)
    assert isinstance(head, Segment)
    return {head.previous.origin} if head.previous else set()


def _ending(segment: SegmentStore | None, witness: str | None) -> Previous | None:
    """Say where the log before ended: by our own disk, or by what others keep of us."""
    if witness is not None:
        kept = _kept(witness)
        if segment is None or kept.origin != segment.origin:
            root = Checkpoint.parse(notes.parse(witness).text).root
            return Previous(kept.origin, kept.size, root.hex(), note_digest(witness))
    if segment is None:
        return None
    newest = segment.newest_note()
    named = witness or (newest.note if newest else None)
    return Previous(
        segment.origin,
        segment.size,
        segment.frontier.root().hex(),
        note_digest(named) if named else None,
    )


def _kept(note: str) -> KeptNote:
    checkpoint = Checkpoint.parse(notes.parse(note).text)
    return KeptNote(checkpoint.origin, checkpoint.size, note)


def _carried(tail: Iterable[Row], origin: str) -> list[Row]:
    """Rewrite the unreceipted tail for a new segment: each entry names its first place."""
    rows: list[Row] = []
    for row in tail:
        leaf = canonical.decode(row.leaf, entries.LEAF_SIZE_MAX)
        leaf.setdefault("carried", {"origin": origin, "seq": row.seq})
        leaf["seq"] = len(rows) + 1
        rows.append(Row(len(rows) + 1, canonical.encode(leaf), row.payload))
    return rows


def _notes_named(segment: SegmentStore, rows: Iterable[Row]) -> list[KeptNote]:
    """Look up the notes that entries among `rows` name, each once, in order."""
    found = {}
    for row in rows:
        # Most entries are taps: don't decode those.
        if b'"note":"' not in row.leaf:
            continue
        leaf = canonical.decode(row.leaf, entries.LEAF_SIZE_MAX)
        digest = leaf.get("note", leaf.get("previous", {}).get("note", ""))
        kept = segment.note(digest)
        if kept is not None:
            found[digest] = kept
    return list(found.values())
