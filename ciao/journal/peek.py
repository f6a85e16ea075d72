"""Edge: a look into a journal from outside, read-only, while its owner may be writing it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from ciao.journal.files import StoreFailed, connect_to_read


@dataclass(frozen=True, slots=True)
class Glance:
    """How a journal stands: its current segment, and what no receipt covers yet."""

    origin: str
    segments: int
    quarantined: int
    size: int
    settled: int
    backlog: int
    newest: bytes


def peek(directory: Path) -> Glance | None:
    """Look at the newest segment in a journal's directory; None where there is none.

    Raises StoreFailed where it can't be read.
    """
    files = sorted(directory.glob("[0-9][0-9][0-9][0-9]-*.db"))
    if not files:
        return None
    try:
        db = connect_to_read(files[-1])
        try:
            # One look at one moment: its owner may be writing.
            db.execute("BEGIN")
            (origin,) = db.execute("SELECT origin FROM segment").fetchone()
            (newest_seq,) = db.execute("SELECT max(seq) FROM entry").fetchone()
            (newest,) = db.execute("SELECT leaf FROM entry WHERE seq = ?", (newest_seq,)).fetchone()
            (settled,) = db.execute(
                "SELECT coalesce(max(size), 0) FROM note WHERE origin = ?", (origin,)
            ).fetchone()
            (backlog,) = db.execute(
                "SELECT count(*) FROM entry WHERE seq >= ? AND payload IS NOT NULL", (settled,)
            ).fetchone()
        finally:
            db.close()
    except (sqlite3.Error, TypeError) as error:
        raise StoreFailed(f"{files[-1].name}: {error}") from error
    return Glance(
        origin=origin,
        segments=len(files),
        quarantined=len(list(directory.glob("*.damaged"))),
        size=newest_seq + 1,
        settled=settled,
        backlog=backlog,
        newest=newest,
    )
