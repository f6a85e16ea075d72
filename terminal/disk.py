"""How the journal's disk is doing, as told by every write: it takes them, and it has room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ciao import entries
from ciao.journal import Journal, StoreFailed
from ciao.reading import Reading


@dataclass(slots=True)
class Disk:
    """`works` until a write fails, and again from the first that succeeds.

    `refused` counts what was refused since the last heartbeat, by reason, of disk and messages.
    """

    journal: Journal
    refused: Counter[str] = field(default_factory=Counter)
    works: bool = True
    room: bool = True

    def append(self, now: Reading, kind: Callable[..., entries.Entry], **fields: Any) -> bool:
        """Append what no person waits for; say whether it is on the disk."""
        written = False
        with self.trying():
            common = entries.common(now, self.journal.size)
            self.journal.append(kind(**common, **fields))
            written = self.works = True
        return written

    @contextmanager
    def trying(self) -> Iterator[None]:
        """Do what no person waits for: a disk that refuses is counted, and asked again later."""
        try:
            yield
        except StoreFailed:
            self.refused["disk"] += 1
            self.works = False
