"""A seeded twin of sealing: the same shape and the same failures as HPKE, but it replays.

Whoever knows the public key can open it: a twin keeps no secrets, it only keeps places apart.
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from ciao.keys import RandomBytes
from ciao.sealing import SealBroken, Sealer

_NONCE = bytes(12)


def twin_sealer(random_bytes: RandomBytes) -> Sealer:
    """Seal with an ephemeral part drawn from the seed."""

    def seal(public: bytes, plaintext: bytes, info: bytes) -> bytes:
        drawn = random_bytes(32)
        return drawn + _cipher(drawn, public, info).encrypt(_NONCE, plaintext, None)

    return seal


def twin_open(public: bytes, sealed: bytes, info: bytes) -> bytes:
    """Open what the twin sealed; raise SealBroken as HPKE would."""
    try:
        return _cipher(sealed[:32], public, info).decrypt(_NONCE, sealed[32:], None)
    except (InvalidTag, ValueError) as error:
        raise SealBroken("sealed for another place") from error


class PlainSealer:
    """Leaves what the ONSS was sent and answered as it is, for whoever looks into a ledger."""

    def seal(self, plaintext: bytes, _info: bytes) -> bytes:
        """Seal nothing."""
        return plaintext

    def open(self, sealed: bytes, _info: bytes) -> bytes:
        """Open nothing."""
        return sealed


def _cipher(drawn: bytes, public: bytes, info: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(hashlib.sha256(drawn + public + info).digest())
