"""Edge: the rare entries of a journal (outages, notes on them), read while its owner writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ciao import entries
from ciao.entries import Entry
from ciao.journal.files import StoreFailed, connect_to_read, converted

# Some two weeks of heartbeats, of the newest two segments.
LATELY_ENTRIES = 20_000
LATELY_SEGMENTS = 2

_OF_KIND_LATELY = (
    "SELECT leaf FROM entry WHERE seq > (SELECT max(seq) FROM entry) - ?"
    " AND instr(leaf, CAST(? AS BLOB)) ORDER BY seq"
)
_OF_KIND = "SELECT leaf FROM entry WHERE instr(leaf, CAST(? AS BLOB)) ORDER BY seq"


def spoken(directory: Path, kind: str) -> Iterator[tuple[str, Entry]]:
    """Yield (origin, entry) of every entry whose kind begins so, oldest first.

    What another version wrote is passed over; a segment that can't be read is left out.
    """
    for path in sorted(directory.glob("[0-9][0-9][0-9][0-9]-*.db")):
        yield from _read(path, _OF_KIND, (f'"kind":"{kind}',))


def _read(path: Path, query: str, values: tuple[object, ...]) -> Iterator[tuple[str, Entry]]:
    try:
        with converted(path), closing(connect_to_read(path)) as db:
            (origin,) = db.execute("SELECT origin FROM segment").fetchone()
            found = [leaf for (leaf,) in db.execute(query, values)]
    except (StoreFailed, TypeError):
        return
    for leaf in found:
        try:
            yield origin, entries.decode(leaf)
        except (entries.NotUnderstood, entries.LeafBroken):
            continue


def lately(directory: Path, kind: str) -> Iterator[tuple[str, Entry]]:
    """Yield the same of the newest entries only, so that the cost does not grow with history."""
    for path in sorted(directory.glob("[0-9][0-9][0-9][0-9]-*.db"))[-LATELY_SEGMENTS:]:
        yield from _read(path, _OF_KIND_LATELY, (LATELY_ENTRIES, f'"kind":"{kind}'))


def last_heartbeat(directory: Path) -> Entry | None:
    """Return the newest heartbeat of a journal's newest segment; None where there is none."""
    for path in sorted(directory.glob("[0-9][0-9][0-9][0-9]-*.db"), reverse=True):
        try:
            with converted(path), closing(connect_to_read(path)) as db:
                newest = db.execute("SELECT leaf FROM entry ORDER BY seq DESC LIMIT 2000")
                for (leaf,) in newest:
                    if b'"kind":"heartbeat"' in leaf:
                        return entries.decode(leaf)
        except (StoreFailed, entries.NotUnderstood, entries.LeafBroken):
            continue
    return None
