"""Edge: what the ONSS was sent and answered is encrypted in the ledger; it draws nonces.

ChaCha20-Poly1305 (RFC 8439), nonce ‖ ciphertext, bound to its call or search. One key file,
32 raw bytes.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from ciao.errors import BadInput
from ciao.keys import RandomBytes, read_secret
from ciao.sealing import SealBroken

KEY_SIZE = 32
_NONCE_SIZE = 12


class AnswerKey:
    """Seals and opens what was sent and answered (a `gateway.forwarding.answers.Sealer`)."""

    def __init__(self, key: bytes, random_bytes: RandomBytes) -> None:
        self._aead = ChaCha20Poly1305(key)
        self._random_bytes = random_bytes

    def seal(self, plaintext: bytes, info: bytes) -> bytes:
        """Seal something for its place."""
        nonce = self._random_bytes(_NONCE_SIZE)
        return nonce + self._aead.encrypt(nonce, plaintext, info)

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """Open what `seal` made for this place; raise SealBroken."""
        try:
            return self._aead.decrypt(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], info)
        except (InvalidTag, ValueError) as error:
            raise SealBroken("sealed with another key or for another place, or altered") from error


def load(path: Path, random_bytes: RandomBytes) -> AnswerKey:
    """Read the key file; raise BadInput."""
    key = read_secret(path)
    if len(key) != KEY_SIZE:
        raise BadInput(f"{path} holds {len(key)} bytes", f"an answers key has exactly {KEY_SIZE}")
    return AnswerKey(key, random_bytes)
