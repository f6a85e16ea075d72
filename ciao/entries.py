"""The entries of a journal: one struct a kind, and the canonical bytes (the leaf) of each.

`docs/protocol/entry.md` is the field table. No identifier of a person is in a leaf (DESIGN 3.3):
what a badge said lies beside it, sealed, and the leaf holds only the hashes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct, field

from ciao import canonical
from ciao.reading import ClockQuality, Reading, parse_rfc3339, rfc3339

LEAF_SIZE_MAX = 4096
# A new entry leaves room to say later, in another segment, where it first stood.
CARRIED_ROOM = 384
# How many notes a gateway's heartbeat names: so many fit a leaf, whatever the terminals' ids.
NOTES_MAX = 24

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
KeyId = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
Uuid = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]
Natural = Annotated[int, Meta(ge=0, le=canonical.SAFE_INTEGER)]
Text = Annotated[str, Meta(max_length=256)]

SegmentReason = Literal["new", "damaged", "rolled_back", "replaced", "yearly"]
RefusalReason = Literal["random_uid", "unreadable", "repeat", "no_direction", "unbound"]
Part = Literal["reader", "panel", "disk", "link", "broker", "gateway", "mains", "voltage", "onss"]
Affected = Literal["register", "submit"]


class Clock(Struct, frozen=True, omit_defaults=True):
    """How far `at` can be believed."""

    source: Literal["ntp", "rtc", "none"]
    synced: bool
    error_ms: Natural | None = None


class Carried(Struct, frozen=True):
    """The first place of an entry that a new segment took over unreceipted (DESIGN 3.4)."""

    origin: Text
    seq: Natural


class Previous(Struct, frozen=True, omit_defaults=True):
    """Where the log before this segment ended."""

    origin: Text
    size: Natural
    root: Sha256
    note: Sha256 | None = None


class SeqRange(Struct, frozen=True):
    """Entries [first, last] of one origin."""

    origin: Text
    first: Natural
    last: Natural


class _Common(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    v: Literal[1]
    seq: Natural
    at: Text
    boot: Uuid
    up_ms: Natural
    clock: Clock
    carried: Carried | None = None


class Segment(_Common, frozen=True, kw_only=True, tag="segment"):
    """Entry 0 of every segment: what came before, and why this one began."""

    why: SegmentReason
    firmware: Text
    previous: Previous | None = None


class Boot(_Common, frozen=True, kw_only=True, tag="boot"):
    """The terminal started; `clean` where the last stop was journalled."""

    clean: bool


class Shutdown(_Common, frozen=True, kw_only=True, tag="shutdown"):
    """The terminal was asked to stop."""


class BindingChanged(_Common, frozen=True, kw_only=True, tag="binding"):
    """A binding came into force."""

    serial: Natural
    binding: Sha256


class ClockStep(_Common, frozen=True, kw_only=True, tag="clock_step"):
    """The wall clock was set: the two times of one `up_ms`."""

    before: Text = field(name="from")
    after: Text = field(name="to")


class MaintenanceBegin(_Common, frozen=True, kw_only=True, tag="maintenance_begin"):
    """Somebody works on the terminal."""


class MaintenanceEnd(_Common, frozen=True, kw_only=True, tag="maintenance_end"):
    """The work on the terminal ended."""


class Deletion(_Common, frozen=True, kw_only=True, tag="deletion"):
    """Payloads were deleted on purpose; the leaves stay."""

    ranges: Annotated[list[SeqRange], Meta(max_length=16)]
    why: Text


class Tap(_Common, frozen=True, kw_only=True, tag="tap"):
    """A stamp: IN or OUT, by a badge that only the gateway can name."""

    direction: Literal["in", "out"]
    chosen: Literal["button", "lane"]
    declaration: Text
    binding: Sha256
    tier: Literal["uid", "sun", "aes"]
    key: KeyId
    payload: Sha256
    opening: Sha256


class Refused(_Common, frozen=True, kw_only=True, tag="refused"):
    """A tap that was not stamped, and why; the payload where a badge was read."""

    reason: RefusalReason
    key: KeyId | None = None
    payload: Sha256 | None = None
    opening: Sha256 | None = None


class OpenOutage(Struct, frozen=True):
    """An outage that is open, as a heartbeat names it."""

    outage: Uuid
    affected: Affected
    cause: Text
    since: Text


class Heartbeat(_Common, frozen=True, kw_only=True, tag="heartbeat"):
    """Each minute: what works, what is out, the newest cosigned note, what was refused and why.

    `notes` is a gateway's: the newest note that it cosigned of each terminal where that is a new
    one, by the terminal's id.
    """

    works: dict[Part, bool]
    note: Sha256 | None = None
    notes: Annotated[dict[Text, Sha256], Meta(max_length=NOTES_MAX)] = {}
    refused: dict[Text, Natural] = {}
    outages: Annotated[list[OpenOutage], Meta(max_length=2)] = []
    maintenance: bool = False


class OutageBegin(_Common, frozen=True, kw_only=True, tag="outage_begin"):
    """Registering or submitting stopped working, with the first sign at `since` if before `at`.

    `terminal` is a gateway's word: which terminal fell silent. So is `employer`: whose credential
    it is about, and nobody else's.
    """

    outage: Uuid
    cause: Text
    affected: Affected
    probes: dict[Text, Text]
    since: Text | None = None
    terminal: Text | None = None
    employer: Text | None = None


class OutageUpdate(_Common, frozen=True, kw_only=True, tag="outage_update"):
    """The cause of an outage became another; or it lasts, said again now and then."""

    outage: Uuid
    cause: Text
    affected: Affected
    probes: dict[Text, Text]
    since: Text | None = None
    terminal: Text | None = None
    employer: Text | None = None


class OutageEnd(_Common, frozen=True, kw_only=True, tag="outage_end"):
    """It works again, and has since `well_since`."""

    outage: Uuid
    cause: Text
    affected: Affected
    probes: dict[Text, Text]
    well_since: Text
    terminal: Text | None = None
    employer: Text | None = None


class Annotation(_Common, frozen=True, kw_only=True, tag="annotation"):
    """A person's note on an outage; document and text as salted hashes."""

    outage: Uuid
    document: Sha256 | None = None
    text: Sha256 | None = None


class Timestamp(_Common, frozen=True, kw_only=True, tag="timestamp"):
    """An outside authority stamped a list of checkpoints (RFC 3161), by the list's SHA-256."""

    document: Sha256


class TimestampFailed(_Common, frozen=True, kw_only=True, tag="timestamp_failed"):
    """An outside authority was asked for a time stamp and gave none that is proof."""

    why: Text


Entry = (
    Segment
    | Boot
    | Shutdown
    | BindingChanged
    | ClockStep
    | MaintenanceBegin
    | MaintenanceEnd
    | Deletion
    | Tap
    | Refused
    | Heartbeat
    | OutageBegin
    | OutageUpdate
    | OutageEnd
    | Annotation
    | Timestamp
    | TimestampFailed
)
KINDS = frozenset(str(kind.__struct_config__.tag) for kind in get_args(Entry))

_decoder: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)


class LeafBroken(ValueError):
    """A leaf breaks the rules of bytes; nothing can be made of it."""


class NotUnderstood(ValueError):
    """A leaf is canonical, but of a kind or with a value that this version does not know."""


def common(reading: Reading, seq: int) -> dict[str, Any]:
    """Return the fields every entry begins with, for the keyword arguments of a kind."""
    quality = reading.clock
    return {
        "v": 1,
        "seq": seq,
        "at": rfc3339(reading.at),
        "boot": reading.boot,
        "up_ms": reading.up_ms,
        "clock": Clock(quality.source, quality.synced, quality.error_ms),
    }


def reading_of(entry: Entry) -> Reading:
    """Return the moment an entry was made at."""
    clock = ClockQuality(entry.clock.source, entry.clock.synced, entry.clock.error_ms)
    return Reading(parse_rfc3339(entry.at), entry.boot, entry.up_ms, clock)


def encode(entry: Entry) -> bytes:
    """Write an entry as its leaf; raise LeafBroken if it would be too long or not canonical.

    Checked as a reader would: a leaf that the gateway refuses would stop the log for ever, and
    types alone let one through (a probe's name that is not ASCII, an integer of 2^53).
    """
    leaf = canonical.encode(entry)
    size_max = LEAF_SIZE_MAX - (0 if entry.carried else CARRIED_ROOM)
    if len(leaf) > size_max:
        raise LeafBroken(f"a leaf of {len(leaf)} bytes, at most {size_max} are allowed")
    if _read_at_once(leaf) is None:
        check_bytes(leaf)
    return leaf


def check_bytes(leaf: bytes) -> None:
    """Raise LeafBroken unless the bytes are a canonical leaf; its meaning is not judged."""
    try:
        canonical.decode(leaf, LEAF_SIZE_MAX)
    except canonical.NotCanonical as error:
        raise LeafBroken(str(error)) from error


def decode(leaf: bytes) -> Entry:
    """Read a leaf; raise LeafBroken for its bytes, NotUnderstood for its meaning."""
    return decode_with_time(leaf)[0]


def decode_with_time(leaf: bytes) -> tuple[Entry, datetime]:
    """Read a leaf and its `at`, as `decode` does."""
    entry = _read_at_once(leaf) or _read_slowly(leaf)
    try:
        return entry, parse_rfc3339(entry.at)
    except ValueError as error:
        raise NotUnderstood(str(error)) from error


def _read_at_once(leaf: bytes) -> Entry | None:
    """Read a leaf whose own kind proves its bytes canonical: nearly every one; else None.

    A kind's types allow no null, no float and no integer of 2^53; the one thing left to them is
    the keys of an open map, which are ASCII in a leaf that is ASCII. Then the same bytes again
    prove order, spacing and escapes, as in `canonical.decode`, at a fifth of its cost.
    """
    if len(leaf) > LEAF_SIZE_MAX or not leaf.isascii():
        return None
    try:
        entry = _decoder.decode(leaf)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None
    return entry if canonical.encode(entry) == leaf else None


def _read_slowly(leaf: bytes) -> Entry:
    """Read a leaf step by step, to say what is wrong with it."""
    check_bytes(leaf)
    try:
        entry = _decoder.decode(leaf)
    except (msgspec.ValidationError, ValueError) as error:
        raise NotUnderstood(str(error)) from error
    if canonical.encode(entry) != leaf:
        raise NotUnderstood("a field that this version does not know")
    return entry


class _Numbered(Struct, frozen=True):
    v: Literal[1]
    seq: Natural
    kind: Text
    at: Text


_numbered_decoder = msgspec.json.Decoder(_Numbered)


def seq_of(leaf: bytes) -> int:
    """Return the sequence number a leaf claims, of whatever kind; raise NotUnderstood."""
    try:
        return _numbered_decoder.decode(leaf).seq
    except msgspec.ValidationError as error:
        raise NotUnderstood(str(error)) from error
