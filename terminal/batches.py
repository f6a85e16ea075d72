"""A batch: as many entries as fit, the checkpoint right after them, and the notes they name."""

from __future__ import annotations

import msgspec

from ciao import wire
from ciao.journal import Journal, Row

# What a batch costs beside its entries: checkpoint, certificate, newest note, names, braces.
_FIXED = 8 * 1024


def build(journal: Journal, start: int) -> wire.Batch:
    """Build the batch that begins at `start` of the journal's current segment."""
    rows, named = _fitting(journal, start)
    end = start + len(rows)
    newest = journal.newest_note()
    if newest is not None and newest not in named:
        named.append(newest)
    return wire.Batch(
        origin=journal.origin,
        start=start,
        leaves=[row.leaf.decode() for row in rows],
        payloads={
            str(row.seq): wire.encode_payload(row.payload or b"")
            for row in rows
            if row.payload is not None or b'"payload":"' in row.leaf
        },
        checkpoint=journal.checkpoint(end),
        notes=named,
        certificate=journal.current.certificate,
    )


def _fitting(journal: Journal, start: int) -> tuple[list[Row], list[str]]:
    """Take entries, and the notes that they name, while there is room."""
    rows: list[Row] = []
    notes: list[str] = []
    room = wire.BATCH_SIZE_MAX - _FIXED
    for row in journal.rows(start, start + wire.BATCH_ENTRIES_MAX):
        fresh = [note for note in journal.notes_named([row]) if note not in notes]
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
