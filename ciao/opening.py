"""The opening of an entry: what a badge said, salted, before it is sealed.

Its SHA-256 is in the leaf, so that identity can be disclosed and proven later; the salt keeps
the hash from being tried against all UIDs.
"""

from __future__ import annotations

import hashlib
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from ciao import canonical

OPENING_SIZE_MAX = 1024
SALT_SIZE = 16

_Hex = Annotated[str, Meta(pattern=r"^([0-9a-f]{2}){1,64}\Z")]


class Opening(Struct, frozen=True, omit_defaults=True):
    """Salt and UID in lower-case hex; `picc` and `cmac` for SUN badges (NXP AN12196)."""

    salt: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    uid: _Hex
    picc: _Hex | None = None
    cmac: _Hex | None = None


_decoder = msgspec.json.Decoder(Opening)


def encode(opening: Opening) -> bytes:
    """Write the plaintext that is sealed."""
    return canonical.encode(opening)


def decode(plaintext: bytes) -> Opening:
    """Read an unsealed plaintext; raise ValueError."""
    canonical.decode(plaintext, OPENING_SIZE_MAX)
    return _decoder.decode(plaintext)


def commitment(plaintext: bytes) -> str:
    """Return what the leaf holds of it: SHA-256 in hex."""
    return hashlib.sha256(plaintext).hexdigest()
