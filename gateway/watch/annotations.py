"""Edge: what people noted on outages, each in a folder of its own beside the journal.

`<id>/note.json` holds the outage, the words and the salts; the document lies beside it, as it was
given. `<id>/entry.json` is written once the gateway has journalled the hashes, and says where.
Nothing is ever changed or removed: the journal holds the hashes for good.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from ciao.entries import Uuid
from ciao.errors import BadInput
from ciao.keys import RandomBytes, sync_directory, write_secret
from gateway.watch.watch import Asked

SALT_SIZE = 32
DOCUMENT_SIZE_MAX = 64 * 1024 * 1024
_NOTE, _ENTRY = "note.json", "entry.json"


class Document(Struct, frozen=True):
    """A document by its name, with its salt (hex) and salted hash."""

    name: Annotated[str, Meta(max_length=255)]
    salt: str
    sha256: str


class Words(Struct, frozen=True):
    """What was said, with its salt (hex) and salted hash."""

    text: str
    salt: str
    sha256: str


class Note(Struct, frozen=True, omit_defaults=True):
    """One annotation, as a person left it. Times are RFC 3339."""

    outage: Uuid
    at: str
    document: Document | None = None
    text: Words | None = None


class Place(Struct, frozen=True):
    """Which entry holds its hashes."""

    origin: str
    seq: int


@dataclass(frozen=True, slots=True)
class Left:
    """An annotation in its folder; `entry` is None until it is journalled."""

    id: str
    folder: Path
    note: Note
    entry: Place | None


def salted_hash(salt: bytes, content: bytes) -> str:
    """Return SHA-256(salt ‖ content) in hex: nobody finds the content by trying."""
    return hashlib.sha256(salt + content).hexdigest()


class Annotations:
    """The folder of them all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def leave(
        self, outage: str, at: str, document: Path | None, text: str, random_bytes: RandomBytes
    ) -> Left:
        """Keep an annotation for the gateway to journal; whole or not at all; raise BadInput."""
        content = _read(document) if document is not None else b""
        name = random_bytes(8).hex()
        note = Note(
            outage,
            at,
            _document(document, content, random_bytes) if document is not None else None,
            _words(text, random_bytes) if text else None,
        )
        fresh, kept = self._folder / f".{name}.new", self._folder / name
        try:
            fresh.mkdir(mode=0o700, parents=True)
            if note.document is not None:
                write_secret(fresh / note.document.name, content)
            write_secret(fresh / _NOTE, msgspec.json.encode(note))
            fresh.rename(kept)
            sync_directory(self._folder)
        except OSError as error:
            hint = "look at the disk of the gateway's folder"
            raise BadInput(f"can't keep the note in {kept}: {error.strerror}", hint) from error
        return Left(name, kept, note, None)

    def pending(self) -> list[Asked]:
        """List those that are not in the journal yet, in a fixed order."""
        return [_asked(left) for left in self._left() if left.entry is None]

    def journalled(self, name: str, origin: str, seq: int) -> None:
        """An annotation is in the journal; one that can't be marked is found there again."""
        path = self._folder / name / _ENTRY
        if not path.exists():
            write_secret(path, msgspec.json.encode(Place(origin, seq)))

    def of(self, outage: str) -> list[Left]:
        """List the annotations on an outage."""
        return [left for left in self._left() if left.note.outage == outage]

    def _left(self) -> Iterator[Left]:
        """Read every folder; one that can't be read is passed over."""
        try:
            names = sorted(os.listdir(self._folder))
        except OSError:
            return
        for name in names:
            folder = self._folder / name
            try:
                note = msgspec.json.decode((folder / _NOTE).read_bytes(), type=Note)
                place = folder / _ENTRY
                entry = (
                    msgspec.json.decode(place.read_bytes(), type=Place) if place.exists() else None
                )
            except (OSError, msgspec.MsgspecError):
                continue
            if not name.startswith("."):
                yield Left(name, folder, note, entry)


def _asked(left: Left) -> Asked:
    note = left.note
    return Asked(
        left.id,
        note.outage,
        note.document.sha256 if note.document else None,
        note.text.sha256 if note.text else None,
    )


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > DOCUMENT_SIZE_MAX:
            hint = f"at most {DOCUMENT_SIZE_MAX // 2**20} MB; give the page that counts"
            raise BadInput(f"{path} is too large", hint)
        return path.read_bytes()
    except OSError as error:
        raise BadInput(
            f"can't read {path}: {error.strerror}", "give the document's file"
        ) from error


def _document(path: Path, content: bytes, random_bytes: RandomBytes) -> Document:
    salt = random_bytes(SALT_SIZE)
    name = path.name if path.name not in (_NOTE, _ENTRY) else f"document-{path.name}"
    return Document(name, salt.hex(), salted_hash(salt, content))


def _words(text: str, random_bytes: RandomBytes) -> Words:
    salt = random_bytes(SALT_SIZE)
    return Words(text, salt.hex(), salted_hash(salt, text.encode()))
