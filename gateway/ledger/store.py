"""Edge: the ledger's file: opened, asserted durable, migrated, and written in transactions.

WAL with synchronous=FULL loses no acknowledged row at a power cut; SQLite's default loses the
last one (DESIGN 3.7). So both are asserted, not hoped for.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlite_utils import Database

from ciao.errors import BadInput
from gateway.ledger.schema import migrations

BUSY_TIMEOUT_S = 5.0
_FULL = 2


def migrate(path: Path) -> None:
    """Make the ledger, mode 0600, or bring it up to date; raise BadInput.

    A step of its own: whoever serves opens a ledger that is current already.
    """
    with explained(path):
        if not path.exists():
            # Beforehand, because SQLite gives the WAL files the database's own mode.
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(_connect(path)) as connection:
            migrations.apply(Database(connection))


def connect(path: Path) -> sqlite3.Connection:
    """Open a ledger for writing, asserted durable and current; raise BadInput."""
    with explained(path):
        if not path.is_file():
            raise BadInput(f"there is no ledger at {path}", "ciao-gateway run makes one")
        connection = _connect(path)
        pending = migrations.pending(Database(connection))
    if pending:
        connection.close()
        raise BadInput(f"the ledger {path} is of an older version", "ciao-gateway run updates it")
    return connection


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Open a ledger for reading while its gateway may be writing; raise BadInput."""
    if not path.is_file():
        raise BadInput(f"there is no ledger at {path}", "ciao-gateway run makes one")
    with explained(path):
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro",
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
        )
        connection.execute("SELECT 1 FROM log LIMIT 1").fetchone()
        return connection


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    # Else INSERT OR REPLACE would delete past the triggers that keep history.
    connection.execute("PRAGMA recursive_triggers=ON")
    # What is deleted after its time is gone from the file, not only from the rows.
    connection.execute("PRAGMA secure_delete=ON")
    (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
    if mode != "wal" or synchronous != _FULL:
        connection.close()
        raise BadInput(
            f"{path} can't be kept safe: journal {mode}, synchronous {synchronous}",
            "put it on a local disk that SQLite can use in WAL mode",
        )
    return connection


class LedgerFailed(Exception):
    """The disk is full or broken, or another process holds the ledger: nothing was written.

    All that was written before is whole. Try again later.
    """


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write whole or not at all. When this has ended without raising, it is on the disk.

    Raises LedgerFailed.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        _roll_back(connection)
        raise LedgerFailed(str(error)) from error
    except BaseException:
        _roll_back(connection)
        raise


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what goes wrong with the file itself into two lines a person can act on."""
    try:
        yield
    except OSError as error:
        raise BadInput(f"can't make {path}: {error.strerror}", "check the folder") from error
    except sqlite3.DatabaseError as error:
        raise BadInput(f"can't use {path}: {error}", "give the ledger's file") from error
