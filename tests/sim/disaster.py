"""Crashes where they hurt: right before and right after a commit, on both ends.

Each is the production store, failing in its two ways: lost, and done but not acknowledged.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ciao.entries import Entry
from ciao.journal import Journal, Owner
from ciao.keys import RandomBytes
from gateway.ledger import Ledger


class Crash(BaseException):
    """The process is gone at this very instruction; nothing in it may catch this."""


@dataclass(slots=True)
class Fate:
    """How likely a crash is at each commit; its own randomness, so that a replay is exact."""

    rng: random.Random
    before: float = 0.0
    after: float = 0.0

    def strike(self, chance: float) -> None:
        """Crash, perhaps."""
        if chance and self.rng.random() < chance:
            raise Crash

    def spare(self) -> None:
        """The faults stop."""
        self.before = self.after = 0.0


class MortalJournal(Journal):
    """A terminal's journal that may not survive a commit."""

    def __init__(self, fate: Fate, directory: Path, owner: Owner, random_bytes: RandomBytes):
        super().__init__(directory, owner, random_bytes, "sim")
        self._fate = fate

    def append(self, entry: Entry, payload: bytes | None = None) -> None:
        """Append, with a crash before or after the commit."""
        self._fate.strike(self._fate.before)
        super().append(entry, payload)
        self._fate.strike(self._fate.after)

    def settle(self, note: str, size: int) -> None:
        """Keep a receipt, with a crash before or after the commit."""
        self._fate.strike(self._fate.before)
        super().settle(note, size)
        self._fate.strike(self._fate.after)


class MortalLedger(Ledger):
    """A gateway's ledger that may not survive a commit."""

    fate: Fate

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write whole or not at all, with a crash before or after the commit."""
        with super().transaction():
            yield
            self.fate.strike(self.fate.before)
        self.fate.strike(self.fate.after)
