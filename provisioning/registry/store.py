"""Edge: the registry's file. Nothing outside `provisioning.registry` writes SQL on it.

WAL and synchronous=FULL, asserted (DESIGN 3.7): when `change` has ended, what it wrote is on disk,
or nothing of it is.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from ciao.errors import BadInput
from ciao.reading import rfc3339
from provisioning.registry.migrations import ERASED, registry_migrations

BUSY_TIMEOUT_S = 5.0
_FULL = 2

Row = dict[str, Any]


def instant(moment: datetime) -> str:
    """Write a moment in UTC, so that moments sort as text; raise ValueError for a naive one."""
    return rfc3339(moment.astimezone(UTC)) if moment.tzinfo else rfc3339(moment)


class Store:
    """The open file: rows out, and changes that are whole or nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise BadInput(f"there is no registry at {path}", "make one with: ciao-provision init")
        with _explained(path):
            connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)
            self.db = Database(connection, recursive_triggers=False, execute_plugins=False)
            self._settle()

    @classmethod
    def create(cls, path: Path) -> Store:
        """Make an empty registry, mode 0600 (its WAL files take that mode too)."""
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError as error:
            raise BadInput(
                f"there is a registry at {path} already", "give another --dir"
            ) from error
        except OSError as error:
            raise BadInput(f"can't make {path}: {error.strerror}", "check the folder") from error
        return cls(path)

    def _settle(self) -> None:
        """Assert durability, then bring the tables up to date."""
        with self.db.ensure_autocommit_on():
            (mode,) = self.db.execute("PRAGMA journal_mode=WAL").fetchone()
            self.db.execute("PRAGMA synchronous=FULL")
            (synchronous,) = self.db.execute("PRAGMA synchronous").fetchone()
            self.db.execute("PRAGMA foreign_keys=ON")
            # what is erased is overwritten, and not only given free
            self.db.execute("PRAGMA secure_delete=ON")
        if mode != "wal" or synchronous != _FULL:
            raise BadInput(
                f"{self.path} can't be kept safe: journal {mode}, synchronous {synchronous}",
                "put it on a local disk that SQLite can use in WAL mode",
            )
        applied = {step.name for step in registry_migrations.applied(self.db)}
        if applied - _known():
            raise BadInput(f"{self.path} was made by a newer version", "install that version here")
        if registry_migrations.pending(self.db):
            registry_migrations.apply(self.db)

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def rows(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """Read rows."""
        with _explained(self.path):
            cursor = self.db.conn.execute(sql, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def row(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> Row | None:
        """Read the first row, or None."""
        found = self.rows(sql, values)
        return found[0] if found else None

    def fold(self) -> None:
        """Fold the write-ahead log in and empty it, with whatever was erased."""
        with _explained(self.path), self.db.ensure_autocommit_on():
            busy, *_ = self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise BadInput(
                f"{self.path} is in use, so its write-ahead log keeps what was erased",
                "stop the gateway for a moment, and run this again",
            )

    def version(self) -> int:
        """Count the changes ever committed: another number, another content."""
        (count,) = self.db.conn.execute("SELECT coalesce(max(row), 0) FROM changes").fetchone()
        return int(count)

    @contextmanager
    def change(self, what: str, at: datetime) -> Iterator[Change]:
        """Write whole or not at all; `what` names the command, and never a person.

        The write lock is taken first: what a command checked still holds when it writes.
        """
        with _explained(self.path):
            self.db.conn.execute("BEGIN IMMEDIATE")
            try:
                cursor = self.db.conn.execute(
                    "INSERT INTO changes (at, what) VALUES (?, ?)", (instant(at), what)
                )
                yield Change(self, cursor.lastrowid or 0)
                self.db.commit()
            except BaseException:
                self.db.rollback()
                raise


class Change:
    """One change being written, inside its transaction."""

    def __init__(self, store: Store, number: int) -> None:
        self._store = store
        self._number = number

    def append(
        self,
        table: str,
        values: Mapping[str, Any],
        *,
        replaces: int | None = None,
        encrypt: Callable[[int], Mapping[str, bytes | None]] | None = None,
    ) -> int:
        """Append a row and return its number; `encrypt` makes what depends on that number."""
        number = self.next_row(table)
        row = {"row": number, "change": self._number, "replaces": replaces, **values}
        if encrypt is not None:
            row |= encrypt(number)
        # by hand: sqlite-utils looks at the table each time, which is a third of an import
        marks = ", ".join(f":{name}" for name in row)
        self._store.db.conn.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", row)
        return number

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Write something that may have to be taken back without the rest of the change."""
        connection = self._store.db.conn
        connection.execute("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            connection.execute("ROLLBACK TO attempt")
            connection.execute("RELEASE attempt")
            raise
        connection.execute("RELEASE attempt")

    def next_row(self, table: str) -> int:
        """Return the number that the next row appended to a table will have."""
        last = self._store.row(f"SELECT coalesce(max(row), 0) AS row FROM {table}")
        assert last is not None
        return int(last["row"]) + 1

    def erase(self, table: str, wanted: str) -> None:
        """Empty what identifies somebody, in every row of an id (`migrations.ERASED`)."""
        emptied = ", ".join(f"{name} = {value}" for name, value in ERASED[table].items())
        self._store.db.conn.execute(f"UPDATE {table} SET {emptied} WHERE id = ?", [wanted])

    def put_roster(self, terminal: str, serial: int, content: str, sealed: bytes) -> None:
        """Keep a terminal's newest roster."""
        self._store.db.table("rosters").upsert(
            {
                "terminal": terminal,
                "change": self._number,
                "serial": serial,
                "content": content,
                "sealed": sealed,
            },
            pk="terminal",
        )


def _known() -> set[str]:
    """Name every step this version has: on an empty database all of them are pending."""
    with Database(memory=True) as empty:
        return {step.name for step in registry_migrations.pending(empty)}


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn SQLite's complaints about the file itself into two lines a person can act on."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise BadInput(f"{path} is busy", "another command writes to it: try again") from error
        raise BadInput(f"can't use {path}: {error}", "check the disk, and its owner") from error
    except sqlite3.NotSupportedError as error:
        raise BadInput(f"can't use {path}: {error}", "give the registry's file") from error
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
            raise
        raise BadInput(f"{path} is no registry: {error}", "give the registry's file") from error
