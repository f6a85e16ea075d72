"""A batch: as many entries as fit, the checkpoint right after them, and the notes they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

from ciao import wire
from ciao.journal import Row

# What a batch costs beside its entries: checkpoint, certificate, newest note, names, braces.
_FIXED = 8 * 1024


class Segment(Protocol):
    """What a batch is made of: the journal's current segment, or an older one."""

    @property
    def origin(self) -> str:
        """Its name."""

    @property
    def certificate(self) -> str:
        """Its log key, certified."""

    def rows(self, start: int, end: int) -> Iterator[Row]:
        """Read entries [start, end), as far as there are any."""

    def checkpoint(self, size: int) -> str:
        """Sign the checkpoint of a size."""

    def newest_note(self) -> str | None:
        """Return its newest cosigned note."""

    def notes_named(self, rows: Iterable[Row]) -> list[str]:
        """Return the cosigned notes that entries name."""


def build(segment: Segment, start: int) -> wire.Batch | None:
    """Build the batch that begins at `start` of a segment; None where it has nothing from there."""
    rows, named = _fitting(segment, start)
    if not rows:
        return None
    end = start + len(rows)
    newest = segment.newest_note()
    if newest is not None and newest not in named:
        named.append(newest)
    return wire.Batch(
        origin=segment.origin,
        start=start,
        leaves=[row.leaf.decode() for row in rows],
        payloads={
            str(row.seq): wire.encode_payload(row.payload or b"")
            for row in rows
            if row.payload is not None or b'"payload":"' in row.leaf
        },
        checkpoint=segment.checkpoint(end),
        notes=named,
        certificate=segment.certificate,
    )


def _fitting(segment: Segment, start: int) -> tuple[list[Row], list[str]]:
    """Take entries, and the notes that they name, while there is room."""
    rows: list[Row] = []
    notes: list[str] = []
    room = wire.BATCH_SIZE_MAX - _FIXED
    for row in segment.rows(start, start + wire.BATCH_ENTRIES_MAX):
        fresh = [note for note in segment.notes_named([row]) if note not in notes]
        room -= _cost(row) + sum(len(msgspec.json.encode(note)) + 1 for note in fresh)
        if rows and room < 0:
            break
        rows.append(row)
        notes += fresh
    return rows, notes


def _cost(row: Row) -> int:
    """Bound an entry's bytes in a batch: its quotes are escaped, its payload is base64."""
    leaf = len(row.leaf) + row.leaf.count(b'"') + row.leaf.count(b"\\") + 4
    payload = len(row.payload) * 4 // 3 + 32 if row.payload else 16
    return leaf + payload
