"""What an outside authority stamps: a list of checkpoints, as one document. Pure.

One stamp a day serves every terminal of a gateway, and shows later if one of these checkpoints is
kept back, or another history put in its place.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from ciao import canonical
from ciao.entries import Natural, Sha256, Text

FOLDER = "timestamps/"
DOCUMENT = ".json"
REPLY = ".tsr"
CHECKPOINTS_MAX = 2_000
DOCUMENT_SIZE_MAX = 1024 * 1024


class Checkpointed(Struct, frozen=True):
    """A cosigned checkpoint: of which log, of what size, and the SHA-256 of its note."""

    origin: Text
    sha256: Sha256
    size: Natural


class Document(Struct, frozen=True):
    """The newest cosigned checkpoint of each log, at a moment (RFC 3339)."""

    v: Literal[1]
    at: Text
    checkpoints: Annotated[list[Checkpointed], Meta(max_length=CHECKPOINTS_MAX)]


class DocumentBroken(ValueError):
    """A document is not of the form that is stamped."""


_decoder = msgspec.json.Decoder(Document)


def encode(at: str, checkpoints: Iterable[Checkpointed]) -> bytes:
    """Write a document, its checkpoints by origin."""
    listed = sorted(checkpoints, key=lambda one: one.origin)
    return canonical.encode(Document(v=1, at=at, checkpoints=listed[:CHECKPOINTS_MAX]))


def decode(data: bytes) -> Document:
    """Read a document; raise DocumentBroken."""
    if len(data) > DOCUMENT_SIZE_MAX:
        raise DocumentBroken(f"{len(data)} bytes, at most {DOCUMENT_SIZE_MAX} are read")
    try:
        document = _decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise DocumentBroken(str(error)) from error
    if canonical.encode(document) != data:
        raise DocumentBroken("not canonical JSON of the known fields")
    return document
