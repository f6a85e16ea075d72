"""The messages between terminal and gateway, JSON over MQTT (DESIGN 4, docs/protocol).

Everything here faces a wire: sizes are checked before bytes are read, and what does not fit
becomes `WireBroken`, which the receiver counts and answers, never a crash.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from ciao.entries import LEAF_SIZE_MAX, Natural, Text
from ciao.sealing import SEALED_SIZE_MAX

BATCH_SIZE_MAX = 256 * 1024
BATCH_ENTRIES_MAX = 200
MESSAGE_SIZE_MAX = 64 * 1024
OUTCOMES_MAX = 200

NoteText = Annotated[str, Meta(max_length=4096)]
LeafText = Annotated[str, Meta(max_length=LEAF_SIZE_MAX)]

# Why a batch was refused as a whole. Nothing of it was stored.
BatchRefusal = Literal[
    "malformed",
    "oversized",
    "unknown_terminal",
    "revoked",
    "certificate",
    "signature",
    "root",
    "fork",
    "segments",
]


class WireBroken(ValueError):
    """A message does not have its form; `reason` is `malformed` or `oversized`."""

    def __init__(self, reason: Literal["malformed", "oversized"], detail: str) -> None:
        super().__init__(detail)
        self.reason: Literal["malformed", "oversized"] = reason


class Batch(Struct, frozen=True, kw_only=True):
    """Entries `start` … of one origin, and the checkpoint right after the last of them.

    `payloads` holds, by sequence number, the sealed bytes in base64, or "" where they were
    deleted on purpose (a `deletion` entry says so).
    """

    origin: Text
    start: Natural = field(name="from")
    leaves: Annotated[list[LeafText], Meta(min_length=1, max_length=BATCH_ENTRIES_MAX)]
    payloads: dict[str, Annotated[str, Meta(max_length=4 * SEALED_SIZE_MAX)]]
    checkpoint: NoteText
    notes: Annotated[list[NoteText], Meta(max_length=BATCH_ENTRIES_MAX + 1)]
    certificate: NoteText

    @property
    def end(self) -> int:
        """The tree size after this batch."""
        return self.start + len(self.leaves)


class Receipt(Struct, frozen=True):
    """A terminal's checkpoint with the gateway's cosignature: the proof of custody."""

    checkpoint: NoteText
    certificate: NoteText


class ResendFrom(Struct, frozen=True):
    """Please send again from here: the gateway lacks it."""

    origin: Text
    seq: Natural


class Refusal(Struct, frozen=True):
    """A batch was refused; `note` is the SHA-256 of its checkpoint note, "" if it had none."""

    reason: BatchRefusal
    note: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?\Z")]


class Hint(Struct, frozen=True, omit_defaults=True):
    """Advice that changes nothing by itself: exactly one of the two."""

    resend_from: ResendFrom | None = None
    refused: Refusal | None = None


class Outcome(Struct, frozen=True, omit_defaults=True):
    """What became of one tap; `state` of ciao.registration.State, `reason` a closed code."""

    origin: Text
    seq: Natural
    state: Annotated[str, Meta(max_length=16)]
    reason: Annotated[str, Meta(max_length=48)] | None = None


class Outcomes(Struct, frozen=True):
    """Outcomes, newest last."""

    outcomes: Annotated[list[Outcome], Meta(min_length=1, max_length=OUTCOMES_MAX)]


class Online(Struct, frozen=True):
    """A terminal's state, retained; also its will, with `online` false."""

    online: bool
    since: Text
    size: Natural
    backlog: Natural
    firmware: Text


class GatewayOnline(Struct, frozen=True):
    """A gateway's presence, retained; also its will, with `online` false."""

    online: bool
    since: Text


M = TypeVar("M")
_decoders: dict[type, msgspec.json.Decoder[object]] = {
    kind: msgspec.json.Decoder(kind)
    for kind in (Batch, Receipt, Hint, Outcomes, Online, GatewayOnline)
}


def encode(message: Struct) -> bytes:
    """Write a message."""
    return msgspec.json.encode(message)


def decode(kind: type[M], payload: bytes) -> M:
    """Read a message of one kind; raise WireBroken."""
    size_max = BATCH_SIZE_MAX if kind is Batch else MESSAGE_SIZE_MAX
    if len(payload) > size_max:
        raise WireBroken("oversized", f"{len(payload)} bytes, at most {size_max} are allowed")
    try:
        message = _decoders[kind].decode(payload)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise WireBroken("malformed", str(error)) from error
    assert isinstance(message, kind)
    return message


def encode_payload(sealed: bytes) -> str:
    """Write sealed bytes for a batch."""
    return base64.b64encode(sealed).decode()


def decode_payload(text: str) -> bytes:
    """Read sealed bytes of a batch; raise WireBroken."""
    try:
        sealed = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise WireBroken("malformed", "a payload that is not base64") from error
    if len(sealed) > SEALED_SIZE_MAX:
        raise WireBroken("oversized", "a payload that is too long")
    return sealed
