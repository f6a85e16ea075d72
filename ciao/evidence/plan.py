"""Which part of each log a bundle needs for a period. Pure, by a few reads.

It begins early enough for a checkpoint cosigned before the period, and for an entry that names one;
it ends at the first cosigned size behind the period's last entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ciao.entries import Heartbeat
from ciao.evidence import facts
from ciao.evidence.source import Log, head
from ciao.journal.retention import cosigned_at_s
from ciao.journal.store import KeptNote

# A stamp's time is its badge's, and the press that completes it may follow: order is not by time.
DISORDER = timedelta(seconds=15)
_BACK = 256


@dataclass(frozen=True, slots=True)
class Part:
    """Rows [first, end) of a log, then those to `claimed` that nobody has cosigned yet."""

    log: Log
    first: int
    end: int
    claimed: int


def parts(logs: Sequence[Log], start: datetime, end: datetime, *, claims: bool) -> list[Part]:
    """Choose the parts of a terminal's logs, which are in order; none where it had nothing then."""
    found: list[Part] = []
    begun = [index for index, log in enumerate(logs) if _cosigned_before(log, start)]
    for log in logs[max(begun, default=0) :]:
        first = _first(log, start)
        last, beyond = _end(log, first, end)
        if log.size and (last > first or claims):
            found.append(Part(log, first, last, log.size if claims and not beyond else last))
        if beyond:
            break
    return found


def unbroken(found: Sequence[Part]) -> tuple[list[Part], datetime | None]:
    """Leave out what lies before damage that nobody bridges; say from when the rest is whole.

    Where a gateway's own journal is not in the bundle, nothing shows that no log is missing between
    one and another that does not know what it follows. None where nothing is left out.
    """
    for index in range(len(found) - 1, -1, -1):
        part = found[index]
        entry = head(part.log) if part.first == 0 else None
        if entry is None or entry.why != "damaged":
            continue
        before = [one.log.origin for one in found[:index]]
        known = entry.previous is not None and entry.previous.note is not None
        if not known or entry.previous is None or entry.previous.origin not in before:
            note = part.log.note_from(0)
            at = datetime.fromtimestamp(cosigned_at_s(note.note), UTC) if note is not None else None
            return list(found[index:]), at
    return list(found), None


def _cosigned_before(log: Log, start: datetime) -> bool:
    note = log.note_from(0)
    return note is not None and cosigned_at_s(note.note) <= start.timestamp()


def _first(log: Log, start: datetime) -> int:
    """Where the rows begin: at a cosigned size, before an entry that names a checkpoint."""
    note = _newest_before(log, start)
    at = note.size if note is not None else 0
    while at > 0:
        low = max(0, at - _BACK)
        for row in reversed(list(log.rows(low, at))):
            entry = facts.read(row.leaf).entry
            if isinstance(entry, Heartbeat) and entry.note is not None and not entry.carried:
                before = log.note_upto(row.seq)
                return before.size if before is not None else 0
        at = low
    return 0


def _newest_before(log: Log, start: datetime) -> KeptNote | None:
    """Find the largest note cosigned before a moment: larger ones were cosigned later."""
    low, high = 0, log.size
    found = None
    while low <= high:
        middle = (low + high) // 2
        note = log.note_from(middle)
        if note is not None and cosigned_at_s(note.note) <= start.timestamp():
            found, low = note, note.size + 1
        else:
            high = middle - 1
    return found


def _end(log: Log, first: int, end: datetime) -> tuple[int, bool]:
    """Where the rows end: a cosigned size; and whether an entry of after the period is there."""
    newest = log.note_upto(log.size)
    settled = newest.size if newest is not None else 0
    if settled <= first:
        return first if settled == 0 else settled, False
    within = _newest_before(log, end)
    at = max(first, within.size if within is not None else 0)
    for row in log.rows(at, settled):
        read = facts.read(row.leaf)
        if read.believed and read.carried is None and read.at > end + DISORDER:
            note = log.note_from(row.seq + 1)
            return (note.size if note is not None else settled), True
    return settled, False
