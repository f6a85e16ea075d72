"""The files and lines of a bundle, as values: what the writer writes and the verifier reads.

`docs/protocol/evidence.md` is the field table. Pure.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from ciao import canonical
from ciao.entries import LEAF_SIZE_MAX, Natural, Sha256, Text
from ciao.notes import NOTE_SIZE_MAX
from ciao.opening import OPENING_SIZE_MAX
from ciao.reading import parse_rfc3339

MANIFEST = "manifest.json"
ROWS = "rows.jsonl"
CHECKPOINTS = "checkpoints.jsonl"
TABLE = "report.csv"
KEYS = "keys.txt"
README = "README"
REQUIRED = (ROWS, CHECKPOINTS, TABLE, KEYS, README)
BINDINGS = "bindings/"
SUCCESSION = "bindings/succession.jsonl"
DELETIONS = "deletions.jsonl"
# What else may be there: looked at where a verifier knows how (`ciao.verifier.attachments`).
OPTIONAL = ("report.pdf",)
OPTIONAL_FOLDERS = ("timestamps/", "witness/")
LANGUAGES = ("fr", "nl", "de", "en")

MANIFEST_SIZE_MAX = 4 * 1024 * 1024
# JSON may write one character as six.
LINE_SIZE_MAX = 6 * NOTE_SIZE_MAX
PROOF_MAX = 64

Hashes = Annotated[list[Sha256], Meta(max_length=PROOF_MAX)]
NoteText = Annotated[str, Meta(max_length=NOTE_SIZE_MAX)]


class FileName(Struct, frozen=True):
    """A file of the bundle: how long it is, and its SHA-256."""

    size: Natural
    sha256: Sha256


class Period(Struct, frozen=True):
    """From a time until a time, both RFC 3339, both included."""

    start: Text
    end: Text


class Stretch(Struct, frozen=True, omit_defaults=True):
    """What the bundle says of one terminal: its entries are all here from `start` to `end`.

    Without `end` nothing is said to be complete: no clock of it could be believed.
    """

    terminal: Text
    start: Text
    end: Text | None = None


class Manifest(Struct, frozen=True, omit_defaults=True):
    """`manifest.json`: what was asked for, what is claimed, and every other file by its hash."""

    format: Literal["ciao-evidence/1"]
    asked: Period
    stretches: Annotated[list[Stretch], Meta(max_length=1000)]
    made_at: Text
    made_by: Literal["gateway", "terminal"]
    lang: Literal["fr", "nl", "de", "en"]
    full: bool
    files: dict[str, FileName]
    site: Text | None = None


class Row(Struct, frozen=True, omit_defaults=True):
    """One entry. `leaf` is the text of the leaf, byte for byte.

    `opening` is what the badge said, where it is disclosed; `gone` why it can't be, in a full
    bundle: its payload was deleted on purpose, or it is lost.
    """

    origin: Text
    seq: Natural
    leaf: Annotated[str, Meta(max_length=LEAF_SIZE_MAX)]
    opening: Annotated[str, Meta(max_length=OPENING_SIZE_MAX)] | None = None
    gone: Literal["deleted", "lost"] | None = None


class SegmentLine(Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="segment"):
    """Begins what is said of one log: rows [first, end), and the tree left of `first`.

    `previous`: the consistency proof from the size that entry 0 says the log before had, to the
    end at which that log is in this bundle.
    """

    origin: Text
    certificate: NoteText
    first: Natural
    end: Natural
    edge: Hashes = []
    previous: Hashes | None = None


class EarlierLine(Struct, frozen=True, tag_field="kind", tag="earlier"):
    """A cosigned note of a size below `first`, and the consistency proof from it to `first`."""

    note: NoteText
    proof: Hashes


class NoteLine(Struct, frozen=True, tag_field="kind", tag="note"):
    """A cosigned checkpoint of a size from `first` to `end`."""

    note: NoteText


class ClaimLine(Struct, frozen=True, tag_field="kind", tag="claim"):
    """The terminal's own checkpoint of rows behind `end`, which nobody has cosigned yet."""

    note: NoteText


class LinkLine(Struct, frozen=True):
    """A link of `bindings/succession.jsonl`: one provisioning key names the next."""

    link: NoteText


class DeletionLine(Struct, frozen=True):
    """A line of `deletions.jsonl`: a `deletion` entry of a gateway's own journal, by itself.

    `note` is a cosigned checkpoint of that journal, `proof` that the entry is below it.
    """

    certificate: NoteText
    note: NoteText
    seq: Natural
    leaf: Annotated[str, Meta(max_length=LEAF_SIZE_MAX)]
    proof: Hashes


CheckpointLine = SegmentLine | EarlierLine | NoteLine | ClaimLine

T = TypeVar("T", bound=Struct)

_rows = msgspec.json.Decoder(Row)
_checkpoints: msgspec.json.Decoder[CheckpointLine] = msgspec.json.Decoder(CheckpointLine)
_links = msgspec.json.Decoder(LinkLine)
_deletions = msgspec.json.Decoder(DeletionLine)
_manifest = msgspec.json.Decoder(Manifest)


class LineBroken(ValueError):
    """A line, or the manifest, is not of the form that a bundle has."""


def encode(line: Struct) -> bytes:
    """Write a line, with its newline."""
    return canonical.encode(line) + b"\n"


def read_row(line: bytes) -> Row:
    """Read a line of `rows.jsonl`; raise LineBroken."""
    return _read(_rows, line)


def read_checkpoint(line: bytes) -> CheckpointLine:
    """Read a line of `checkpoints.jsonl`; raise LineBroken."""
    return _read(_checkpoints, line)


def read_link(line: bytes) -> LinkLine:
    """Read a line of `bindings/succession.jsonl`; raise LineBroken."""
    return _read(_links, line)


def read_deletion(line: bytes) -> DeletionLine:
    """Read a line of `deletions.jsonl`; raise LineBroken."""
    return _read(_deletions, line)


def read_manifest(content: bytes) -> Manifest:
    """Read `manifest.json`; raise LineBroken, also for a time that is none."""
    manifest = _read(_manifest, content)
    try:
        times = [manifest.asked.start, manifest.asked.end]
        for stretch in manifest.stretches:
            times += [stretch.start, *([] if stretch.end is None else [stretch.end])]
        for time in times:
            parse_rfc3339(time)
    except ValueError as error:
        raise LineBroken(str(error)) from error
    return manifest


def _read(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    try:
        value = decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise LineBroken(str(error)) from error
    if encode(value) != data:
        raise LineBroken("not canonical JSON of the known fields and a newline")
    return value
