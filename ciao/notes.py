"""Signed notes (C2SP signed-note): the one way anything is signed here.

A note is a text, an empty line, and signature lines `— <name> <base64(key id ‖ signature)>`.
Checkpoints, segment certificates, bindings, rosters and successions are all notes, so one
verifier, ours or Go's `sumdb/note`, reads every signature of the system.

Ed25519 signing is deterministic, so signing is no edge; making a key is (`ciao.keys`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = 0x01
COSIGNATURE_V1 = 0x04
NOTE_SIZE_MAX = 256 * 1024
SIGNATURES_MAX = 16
_KEY_SIZE = 32
_ID_SIZE = 4
_NOT_IN_A_NAME = re.compile(r"[\s\x00-\x1f+]")
_NOT_IN_A_TEXT = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteBroken(ValueError):
    """A note is malformed, or no signature on it is by the key asked for."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name it signs as: `<name>+<id>+<base64(type ‖ key)>`.

    `kind` is ED25519 (C2SP signed-note) or COSIGNATURE_V1 (C2SP tlog-cosignature).
    """

    name: str
    public: bytes
    kind: int = ED25519

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that lead every signature by this key."""
        return _key_id(self.name, self.kind, self.public)

    def __str__(self) -> str:
        encoded = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read the written form back; raise NoteBroken, also when the id does not fit."""
        try:
            name, key_id, encoded = text.split("+", 2)
            raw = _unbase64(encoded)
        except (ValueError, binascii.Error) as error:
            raise NoteBroken("a verifier key is <name>+<id>+<base64>") from error
        if len(raw) != 1 + _KEY_SIZE or raw[0] not in (ED25519, COSIGNATURE_V1):
            raise NoteBroken("a verifier key of a type that is not known here")
        key = cls(_name(name), raw[1:], raw[0])
        if key.key_id.hex() != key_id:
            raise NoteBroken("a verifier key whose id is not its own")
        return key


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who, and the bytes after the key id."""

    name: str
    key_id: bytes
    blob: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text (ending in a newline) with the signatures on it."""

    text: str
    signatures: tuple[Signature, ...] = ()

    def encode(self) -> str:
        """Write the note out whole."""
        lines = [
            f"\u2014 {s.name} {base64.b64encode(s.key_id + s.blob).decode()}\n"
            for s in self.signatures
        ]
        return self.text + "\n" + "".join(lines)

    def plus(self, signature: Signature) -> Note:
        """Return the note with one more signature at its end."""
        return Note(self.text, (*self.signatures, signature))


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with the name it signs as."""

    name: str
    private: Ed25519PrivateKey

    def verifier(self, kind: int = ED25519) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, self.private.public_key().public_bytes_raw(), kind)

    def sign(self, text: str) -> Note:
        """Make a note of a text: a new note with this one signature."""
        text = _text(text)
        return Note(text, (self._signature(ED25519, self.private.sign(text.encode())),))

    def cosign(self, note: Note, timestamp_s: int) -> Note:
        """Add a timed cosignature/v1: "I have seen this checkpoint, and no other of its size"."""
        blob = self.private.sign(_cosigned(timestamp_s, note.text))
        return note.plus(self._signature(COSIGNATURE_V1, struct.pack(">Q", timestamp_s) + blob))

    def _signature(self, kind: int, blob: bytes) -> Signature:
        return Signature(self.name, self.verifier(kind).key_id, blob)


def _cosigned(timestamp_s: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {timestamp_s}\n{text}".encode()


def _unbase64(text: str) -> bytes:
    """Read base64 in its one spelling; Python alone would take needless padding, Go does not."""
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:
        raise ValueError("base64 that is not canonical")
    return raw


def _name(name: str) -> str:
    if not name or _NOT_IN_A_NAME.search(name):
        raise NoteBroken("a key name may not be empty or hold a space, a control or a plus")
    return name


def _text(text: str) -> str:
    if not text.endswith("\n"):
        raise NoteBroken("a note's text ends in a newline")
    if _NOT_IN_A_TEXT.search(text):
        raise NoteBroken("a note's text holds a control character")
    return text


def parse(encoded: str) -> Note:
    """Read a note; raise NoteBroken. Signatures are read, not checked."""
    if len(encoded) > NOTE_SIZE_MAX:
        raise NoteBroken(f"a note longer than {NOTE_SIZE_MAX}")
    cut = encoded.rfind("\n\n")
    if cut < 0 or not encoded.endswith("\n"):
        raise NoteBroken("a note without its empty line")
    text, tail = encoded[: cut + 1], encoded[cut + 2 :]
    lines = tail.split("\n")[:-1]
    if not 1 <= len(lines) <= SIGNATURES_MAX:
        raise NoteBroken(f"a note has 1 to {SIGNATURES_MAX} signatures")
    return Note(_text(text), tuple(_parse_signature(line) for line in lines))


def _parse_signature(line: str) -> Signature:
    words = line.split(" ")
    if len(words) != 3 or words[0] != "\u2014":
        raise NoteBroken("a malformed signature line")
    try:
        raw = _unbase64(words[2])
    except (ValueError, binascii.Error) as error:
        raise NoteBroken("a signature that is not base64") from error
    if len(raw) <= _ID_SIZE:
        raise NoteBroken("a signature that is too short")
    return Signature(_name(words[1]), raw[:_ID_SIZE], raw[_ID_SIZE:])


def verify(note: Note, key: VerifierKey) -> None:
    """Raise NoteBroken unless the note carries this Ed25519 key's signature."""
    for blob in _blobs(note, key):
        _check(key, blob, note.text.encode())
        return
    raise NoteBroken(f"not signed by {key.name}")


def signed_by_any(note: Note, keys: Sequence[VerifierKey]) -> bool:
    """Say whether one of these keys signed the note."""
    for key in keys:
        try:
            verify(note, key)
        except NoteBroken:
            continue
        return True
    return False


def cosignature_time(note: Note, key: VerifierKey) -> int:
    """Return the whole seconds at which this key cosigned the note; raise NoteBroken."""
    for blob in _blobs(note, key):
        if len(blob) != 8 + 64:
            raise NoteBroken("a cosignature of the wrong length")
        (timestamp_s,) = struct.unpack(">Q", blob[:8])
        if timestamp_s >= 2**63:
            raise NoteBroken("a cosignature from beyond the end of time (C2SP: 2^63 - 1)")
        _check(key, blob[8:], _cosigned(timestamp_s, note.text))
        return int(timestamp_s)
    raise NoteBroken(f"not cosigned by {key.name}")


def _blobs(note: Note, key: VerifierKey) -> list[bytes]:
    return [s.blob for s in note.signatures if s.name == key.name and s.key_id == key.key_id]


# A log has one key and half a million signatures: what a key alone decides is found once.
@lru_cache(maxsize=1024)
def _key_id(name: str, kind: int, public: bytes) -> bytes:
    named = name.encode() + b"\n" + bytes([kind]) + public
    return hashlib.sha256(named).digest()[:_ID_SIZE]


@lru_cache(maxsize=1024)
def _loaded(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)


def _check(key: VerifierKey, signature: bytes, message: bytes) -> None:
    try:
        _loaded(key.public).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise NoteBroken(f"a bad signature in the name of {key.name}") from error
