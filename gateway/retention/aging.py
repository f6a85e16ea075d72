"""For how long a log has been in our custody, by our own cosignatures. Pure, by a few reads."""

from __future__ import annotations

from typing import Protocol

from ciao.journal.retention import cosigned_at_s
from gateway.ledger.deletions import Behind


class Notes(Protocol):
    """Where a log's cosigned notes are found (`gateway.ledger.deletions.Deletions`)."""

    def note_from(self, origin: str, size: int) -> tuple[int, str] | None:
        """Return the smallest cosigned note of at least a size, with its size."""


def over(notes: Notes, log: Behind, latest_s: int, now_s: int) -> int:
    """Return how many of a log's entries were cosigned by a moment, by a search in its notes.

    A time that has not come is that of a wrong clock of ours: the next note tells as well.
    """
    low, high, found = log.payloads_from + 1, log.size, log.payloads_from
    while low <= high:
        # The first time: the next note alone, by which there is mostly nothing to do.
        middle = low if low == log.payloads_from + 1 else (low + high) // 2
        note = _from(notes, log, middle, now_s)
        if note is not None and cosigned_at_s(note[1]) <= latest_s:
            found, low = note[0], note[0] + 1
        else:
            high = middle - 1
    return min(found, log.size)


def next_s(notes: Notes, log: Behind, after: int, now_s: int) -> int | None:
    """Say when the entry behind so many of a log was cosigned, in Unix seconds; None: not yet."""
    note = _from(notes, log, after + 1, now_s)
    return None if note is None else cosigned_at_s(note[1])


def _from(notes: Notes, log: Behind, size: int, now_s: int) -> tuple[int, str] | None:
    """Return the smallest note of at least a size that has a time, or, of many without, a later."""
    apart = 1
    while (note := notes.note_from(log.origin, size)) is not None:
        if cosigned_at_s(note[1]) <= now_s:
            return note
        if note[0] >= log.size:
            break
        size, apart = min(note[0] + apart, log.size), apart * 2
    return None
