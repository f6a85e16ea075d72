"""The ledger as a whole: one file, one connection, one transaction at a time."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from gateway.ledger.attempts import Attempts
from gateway.ledger.care import Care
from gateway.ledger.corrections import Corrections
from gateway.ledger.custody import Custody
from gateway.ledger.deletions import Deletions
from gateway.ledger.lines import Lines
from gateway.ledger.services import Services
from gateway.ledger.store import connect, transaction
from gateway.ledger.taps import Taps


class Ledger:
    """The open ledger; used by one thread. What is read outside a transaction is committed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.custody = Custody(connection)
        self.care = Care(connection)
        self.taps = Taps(connection)
        self.lines = Lines(connection)
        self.attempts = Attempts(connection)
        self.services = Services(connection)
        self.corrections = Corrections(connection)
        self.deletions = Deletions(connection)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a ledger that `migrate` made; raise BadInput."""
        return cls(connect(path))

    def transaction(self) -> AbstractContextManager[None]:
        """Write whole or not at all. When it has ended without raising, it is on the disk."""
        return transaction(self._connection)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
