"""Edge: SQLite files that a promise may rest on: opened durable, or not at all.

WAL with synchronous=FULL, asserted at opening: the default (DELETE, FULL) loses the last
acknowledged row at a power cut.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# What SQLite says of a file that is not what was written. Anything else (no room, no rights,
# another process) says nothing against the file: it stays where it is, and is tried again.
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
_UNREADABLE = frozenset({sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ})

# The second where it can't even say what is wrong: it quotes what it found in a broken schema.
SAID_BY_SQLITE = (sqlite3.Error, UnicodeDecodeError)

# The file itself, and what SQLite keeps beside it.
SUFFIXES = ("", "-wal", "-shm")
# What SQLite keeps of a file in memory. Its own 2 MiB fill up within days and make nothing faster:
# an append touches the right edge only, and the system keeps the file's pages anyway.
CACHE_KIB = 256

# Opens a file in autocommit mode; another one puts a disk of its own below (tests).
Connect = Callable[[Path], sqlite3.Connection]


class StoreFailed(Exception):
    """The disk did not take it, or did not give it back; nothing was acknowledged."""


class StoreDamaged(StoreFailed):
    """The file is not what was written: to be put aside, never deleted."""


def connect_sqlite(path: Path) -> sqlite3.Connection:
    """Open a file by the SQLite that Python brings."""
    return sqlite3.connect(path, isolation_level=None)


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open a file that is not to be changed, by its owner's hand or by ours."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def connect_durably(path: Path, connect: Connect) -> sqlite3.Connection:
    """Open a file so that a commit is on the disk when it returns; raise StoreFailed."""
    connection = connect(path)
    with closed_on_failure(connection):
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        connection.execute("PRAGMA synchronous = FULL")
        level = connection.execute("PRAGMA synchronous").fetchone()[0]
        if (mode, level) != ("wal", 2):
            raise StoreFailed(f"{path}: journal_mode {mode}, synchronous {level}; not durable")
        # What is deleted is overwritten, too, where that costs no write of its own.
        connection.execute("PRAGMA secure_delete = FAST")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    return connection


def check_not_emptied(path: Path) -> None:
    """SQLite takes an empty file for a new one, and deletes what waits in the WAL beside it."""
    log = path.with_name(path.name + "-wal")
    if path.stat().st_size == 0 and log.exists() and log.stat().st_size:
        raise StoreDamaged(f"{path}: empty, beside a write-ahead log that is not")


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; afterwards no transaction is open, or an append would land inside it."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def closed_on_failure(db: sqlite3.Connection) -> Iterator[None]:
    """Let the file go where what follows fails."""
    try:
        yield
    except BaseException:
        db.close()
        raise


@contextmanager
def removed_on_failure(path: Path) -> Iterator[None]:
    """Nobody was told of it; found later, it would hide what the segment before goes on to hold."""
    try:
        yield
    except BaseException:
        for suffix in SUFFIXES:
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        raise


def is_damage(error: Exception) -> bool:
    """Say whether this error of SQLite's means that the file is not what was written."""
    # Without a code it is Python that can't make a text of what was read.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return code & 0xFF in _DAMAGE or code in _UNREADABLE


@contextmanager
def converted(path: Path) -> Iterator[None]:
    """Say of whatever the disk did wrong whether the file is damaged, or only out of reach now."""
    try:
        yield
    except SAID_BY_SQLITE as error:
        raise (StoreDamaged if is_damage(error) else StoreFailed)(f"{path}: {error}") from error
    except OSError as error:
        raise StoreFailed(f"{path}: {error}") from error
