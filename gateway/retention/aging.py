"""For how long a log has been in our custody, by our own cosignatures. Pure, by a few reads."""

from __future__ import annotations

from typing import Protocol

from ciao.journal.retention import cosigned_at_s
from gateway.ledger.deletions import Behind


class Notes(Protocol):
    """Where a log's cosigned notes are found (`gateway.ledger.deletions.Deletions`)."""

    def note_from(self, origin: str, size: int) -> tuple[int, str] | None:
        """Return the smallest cosigned note of at least a size, with its size."""


def over(notes: Notes, log: Behind, latest_s: int) -> int:
    """Return how many of a log's entries were cosigned by a moment, by a search in its notes."""
    low, high, found = log.payloads_from + 1, log.size, log.payloads_from
    while low <= high:
        # The first time: the next note alone, by which there is mostly nothing to do.
        middle = low if low == log.payloads_from + 1 else (low + high) // 2
        note = notes.note_from(log.origin, middle)
        if note is not None and cosigned_at_s(note[1]) <= latest_s:
            found, low = note[0], note[0] + 1
        else:
            high = middle - 1
    return min(found, log.size)


def next_s(notes: Notes, log: Behind, after: int) -> int | None:
    """Say when the entry behind so many of a log was cosigned, in Unix seconds; None: not yet."""
    note = notes.note_from(log.origin, after + 1)
    return None if note is None else cosigned_at_s(note[1])
