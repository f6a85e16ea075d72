"""Correction dossiers (Q35): what somebody asks the ONSS to change, never rewritten."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

# A dossier of stamps that the ONSS has under a wrong number (Q35), and each time it was exported.
TABLES = """
CREATE TABLE correction (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    employer TEXT NOT NULL,
    wrong TEXT NOT NULL,
    registered TEXT NOT NULL,
    correct TEXT NOT NULL,
    why TEXT NOT NULL
);
CREATE TABLE correction_tap (
    correction INTEGER NOT NULL REFERENCES correction (id),
    position INTEGER NOT NULL,
    tap INTEGER NOT NULL REFERENCES tap (id),
    PRIMARY KEY (correction, position)
) WITHOUT ROWID;
CREATE INDEX correction_of_tap ON correction_tap (tap);
CREATE TABLE correction_exported (
    id INTEGER PRIMARY KEY,
    correction INTEGER NOT NULL REFERENCES correction (id),
    at_ms INTEGER NOT NULL,
    language TEXT NOT NULL,
    sha256 BLOB NOT NULL
);
"""

APPEND_ONLY = ("correction", "correction_tap", "correction_exported")


@dataclass(frozen=True, slots=True)
class NewDossier:
    """What is asked: of these taps' registrations, one number is wrong, and what is right."""

    employer: str
    wrong: str
    registered: str
    correct: str
    why: str
    taps: Sequence[int]


@dataclass(frozen=True, slots=True)
class DossierRow:
    """A dossier as it was opened; `replaced_by` a later one of a same tap and wrong number."""

    id: int
    at_ms: int
    employer: str
    wrong: str
    registered: str
    correct: str
    why: str
    taps: tuple[int, ...]
    exported_ms: tuple[int, ...]
    replaced_by: int | None


@dataclass(frozen=True, slots=True)
class Custody:
    """Where a tap is held: its log, its newest receipt (None before the first), its leaf.

    `accepted_ms`: when the ONSS said that it has it.
    """

    log: int
    origin: str
    seq: int
    leaf: bytes
    receipt: str | None
    certificate: str
    accepted_ms: int | None


_REPLACED = """
SELECT min(later.id) FROM correction AS later JOIN correction_tap ON correction = later.id
WHERE later.id > ? AND later.wrong = ?
AND tap IN (SELECT tap FROM correction_tap WHERE correction = ?)
"""


class Corrections:
    """Reads and writes of dossiers; writes inside the ledger's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def open(self, new: NewDossier, at_ms: int) -> int:
        """Write a dossier; return its number."""
        cursor = self._db.execute(
            "INSERT INTO correction (at_ms, employer, wrong, registered, correct, why)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [at_ms, new.employer, new.wrong, new.registered, new.correct, new.why],
        )
        number = int(cursor.lastrowid or 0)
        self._db.executemany(
            "INSERT INTO correction_tap (correction, position, tap) VALUES (?, ?, ?)",
            [(number, position, tap) for position, tap in enumerate(new.taps)],
        )
        return number

    def exported(self, number: int, at_ms: int, language: str, sha256: bytes) -> None:
        """Write that a dossier's letter was made, and which it was."""
        self._db.execute(
            "INSERT INTO correction_exported (correction, at_ms, language, sha256)"
            " VALUES (?, ?, ?, ?)",
            [number, at_ms, language, sha256],
        )

    def find(self, number: int) -> DossierRow | None:
        """Look up a dossier."""
        row = self._db.execute("SELECT * FROM correction WHERE id = ?", [number]).fetchone()
        return None if row is None else self._whole(row)

    def all(self, limit: int) -> list[DossierRow]:
        """List dossiers, newest first; none of stamps that were deleted with their log."""
        rows = self._db.execute(
            "SELECT * FROM correction WHERE NOT EXISTS (SELECT 1 FROM correction_tap"
            "  JOIN tap ON tap.id = tap JOIN log ON log.id = tap.log"
            "  WHERE correction = correction.id AND leaves_from > 0) ORDER BY id DESC LIMIT ?",
            [limit],
        )
        return [self._whole(row) for row in rows.fetchall()]

    def _whole(self, row: Sequence[object]) -> DossierRow:
        number, at_ms, employer, wrong, registered, correct, why = row
        taps = self._db.execute(
            "SELECT tap FROM correction_tap WHERE correction = ? ORDER BY position", [number]
        ).fetchall()
        exported = self._db.execute(
            "SELECT at_ms FROM correction_exported WHERE correction = ? ORDER BY id", [number]
        ).fetchall()
        (replaced_by,) = self._db.execute(_REPLACED, [number, wrong, number]).fetchone()
        return DossierRow(
            *(number, at_ms, employer, wrong, registered, correct, why),  # type: ignore[arg-type]
            taps=tuple(tap for (tap,) in taps),
            exported_ms=tuple(one for (one,) in exported),
            replaced_by=replaced_by,
        )

    def custody(self, tap: int) -> Custody:
        """Look up where a tap that is there is held."""
        row = self._db.execute(
            "SELECT log.id, log.origin, entry.seq, entry.leaf, nullif(log.receipt, ''),"
            " log.certificate, (SELECT min(at_ms) FROM transition"
            "  WHERE transition.tap = tap.id AND after = 'accepted')"
            " FROM tap JOIN log ON log.id = tap.log"
            " JOIN entry ON entry.log = tap.log AND entry.seq = tap.seq WHERE tap.id = ?",
            [tap],
        ).fetchone()
        return Custody(*row)
