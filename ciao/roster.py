"""Rosters: how a terminal greets a badge without knowing whose it is.

Signed by the provisioning key (terminal and serial inside), then sealed to the terminal.
A badge is found by HMAC(uid) under a key of that terminal alone; a hash without a key would be
no protection (all UIDs hash in seconds).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Meta, Struct

from ciao import canonical, notes
from ciao.binding import BindingRefused, Key32
from ciao.entries import Natural
from ciao.notes import Signer, VerifierKey
from ciao.sealing import OVERHEAD, SealBroken, Sealer, unseal

ROSTER_SIZE_MAX = 192 * 1024
SEALED_ROSTER_MAX = ROSTER_SIZE_MAX + OVERHEAD + 1024


class Holder(Struct, frozen=True, omit_defaults=True):
    """What a terminal shows for a badge."""

    initials: Annotated[str, Meta(max_length=8)]
    language: Annotated[str, Meta(pattern=r"^[a-z]{2}\Z")] | None = None
    revoked: bool = False


class Roster(Struct, frozen=True, kw_only=True, tag_field="kind", tag="roster"):
    """The badges a terminal may expect, by HMAC(uid) in hex under `key`."""

    v: Literal[1]
    serial: Natural
    terminal: str
    key: Key32
    badges: dict[str, Holder]

    @property
    def hash_key(self) -> bytes:
        """The key that names badges at this terminal alone."""
        return base64.b64decode(self.key)

    def find(self, uid: bytes) -> Holder | None:
        """Return what is known of a badge, or None."""
        return self.badges.get(badge_hash(self.hash_key, uid))


_decoder = msgspec.json.Decoder(Roster)


def badge_hash(key: bytes, uid: bytes) -> str:
    """Name a badge under a terminal's key: the first 32 hex digits of HMAC-SHA-256(key, uid)."""
    return hmac.new(key, uid, hashlib.sha256).hexdigest()[:32]


def _info(terminal: str) -> bytes:
    return f"ciao/1 roster {terminal}".encode()


def seal_roster(roster: Roster, signer: Signer, terminal_key: bytes, seal: Sealer) -> bytes:
    """Sign a roster and seal it to a terminal's raw X25519 key: the retained message."""
    note = signer.sign(canonical.encode(roster).decode() + "\n").encode()
    return seal(terminal_key, note.encode(), _info(roster.terminal))


def open_roster(
    sealed: bytes,
    private: X25519PrivateKey,
    keys: Sequence[VerifierKey],
    terminal: str,
    serial_min: int,
) -> Roster:
    """Unseal and check a roster; raise BindingRefused with the reason (as for a binding)."""
    if len(sealed) > SEALED_ROSTER_MAX:
        raise BindingRefused("malformed", f"{len(sealed)} bytes")
    try:
        note = notes.parse(unseal(private, sealed, _info(terminal)).decode())
        body = note.text.removesuffix("\n").encode()
    except (SealBroken, ValueError) as error:
        raise BindingRefused("malformed", str(error)) from error
    if not notes.signed_by_any(note, keys):
        raise BindingRefused("signature", "not signed by a provisioning key that is trusted here")
    try:
        canonical.decode(body, ROSTER_SIZE_MAX)
        roster = _decoder.decode(body)
    except ValueError as error:
        raise BindingRefused("malformed", str(error)) from error
    if roster.terminal != terminal:
        raise BindingRefused("foreign", f"for terminal {roster.terminal}")
    if roster.serial < serial_min:
        raise BindingRefused("older", f"serial {roster.serial} < {serial_min}")
    return roster
