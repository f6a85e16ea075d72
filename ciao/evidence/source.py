"""What an exporter reads of a log, wherever it is kept: a ledger, or a terminal's own files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ciao.entries import Segment
from ciao.evidence import facts
from ciao.journal.store import KeptNote, Row


class Log(Protocol):
    """One segment, read-only. Entries are [0, size); notes are cosigned, and of this log."""

    @property
    def origin(self) -> str:
        """Its name."""

    @property
    def certificate(self) -> str:
        """Its key, certified by its terminal."""

    @property
    def size(self) -> int:
        """How many entries it has."""

    def rows(self, start: int, end: int) -> Iterator[Row]:
        """Read entries [start, end) in order, as they are asked for."""

    def note_from(self, size: int) -> KeptNote | None:
        """Return the smallest note of at least a size."""

    def note_upto(self, size: int) -> KeptNote | None:
        """Return the largest note of at most a size."""

    def notes(self, low: int, high: int) -> Iterator[KeptNote]:
        """Read the notes of sizes [low, high], smallest first."""

    def named(self, sha256: str) -> KeptNote | None:
        """Return the note that entries name so."""

    def subtree(self, level: int, index: int) -> bytes:
        """Read the hash of a complete subtree (ciao.tree.Subtree)."""

    def claim(self) -> str | None:
        """Return the owner's own checkpoint of all entries, where it can make one."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal's logs, in any order, and its bindings and succession as signed.

    `since`: from when on there are logs at all, where those before were deleted whole.
    """

    name: str
    logs: list[Log]
    bindings: list[str]
    succession: list[str]
    since: datetime | None = None


def head(log: Log) -> Segment | None:
    """Read entry 0 of a log; None where it is not understood."""
    for row in log.rows(0, 1):
        entry = facts.read(row.leaf).entry
        return entry if isinstance(entry, Segment) else None
    return None


def in_order(logs: list[Log]) -> list[Log]:
    """Put logs in the order in which they were begun: each behind the one that it follows."""
    waiting = {log.origin: log for log in logs}
    before = {origin: _previous(log) for origin, log in waiting.items()}
    ordered: list[Log] = []
    while waiting:
        ready = [o for o in waiting if before[o] not in waiting or before[o] == o]
        for origin in ready or list(waiting):
            ordered.append(waiting.pop(origin))
    return ordered


def _previous(log: Log) -> str | None:
    found = head(log)
    return found.previous.origin if found is not None and found.previous else None
