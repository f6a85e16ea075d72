"""Edge: sealing to a public key with HPKE (RFC 9180 base mode), which draws randomness.

What a badge said is sealed to the gateway *before* it is written (DESIGN 3.6); a roster is
sealed to its terminal. X25519, HKDF-SHA256, ChaCha20-Poly1305; the result is enc ‖ ciphertext.
"""

from __future__ import annotations

import hashlib
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

SEALED_SIZE_MAX = 2048
OVERHEAD = 32 + 16

_suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class SealBroken(ValueError):
    """The sealed bytes do not open: another key, another place, or altered."""


class Sealer(Protocol):
    """The seam: real HPKE, and a seeded twin in the simulation."""

    def __call__(self, public: bytes, plaintext: bytes, info: bytes) -> bytes:
        """Seal to a raw X25519 public key."""


def payload_info(origin: str, seq: int) -> bytes:
    """Bind a payload to its place: the entry's first (origin, seq)."""
    return f"ciao/1 {origin} {seq}".encode()


def key_id(public: bytes) -> str:
    """Name an HPKE key: 16 hex digits of SHA-256 of its raw public bytes."""
    return hashlib.sha256(public).hexdigest()[:16]


def seal(public: bytes, plaintext: bytes, info: bytes) -> bytes:
    """Seal to a raw X25519 public key; OVERHEAD bytes longer than the plaintext."""
    return _suite.encrypt(plaintext, X25519PublicKey.from_public_bytes(public), info)


def unseal(private: X25519PrivateKey, sealed: bytes, info: bytes) -> bytes:
    """Open what `seal` made for this key and this place; raise SealBroken."""
    try:
        return _suite.decrypt(sealed, private, info)
    except (InvalidTag, ValueError) as error:
        raise SealBroken("sealed for another key or another place, or altered") from error
