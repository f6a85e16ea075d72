"""Edge: what identifies a person is encrypted before it reaches a file, and found by a keyed hash.

One key file; from it, by HKDF (RFC 5869), a key to encrypt with and one for each kind of hash, so
that no hash of one kind can be looked up among another. ChaCha20-Poly1305 (RFC 8439) with a random
nonce: the same NISS never looks the same twice. A hash without a key would be no protection (all
NISS hash in 14 s on one core).
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ciao.errors import BadInput
from ciao.keys import RandomBytes, read_secret, write_secret

KEY_SIZE = 32
_NONCE_SIZE = 12


class FieldBroken(ValueError):
    """An encrypted field does not open: another key, another row, or altered."""


class Fields:
    """Encrypts, decrypts and hashes the registry's fields under one data key."""

    def __init__(self, data_key: bytes, random_bytes: RandomBytes) -> None:
        if len(data_key) != KEY_SIZE:
            raise BadInput(f"a registry key of {len(data_key)} bytes", f"it has exactly {KEY_SIZE}")
        self._random_bytes = random_bytes
        self._aead = ChaCha20Poly1305(_derived(data_key, "encrypt"))
        self._hash_keys = {
            name: _derived(data_key, f"hash {name}") for name in ("ssin", "uid", "code")
        }
        self.check = hmac.digest(_derived(data_key, "check"), b"ciao/1", "sha256")

    def encrypt(self, plaintext: bytes, table: str, column: str, row: int) -> bytes:
        """Return nonce ‖ ciphertext, which opens only in this column of this row."""
        nonce = self._random_bytes(_NONCE_SIZE)
        return nonce + self._aead.encrypt(nonce, plaintext, _place(table, column, row))

    def decrypt(self, stored: bytes, table: str, column: str, row: int) -> bytes:
        """Open what `encrypt` made for this column of this row; raise FieldBroken."""
        nonce, ciphertext = stored[:_NONCE_SIZE], stored[_NONCE_SIZE:]
        try:
            return self._aead.decrypt(nonce, ciphertext, _place(table, column, row))
        except (InvalidTag, ValueError) as error:
            raise FieldBroken(f"{table}.{column} of row {row} does not open") from error

    def ssin_hash(self, ssin: str) -> bytes:
        """Name a person without saying who: 32 bytes, HMAC-SHA-256."""
        return hmac.digest(self._hash_keys["ssin"], ssin.encode(), hashlib.sha256)

    def uid_hash(self, uid: bytes) -> bytes:
        """Name a badge without its UID: 32 bytes, HMAC-SHA-256."""
        return hmac.digest(self._hash_keys["uid"], uid, hashlib.sha256)

    def code_hash(self, bearer: str) -> bytes:
        """Name a one-time code by what its bearer shows: 32 bytes, HMAC-SHA-256."""
        return hmac.digest(self._hash_keys["code"], bearer.encode(), hashlib.sha256)


def new_key(path: Path, random_bytes: RandomBytes) -> None:
    """Make a data key's file: 32 raw bytes, mode 0600; raise BadInput if it exists."""
    write_secret(path, random_bytes(KEY_SIZE))


def load(path: Path, random_bytes: RandomBytes) -> Fields:
    """Read a data key; raise BadInput where it is missing, too short, or others can read it."""
    return Fields(read_secret(path), random_bytes)


def _derived(data_key: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), KEY_SIZE, None, f"ciao/1 registry {purpose}".encode()).derive(data_key)


def _place(table: str, column: str, row: int) -> bytes:
    return f"{table}/{column}/{row}".encode()
