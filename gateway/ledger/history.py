"""All that happened to one tap: read-only, while its gateway runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.ledger.store import connect_read_only, explained
from gateway.ledger.waiting import Waiting, waiting_row


@dataclass(frozen=True, slots=True)
class Change:
    """A step of its state, and the attempt that led to it, if one did."""

    at_ms: int
    before: str
    after: str
    reason: str | None
    attempt: int | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call that it was in, at `position` of `items`; `ended_ms` None where none is written.

    `sent` is what it said of the tap, sealed; None where it was begun before that was kept.
    """

    attempt: int
    at_ms: int
    employer: str
    trace_id: str
    position: int
    items: int
    sent: bytes | None = field(repr=False)
    ended_ms: int | None
    what: str | None
    answer: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Search:
    """A search for it, and how it ended in a word."""

    at_ms: int
    what: str
    answer: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Decided:
    """What a person decided on it, and what that came to; None while it is not taken."""

    at_ms: int
    what: str
    value: str
    why: str
    result: str | None


@dataclass(frozen=True, slots=True)
class History:
    """A tap, as it stands and as it came to it; lists oldest first, the newest `LAST_MAX`.

    `deleted_ms`: when whose it was and what was answered was deleted, after its time; then
    `declaration` is None once the log is gone as well.
    """

    tap: Waiting
    onss_id: str | None
    declaration: str | None
    changes: Sequence[Change]
    attempts: Sequence[Attempt]
    searches: Sequence[Search]
    decisions: Sequence[Decided]
    deleted_ms: int | None = None


LAST_MAX = 100

_ATTEMPTS = """
SELECT begun.id, begun.at_ms, begun.employer, begun.trace_id, item.position,
    (SELECT count(*) FROM attempt_item WHERE attempt = begun.id), item.sent,
    ended.at_ms, ended.what, ended.answer
FROM attempt_item AS item JOIN attempt_begun AS begun ON begun.id = item.attempt
LEFT JOIN attempt_ended AS ended ON ended.attempt = begun.id
WHERE begun.id IN (SELECT attempt FROM transition WHERE tap = :tap) AND item.tap = :tap
ORDER BY begun.id DESC LIMIT :most
"""
_DECISIONS = """
SELECT decision.at_ms, what, value, why, result FROM decision
LEFT JOIN decision_taken ON decision_taken.decision = decision.id
WHERE subject = CAST(:tap AS TEXT) AND what IN ('release', 'abandon', 'found', 'absent')
ORDER BY decision.id DESC LIMIT :most
"""


def history(path: Path, tap: int) -> History | None:
    """Read what happened to a tap; None where there is none; raise BadInput."""
    asked = {"tap": tap, "most": LAST_MAX}
    with closing(connect_read_only(path)) as db, explained(path):
        db.execute("BEGIN")
        now = waiting_row(db, tap)
        if now is None:
            return None
        onss_id, deleted_ms, declaration = db.execute(
            "SELECT onss_id, deleted_ms,"
            " json_extract(nullif(CAST(leaf AS TEXT), ''), '$.declaration') FROM tap"
            " JOIN entry ON entry.log = tap.log AND entry.seq = tap.seq WHERE tap.id = :tap",
            asked,
        ).fetchone()
        changes = _last(
            db,
            "SELECT at_ms, before, after, reason, attempt FROM transition WHERE tap = :tap"
            " ORDER BY id DESC LIMIT :most",
            asked,
        )
        searches = _last(
            db,
            "SELECT at_ms, what, answer FROM search WHERE tap = :tap ORDER BY id DESC LIMIT :most",
            asked,
        )
        attempts, decisions = _last(db, _ATTEMPTS, asked), _last(db, _DECISIONS, asked)
    return History(
        now,
        onss_id,
        declaration,
        [Change(*row) for row in changes],
        [Attempt(*row) for row in attempts],
        [Search(*row) for row in searches],
        [Decided(*row) for row in decisions],
        deleted_ms,
    )


def _last(db: sqlite3.Connection, select: str, asked: dict[str, int]) -> list[Any]:
    return db.execute(select, asked).fetchall()[::-1]


def holder_of(path: Path, tap: int, onss_id: str) -> int | None:
    """Say which other tap of the same worker has an ONSS id already; raise BadInput."""
    with closing(connect_read_only(path)) as db, explained(path):
        row = db.execute(
            "SELECT id FROM tap WHERE worker = (SELECT worker FROM tap WHERE id = ?)"
            " AND onss_id = ? AND id != ? LIMIT 1",
            [tap, onss_id, tap],
        ).fetchone()
    return None if row is None else int(row[0])
