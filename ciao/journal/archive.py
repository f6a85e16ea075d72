"""Edge: every segment of a journal, read from outside, while its owner may be writing.

For evidence (`ciao.evidence.source.Log`): nothing is changed, and what is damaged is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ciao.checkpoint import Checkpoint
from ciao.journal.files import StoreDamaged, StoreFailed, connect_to_read, converted
from ciao.journal.store import KeptNote, Row, intact
from ciao.notes import Signer, VerifierKey
from ciao.tree import HASH_SIZE, completed_by, root_at

_NOTE = "SELECT origin, size, note FROM note WHERE origin = ?"


class Archive:
    """One segment's file at one moment: what is appended later is not seen."""

    def __init__(self, path: Path) -> None:
        """Open it; raise StoreFailed."""
        self._path = path
        with converted(path):
            self._db = connect_to_read(path)
            self._db.execute("BEGIN")
            found = self._db.execute("SELECT origin, seed, certificate FROM segment").fetchone()
            newest = self._db.execute("SELECT max(seq) FROM entry").fetchone()[0]
        if found is None or newest is None:
            self._db.close()
            raise StoreDamaged(f"{path}: a segment without its key or its first entry")
        self.origin: str = found[0]
        self._seed: bytes = found[1]
        self.certificate: str = found[2]
        self.size: int = newest + 1

    @property
    def log_key(self) -> VerifierKey:
        """The public key that signs its checkpoints."""
        return self._signer().verifier()

    def rows(self, start: int, end: int) -> Iterator[Row]:
        """Read entries [start, end); raise StoreDamaged at one that is not what was written."""
        expected = start
        with converted(self._path):
            for seq, leaf, hashes, payload in self._db.execute(
                "SELECT seq, leaf, hashes, payload FROM entry WHERE seq >= ? AND seq < ?"
                " ORDER BY seq",
                (start, min(end, self.size)),
            ):
                if seq != expected or not intact(leaf, hashes, payload):
                    break
                expected += 1
                yield Row(seq, leaf, payload)
        if expected < min(end, self.size):
            raise StoreDamaged(f"{self._path}: entry {expected} is not what was written")

    def note_from(self, size: int) -> KeptNote | None:
        """Return the smallest cosigned note of at least a size."""
        return next(self._notes(f"{_NOTE} AND size >= ? ORDER BY size LIMIT 1", size), None)

    def note_upto(self, size: int) -> KeptNote | None:
        """Return the largest cosigned note of at most a size."""
        return next(self._notes(f"{_NOTE} AND size <= ? ORDER BY size DESC LIMIT 1", size), None)

    def notes(self, low: int, high: int) -> Iterator[KeptNote]:
        """Read the cosigned notes of sizes [low, high], smallest first."""
        yield from self._notes(f"{_NOTE} AND size >= ? AND size <= ? ORDER BY size", low, high)

    def named(self, sha256: str) -> KeptNote | None:
        """Return a cosigned note of this log by its SHA-256."""
        return next(self._notes(f"{_NOTE} AND sha256 = ?", sha256), None)

    def subtree(self, level: int, index: int) -> bytes:
        """Read the hash of a complete subtree (ciao.tree.Subtree)."""
        seq, offset = completed_by(level, index)
        with converted(self._path):
            found = self._db.execute("SELECT hashes FROM entry WHERE seq = ?", (seq,)).fetchone()
        if found is None or len(found[0]) < offset + HASH_SIZE:
            raise StoreDamaged(f"{self._path}: entry {seq} lacks its tree hashes")
        return bytes(found[0][offset : offset + HASH_SIZE])

    def claim(self) -> str:
        """Sign the checkpoint of all entries, as the terminal itself would."""
        root = root_at(self.size, self.subtree)
        return self._signer().sign(Checkpoint(self.origin, self.size, root).text()).encode()

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    def _signer(self) -> Signer:
        return Signer(self.origin, Ed25519PrivateKey.from_private_bytes(self._seed))

    def _notes(self, statement: str, *values: object) -> Iterator[KeptNote]:
        with converted(self._path):
            for origin, size, note in self._db.execute(statement, (self.origin, *values)):
                yield KeptNote(origin, size, note)


def archives(directory: Path) -> tuple[list[Archive], list[str]]:
    """Open every segment of a journal, oldest first; and name the files that can't be read."""
    found: list[Archive] = []
    unreadable = [path.name for path in sorted(directory.glob("*.damaged"))]
    for path in sorted(directory.glob("[0-9][0-9][0-9][0-9]-*.db")):
        try:
            found.append(Archive(path))
        except StoreFailed as error:
            unreadable.append(f"{path.name}: {error}")
    return found, unreadable
