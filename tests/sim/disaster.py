"""Crashes where they hurt: right before and right after a commit, on both ends; and full disks.

Each is the production store, failing in its two ways: lost, and done but not acknowledged.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ciao.binding import Signed
from ciao.entries import Entry, SegmentReason
from ciao.journal import Journal, Owner, StoreFailed
from ciao.keys import RandomBytes
from ciao.reading import Reading
from gateway.ledger import Ledger
from terminal.held import Held, Trust


class Crash(BaseException):
    """The process is gone at this very instruction; nothing in it may catch this."""


@dataclass(slots=True)
class Fate:
    """How likely a crash is at each commit; its own randomness, so that a replay is exact.

    `full`: the disk takes nothing, or takes it and says that it did not.
    """

    rng: random.Random
    before: float = 0.0
    after: float = 0.0
    full: bool = False

    def strike(self, chance: float) -> None:
        """Crash, perhaps."""
        if chance and self.rng.random() < chance:
            raise Crash

    def spare(self) -> None:
        """The faults stop."""
        self.before = self.after = 0.0
        self.full = False

    @contextmanager
    def commit(self) -> Iterator[None]:
        """Go through a commit on a terminal's disk; raise Crash or StoreFailed around it."""
        self.strike(self.before)
        if self.full and self.rng.random() < 0.7:
            raise StoreFailed("no room")
        yield
        if self.full:
            raise StoreFailed("no room, it seemed")
        self.strike(self.after)


class MortalJournal(Journal):
    """A terminal's journal that may not survive a commit."""

    def __init__(self, fate: Fate, directory: Path, owner: Owner, random_bytes: RandomBytes):
        super().__init__(directory, owner, random_bytes, "sim")
        self._fate = fate

    def append(self, entry: Entry, payload: bytes | None = None) -> None:
        """Append, with a disaster before or after the commit."""
        with self._fate.commit():
            super().append(entry, payload)

    def settle(self, note: str, size: int) -> None:
        """Keep a receipt, with a disaster before or after the commit."""
        with self._fate.commit():
            super().settle(note, size)

    def begin(self, why: SegmentReason, now: Reading, witness: str | None = None) -> None:
        """Begin a segment, with a crash before or after the commit, or no room for it."""
        self._fate.strike(self._fate.before)
        if self._fate.full:
            raise StoreFailed("no room")
        super().begin(why, now, witness)
        self._fate.strike(self._fate.after)


class MortalHeld(Held):
    """A terminal's papers on a disk that may be full, in a process that may die over them."""

    def __init__(self, fate: Fate, directory: Path, trust: Trust) -> None:
        super().__init__(directory, trust)
        self._fate = fate

    def bindings_arrived(self, message: bytes) -> None:
        """Keep bindings, or not."""
        with self._fate.commit():
            super().bindings_arrived(message)

    def roster_arrived(self, sealed: bytes) -> None:
        """Keep a roster, or not."""
        with self._fate.commit():
            super().roster_arrived(sealed)

    def enforce(self, chosen: Signed) -> None:
        """Keep what is in force, or not."""
        with self._fate.commit():
            super().enforce(chosen)


class MortalLedger(Ledger):
    """A gateway's ledger that may not survive a commit; a full disk ends its program, too."""

    fate: Fate

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write whole or not at all, with a crash before or after the commit."""
        with super().transaction():
            yield
            self.fate.strike(1.0 if self.fate.full else self.fate.before)
        self.fate.strike(self.fate.after)
