"""Edge: the sandbox's own database: what it registered. Survives SIGKILL.

`registrations(path)` is for a test or a demo that counts, after the sandbox has ended.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import UNSET

from gateway.sandbox.validation import Item, Query

SCHEMA = """
CREATE TABLE IF NOT EXISTS registration (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client TEXT NOT NULL,
    trace_id TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    instant_us INTEGER NOT NULL,
    ssin TEXT NOT NULL,
    type TEXT NOT NULL,
    employer_number TEXT NOT NULL,
    declaration TEXT NOT NULL,
    item TEXT NOT NULL,
    validity TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS registration_ssin ON registration (ssin);
CREATE TABLE IF NOT EXISTS assertion (
    client TEXT NOT NULL,
    jti TEXT NOT NULL,
    exp INTEGER NOT NULL,
    PRIMARY KEY (client, jti)
) STRICT;
"""
COLUMNS = (
    "client, trace_id, received_ms, instant_us, ssin, type, employer_number, declaration, item,"
    " validity"
)
FOUND_MAX = 100
SHOWN_MAX = 1000


class Store:
    """The one connection, shared under a lock; when a method returns, its row is durable."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        mode = self._db.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        self._db.execute("PRAGMA synchronous=FULL")
        assert (mode, self._db.execute("PRAGMA synchronous").fetchone()[0]) == ("wal", 2)
        self._db.executescript(SCHEMA)

    def add(
        self, items: Sequence[tuple[Item, Any]], client: str, call: tuple[str, int]
    ) -> list[int]:
        """Store items (each with the JSON it came as) in one commit; return their ids.

        `call` is the trace id and the time of receipt in Unix milliseconds.
        """
        rows = [(client, *call, *_columns(item), json.dumps(raw), "pending") for item, raw in items]
        marks = ", ".join("?" * 10)
        insert = f"INSERT INTO registration ({COLUMNS}) VALUES ({marks}) RETURNING id"
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                ids = [int(self._db.execute(insert, row).fetchone()[0]) for row in rows]
            except sqlite3.Error:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        return ids

    def search(self, query: Query, client: str, until_ms: int) -> tuple[list[dict[str, Any]], int]:
        """Return what the client registered up to `until_ms` that matches, and how many do.

        Each is the item as it was sent, with `id` and `received_ms`.
        """
        wanted: dict[str, Any] = {
            "client = ?": client,
            "ssin = ?": query.ssin,
            "received_ms <= ?": until_ms,
            "type = ?": query.type,
            "instant_us >= ?": _micros(query.registrationDateFrom),
            "instant_us <= ?": _micros(query.registrationDateTo),
            "employer_number = ?": query.employerNumber,
            "declaration = ?": query.contractualRelationshipReference,
        }
        where = {clause: value for clause, value in wanted.items() if value is not UNSET}
        select = f"SELECT * FROM registration WHERE {' AND '.join(where)} ORDER BY id"
        with self._lock:
            rows = self._db.execute(select, list(where.values())).fetchall()
        shown = [
            {"id": row["id"], "received_ms": row["received_ms"], **json.loads(row["item"])}
            for row in rows[:FOUND_MAX]
        ]
        return shown, len(rows)

    def latest(self) -> list[dict[str, Any]]:
        """Return the newest rows, newest first, for the inspection page."""
        select = "SELECT * FROM registration ORDER BY id DESC LIMIT ?"
        with self._lock:
            return [dict(row) for row in self._db.execute(select, [SHOWN_MAX])]

    def first_use(self, client: str, jti: str, exp: int, now_s: int) -> bool:
        """Remember an assertion's id until it expires; return False where it was used before."""
        with self._lock:
            self._db.execute("DELETE FROM assertion WHERE exp < ?", [now_s])
            insert = "INSERT OR IGNORE INTO assertion VALUES (?, ?, ?)"
            return self._db.execute(insert, [client, jti, exp]).rowcount == 1


def _micros(at: Any) -> Any:
    """Unix microseconds, exactly; UNSET stays UNSET."""
    if not isinstance(at, datetime):
        return at
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def _columns(item: Item) -> tuple[Any, ...]:
    number, declaration = item.employer_number, item.contractualRelationshipReference
    return _micros(item.registrationDate), item.ssin, item.type, number, declaration


def registrations(path: Path) -> list[dict[str, Any]]:
    """Read every registration out of a sandbox's database, oldest first.

    Keys: the columns of SCHEMA, with `item` as the decoded JSON that was sent. Works after a
    SIGKILL too. Raises FileNotFoundError where there is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    db = sqlite3.connect(path)
    db.row_factory = sqlite3.Row
    try:
        rows = [dict(row) for row in db.execute("SELECT * FROM registration ORDER BY id")]
    finally:
        db.close()
    return [row | {"item": json.loads(row["item"])} for row in rows]
