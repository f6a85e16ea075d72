"""Reading what programs left on their disks, by other code than theirs, without touching it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def rows(path: Path, select: str, *values: object) -> list[tuple[Any, ...]]:
    """Read what is committed in a database, whether or not a program has it open."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return db.execute(select, values).fetchall()


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment as it lies on a terminal's disk; `notes` are its cosigned ones, newest first."""

    terminal: str
    origin: str
    leaves: list[bytes]
    notes: list[str]

    @property
    def note(self) -> str | None:
        """The newest one."""
        return self.notes[0] if self.notes else None

    @property
    def settled(self) -> int:
        """How many entries that note covers."""
        return int(self.note.split("\n")[1]) if self.note else 0


def segments(terminal: str, state: Path) -> Iterator[Segment]:
    """Read the segments of a terminal that can be read, oldest first."""
    for path in sorted((state / "journal").glob("*.db")):
        try:
            found = rows(path, "SELECT origin FROM segment")
            leaves = rows(path, "SELECT leaf FROM entry ORDER BY seq")
            notes = rows(
                path,
                "SELECT note FROM note WHERE origin = (SELECT origin FROM segment)"
                " ORDER BY size DESC",
            )
        except sqlite3.DatabaseError:
            # Damaged, or its first commit never happened: what can't be read is not there.
            continue
        if found:
            kept = [note for (note,) in notes]
            yield Segment(terminal, found[0][0], [leaf for (leaf,) in leaves], kept)


def taps(leaves: list[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Pick the taps out of a segment, each with its place there."""
    for place, raw in enumerate(leaves):
        if b'"kind":"tap"' in raw:
            yield place, json.loads(raw)


def ledger_taps(path: Path) -> dict[str, tuple[str, str]]:
    """List the taps that a ledger holds: direction of each, and the time that is registered."""
    found = rows(path, "SELECT payload, coalesce(derived_at, at), direction FROM tap")
    return {payload.hex(): (at, direction) for payload, at, direction in found}
