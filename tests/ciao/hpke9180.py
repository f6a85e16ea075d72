"""RFC 9180 written a second time, for one suite and from its pseudocode: a witness for tests.

Base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305, one message (sequence
number 0), any aad, and an ephemeral key that is given, so that published vectors can be run.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

KEM_SUITE = b"KEM" + (0x0020).to_bytes(2, "big")
SUITE = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in (0x0020, 0x0001, 0x0003))


def labeled_extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    """RFC 9180 section 4."""
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + material, hashlib.sha256)


def labeled_expand(suite: bytes, secret: bytes, label: bytes, info: bytes, size: int) -> bytes:
    """RFC 9180 section 4."""
    labeled = size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    out, block, counter = b"", b"", 1
    while len(out) < size:
        block = hmac.digest(secret, block + labeled + bytes([counter]), hashlib.sha256)
        out, counter = out + block, counter + 1
    return out[:size]


def public(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def dh(private: bytes, other: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).exchange(
        X25519PublicKey.from_public_bytes(other)
    )


def shared_secret(exchanged: bytes, enc: bytes, recipient: bytes) -> bytes:
    """ExtractAndExpand, section 4.1."""
    extracted = labeled_extract(KEM_SUITE, b"", b"eae_prk", exchanged)
    return labeled_expand(KEM_SUITE, extracted, b"shared_secret", enc + recipient, 32)


def key_schedule(shared: bytes, info: bytes) -> tuple[bytes, bytes]:
    """Key and base nonce, section 5.1, mode 0."""
    hashes = [
        labeled_extract(SUITE, b"", b"psk_id_hash", b""),
        labeled_extract(SUITE, b"", b"info_hash", info),
    ]
    context = b"\x00" + b"".join(hashes)
    secret = labeled_extract(SUITE, shared, b"secret", b"")
    return (
        labeled_expand(SUITE, secret, b"key", context, 32),
        labeled_expand(SUITE, secret, b"base_nonce", context, 12),
    )


def seal(recipient: bytes, ephemeral: bytes, info: bytes, aad: bytes, plaintext: bytes) -> bytes:
    """Return enc ‖ ciphertext; `ephemeral` is the private key that must never be used twice."""
    enc = public(ephemeral)
    key, nonce = key_schedule(shared_secret(dh(ephemeral, recipient), enc, recipient), info)
    return enc + ChaCha20Poly1305(key).encrypt(nonce, plaintext, aad)


def unseal(private: bytes, info: bytes, aad: bytes, sealed: bytes) -> bytes:
    enc, ciphertext = sealed[:32], sealed[32:]
    key, nonce = key_schedule(shared_secret(dh(private, enc), enc, public(private)), info)
    return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, aad)
