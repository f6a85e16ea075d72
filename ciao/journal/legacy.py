"""Edge: what a segment leaves to the next: its unreceipted tail, whole, or all that can be read.

What can't be read is named, never silently dropped.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ciao import canonical, entries, notes
from ciao.checkpoint import Checkpoint
from ciao.entries import Carried, NotUnderstood, Previous, SeqRange
from ciao.journal.files import (
    SAID_BY_SQLITE,
    StoreDamaged,
    check_not_emptied,
    connect_to_read,
    converted,
    is_damage,
)
from ciao.journal.store import KeptNote, Row, SegmentStore, intact, note_digest
from ciao.notes import NoteBroken
from ciao.tree import EMPTY_ROOT, Frontier

# How many entries in a row may be unreadable before the rest is given up.
UNREADABLE_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Legacy:
    """What a segment leaves: where it ended, and what no receipt covers.

    `ending` is None where nothing at all is known of it. `lost` names what could not be read:
    whole entries, or payloads whose entries are in the tail.
    """

    origin: str
    ending: Previous | None
    tail: list[Row] = field(default_factory=list)
    kept: list[KeptNote] = field(default_factory=list)
    lost: list[SeqRange] = field(default_factory=list)


def legacy_of(segment: SegmentStore) -> Legacy:
    """Read what a sound segment leaves; raise StoreDamaged where it turns out not to be one."""
    tail = list(segment.rows(segment.settled, segment.size))
    newest = segment.newest_note()
    kept = [*notes_named(segment.note, tail), *([newest] if newest else [])]
    return Legacy(segment.origin, _ending(segment.origin, segment.frontier, newest), tail, kept)


def salvage(path: Path, origin: str, frontier: Frontier | None = None) -> Legacy:
    """Read all that can be read of a damaged segment's file, and change nothing.

    Raises StoreFailed where the disk does not let it be read now, whatever it may hold.
    `frontier` is the edge of its tree, where a process still remembers it.
    """
    try:
        with converted(path), closing(_connected(path)) as db:
            kept = _kept_notes(db)
            own = [note for note in kept if note.origin == origin]
            newest = max(own, key=lambda note: note.size, default=None)
            settled = newest.size if newest else 0
            tail, lost = _readable(db, settled, frontier.size if frontier else 0)
    except StoreDamaged:
        ending = _ending(origin, frontier, None) if frontier else None
        gone = [SeqRange(origin, 0, frontier.size - 1)] if frontier else []
        return Legacy(origin, ending, lost=gone)
    known = bool(tail or newest)
    ending = _ending(origin, frontier, newest) if known or frontier else None
    ranges = [SeqRange(origin, first, last) for first, last in _ranges(lost)]
    return Legacy(origin, ending, tail, kept, ranges)


def carried(legacies: Iterable[Legacy], first_seq: int) -> list[Row]:
    """Rewrite what was left for a new segment: each entry once, naming its first place."""
    rows: list[Row] = []
    places = set()
    for legacy in legacies:
        for row in legacy.tail:
            leaf = canonical.decode(row.leaf, entries.LEAF_SIZE_MAX)
            first = leaf.setdefault("carried", {"origin": legacy.origin, "seq": row.seq})
            place = Carried(first["origin"], first["seq"])
            if place not in places:
                places.add(place)
                leaf["seq"] = first_seq + len(rows)
                rows.append(Row(leaf["seq"], canonical.encode(leaf), row.payload))
    return rows


def notes_named(look_up: Callable[[str], KeptNote | None], rows: Iterable[Row]) -> list[KeptNote]:
    """Look up the notes that entries among `rows` name by their SHA-256, each once, in order."""
    found = {}
    for row in rows:
        # Most entries are taps: don't decode those.
        if b'"note":"' not in row.leaf:
            continue
        leaf = canonical.decode(row.leaf, entries.LEAF_SIZE_MAX)
        digest = leaf.get("note", leaf.get("previous", {}).get("note", ""))
        kept = look_up(digest)
        if kept is not None:
            found[digest] = kept
    return list(found.values())


def kept_note(note: str) -> KeptNote:
    """Read of which segment and size a cosigned note is; raise NoteBroken."""
    checkpoint = Checkpoint.parse(notes.parse(note).text)
    return KeptNote(checkpoint.origin, checkpoint.size, note)


def ended(left: Sequence[Legacy], witness: str | None) -> Previous | None:
    """Say where the log before ended; a witness is a note of more of it than the disk holds.

    It is named then: whoever checks the chain asks for that log as far as was cosigned of it.
    """
    endings = [legacy.ending for legacy in left if legacy.ending]
    last = endings[-1] if endings else None
    if witness is None:
        return last
    if last is None or kept_note(witness).origin != last.origin:
        return ending_by(witness)
    return msgspec.structs.replace(last, note=note_digest(witness))


def ending_by(witness: str) -> Previous:
    """Say where a log ended by what others keep of it."""
    checkpoint = Checkpoint.parse(notes.parse(witness).text)
    root = checkpoint.root.hex()
    return Previous(checkpoint.origin, checkpoint.size, root, note_digest(witness))


def _connected(path: Path) -> sqlite3.Connection:
    check_not_emptied(path)
    return connect_to_read(path)


def _ending(origin: str, frontier: Frontier | None, newest: KeptNote | None) -> Previous:
    """Say where a log ended: by its tree, or where that is gone by what was cosigned of it."""
    if frontier is None:
        return ending_by(newest.note) if newest else Previous(origin, 0, EMPTY_ROOT.hex())
    digest = note_digest(newest.note) if newest else None
    return Previous(origin, frontier.size, frontier.root().hex(), digest)


def _kept_notes(db: sqlite3.Connection) -> list[KeptNote]:
    """Read the cosigned notes that are still what was kept."""
    found = []
    try:
        for digest, text in db.execute("SELECT sha256, note FROM note"):
            if isinstance(text, str) and note_digest(text) == digest:
                found.append(kept_note(text))
    except (*SAID_BY_SQLITE, NoteBroken) as error:
        # Fewer notes: then more is carried, and the gateway knows it for the same.
        if not is_damage(error):
            raise
    return found


def _readable(db: sqlite3.Connection, settled: int, size: int) -> tuple[list[Row], list[int]]:
    """Read entries from `settled` on, past whatever can't be read; return these, and the lost."""
    rows: list[Row] = []
    lost: list[int] = []
    for seq, row in _probed(db, settled, size):
        if row is None or not is_entry(seq, row[0], row[1]):
            lost.append(seq)
        elif intact(*row):
            rows.append(Row(seq, row[0], row[2]))
        else:
            rows.append(Row(seq, row[0], None))
            lost.append(seq)
    # Beyond the last that can be read, and of no known end, there may have been nothing.
    end = max(size, rows[-1].seq + 1 if rows else 0)
    return rows, [seq for seq in lost if seq < end]


def _probed(
    db: sqlite3.Connection, seq: int, size: int
) -> Iterator[tuple[int, tuple[bytes, bytes, bytes | None] | None]]:
    """Ask for one entry after the other, so that a page that is gone costs only its own."""
    missed = 0
    while missed < UNREADABLE_MAX:
        try:
            found = db.execute(
                "SELECT leaf, hashes, payload FROM entry WHERE seq = ?", (seq,)
            ).fetchone()
            # Past the end SQLite says "nothing there"; of a page that is gone it says more.
            if found is None and seq >= size and _none_from(db, seq):
                return
        except SAID_BY_SQLITE as error:
            if not is_damage(error):
                raise
            found = None
        missed = 0 if found else missed + 1
        yield seq, found
        seq += 1


def _none_from(db: sqlite3.Connection, seq: int) -> bool:
    """Say whether no entry can be found from a sequence number on, in reach."""
    end = seq + UNREADABLE_MAX
    asked = "SELECT 1 FROM entry WHERE seq >= ? AND seq < ? LIMIT 1"
    return db.execute(asked, (seq, end)).fetchone() is None


def is_entry(seq: int, leaf: object, hashes: object) -> bool:
    """Say whether this is the leaf that was written at this place."""
    if not isinstance(leaf, bytes) or not intact(leaf, hashes, None):
        return False
    try:
        return entries.seq_of(leaf) == seq
    except NotUnderstood:
        return False


def _ranges(seqs: Iterable[int]) -> list[tuple[int, int]]:
    """Put sequence numbers in ascending order together: [first, last] each."""
    ranges: list[tuple[int, int]] = []
    for seq in seqs:
        if ranges and ranges[-1][1] == seq - 1:
            ranges[-1] = (ranges[-1][0], seq)
        else:
            ranges.append((seq, seq))
    return ranges
