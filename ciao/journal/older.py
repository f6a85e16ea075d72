"""Edge: a segment of the chain that is not written any more, read to be sent again.

Sound or put aside as damaged, it is read the same way, and never changed. It is sent as far as a
gateway cosigned it: what no receipt covered was carried into the next segment. A checkpoint is
signed only where the stored tree proves it an earlier state of a cosigned one; so whatever became
of the file, nothing is signed that contradicts what was signed before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ciao.certificate import is_certified
from ciao.checkpoint import Checkpoint
from ciao.journal.files import (
    StoreDamaged,
    check_not_emptied,
    closed_on_failure,
    connect_to_read,
    converted,
)
from ciao.journal.legacy import is_entry, kept_note, notes_named
from ciao.journal.store import KeptNote, Row, hash_in, intact, note_digest
from ciao.notes import NoteBroken, Signer, VerifierKey, parse
from ciao.tree import ProofBroken, completed_by, consistency_proof, root_at, verify_consistency


class OlderSegment:
    """One segment to send from; to be closed soon.

    `end` is how many of its entries are known here to have been cosigned.
    """

    def __init__(
        self,
        path: Path,
        origin: str,
        enrolled: Sequence[VerifierKey],
        connection: sqlite3.Connection,
    ) -> None:
        self.origin = origin
        self._path = path
        self._db = connection
        self.certificate, self._signer = self._key(enrolled)
        newest = self._cosigned(0, newest=True)
        self.end = newest.size if newest else 0

    @classmethod
    def open(cls, path: Path, origin: str, enrolled: Sequence[VerifierKey]) -> OlderSegment:
        """Open a file read-only; raise StoreDamaged where nothing of it can be signed any more."""
        with converted(path):
            check_not_emptied(path)
            db = connect_to_read(path)
        with closed_on_failure(db):
            return cls(path, origin, enrolled, db)

    def rows(self, start: int, end: int) -> Iterator[Row]:
        """Read entries [start, end), as far as they were cosigned and are what was written.

        A payload that is not counts as gone: its leaf is in the tree all the same.
        """
        for seq in range(start, min(end, self.end)):
            try:
                found = self._one("SELECT leaf, hashes, payload FROM entry WHERE seq = ?", seq)
            except StoreDamaged:
                return
            if found is None or not is_entry(seq, found[0], found[1]):
                return
            yield Row(seq, found[0], found[2] if intact(*found) else None)

    def checkpoint(self, size: int) -> str:
        """Sign the checkpoint of a size; raise StoreDamaged where it can't be proven."""
        cosigned = self._cosigned(size, newest=False)
        if cosigned is None:
            raise StoreDamaged(f"{self._path}: nothing from {size} entries on was cosigned")
        root = root_at(size, self._subtree)
        proof = consistency_proof(size, cosigned.size, self._subtree)
        try:
            whole = Checkpoint.parse(parse(cosigned.note).text)
            verify_consistency(size, whole.size, proof, root, whole.root)
        except (NoteBroken, ProofBroken) as error:
            raise StoreDamaged(f"{self._path}: no proof of {size} entries: {error}") from error
        return self._signer.sign(Checkpoint(self.origin, size, root).text()).encode()

    def newest_note(self) -> str | None:
        """Return the cosigned note of the largest size."""
        found = self._cosigned(0, newest=True)
        return found.note if found else None

    def notes_named(self, rows: Iterable[Row]) -> list[str]:
        """Return the cosigned notes that entries name."""
        return [kept.note for kept in notes_named(self.note, rows)]

    def note(self, digest: str) -> KeptNote | None:
        """Return a cosigned note by its SHA-256."""
        found = self._one("SELECT note FROM note WHERE sha256 = ?", digest)
        return _kept(digest, found[0]) if found else None

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    def _key(self, enrolled: Sequence[VerifierKey]) -> tuple[str, Signer]:
        """Read the log key, which an enrolled key of ours must have certified for this origin."""
        found = self._one("SELECT seed, certificate FROM segment")
        try:
            seed, certificate = found or (b"", "")
            signer = Signer(self.origin, Ed25519PrivateKey.from_private_bytes(seed))
            sound = is_certified(certificate, signer.verifier(), enrolled)
        except (NoteBroken, ValueError, TypeError, AttributeError) as error:
            raise StoreDamaged(f"{self._path}: its key is gone: {error}") from error
        if not sound:
            raise StoreDamaged(f"{self._path}: its key is not the one that was certified")
        return certificate, signer

    def _cosigned(self, least: int, *, newest: bool) -> KeptNote | None:
        """Return the largest or the smallest note of at least a size that is what was kept."""
        order = "DESC" if newest else "ASC"
        with converted(self._path):
            for digest, text in self._db.execute(
                "SELECT sha256, note FROM note WHERE origin = ? AND size >= ?"
                f" ORDER BY size {order}",
                (self.origin, least),
            ):
                kept = _kept(digest, text)
                if kept is not None and kept.origin == self.origin:
                    return kept
        return None

    def _subtree(self, level: int, index: int) -> bytes:
        seq, offset = completed_by(level, index)
        found = self._one("SELECT hashes FROM entry WHERE seq = ?", seq)
        return hash_in(found[0] if found else None, offset, f"{self._path}: entry {seq}")

    def _one(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        with converted(self._path):
            found: tuple[Any, ...] | None = self._db.execute(statement, values).fetchone()
        return found


def _kept(digest: object, text: object) -> KeptNote | None:
    """Return a note as it was kept; None where it is not that any more."""
    if not isinstance(text, str) or note_digest(text) != digest:
        return None
    try:
        return kept_note(text)
    except NoteBroken:
        return None
