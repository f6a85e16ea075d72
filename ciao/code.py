"""One-time codes: what a person carries from the office to a terminal that knows nobody yet.

Forty characters in eight groups: 16 of a secret, 22 that name the certificate authority, 2 that
notice a typing mistake (docs/protocol/enrolment.md, decision 17). Crockford's base 32 has no I, L,
O or U, and reads 1 for the first two and 0 for the third.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ciao.errors import BadInput

SECRET_SIZE = 10
_SECRET, _AUTHORITY, _CHECK = 16, 22, 2
_GROUP = 5
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FORM = re.compile(rf"[{_ALPHABET}]{{{_SECRET + _AUTHORITY + _CHECK}}}")
_READS = str.maketrans("OIL", "011", "- ")


@dataclass(frozen=True, slots=True)
class Code:
    """A code as it was read: the secret, and the beginning of the authority's fingerprint.

    `bearer` is what the gateway is shown. `office_key` is known to the office and the terminal
    alone: by it each proves to the other what went through the gateway's hands.
    """

    secret: bytes
    authority: str

    @property
    def bearer(self) -> str:
        """What the terminal shows at enrolment: 32 hex digits."""
        return _derived(self.secret, "gateway", 16).hex()

    @property
    def office_key(self) -> bytes:
        """The key of the proofs between office and terminal: 32 bytes."""
        return _derived(self.secret, "office", 32)

    def names(self, authority: bytes) -> bool:
        """Say whether this is the authority (its certificate, DER) that the code names."""
        return hmac.compare_digest(self.authority, fingerprint(authority))

    def __str__(self) -> str:
        text = _base32(self.secret, _SECRET) + self.authority
        text += _check(text)
        return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def parse(text: str) -> Code:
    """Read a code as a person types it; raise BadInput."""
    plain = text.strip().upper().translate(_READS)
    if not _FORM.fullmatch(plain):
        raise BadInput(
            "that is no enrolment code",
            "eight groups of five, as `terminal code` printed it",
        )
    body, check = plain[:-_CHECK], plain[-_CHECK:]
    if _check(body) != check:
        raise BadInput("that code is mistyped", "compare it group by group with what was printed")
    number = 0
    for letter in body[:_SECRET]:
        number = number * 32 + _ALPHABET.index(letter)
    return Code(number.to_bytes(SECRET_SIZE, "big"), body[_SECRET:])


def fingerprint(authority: bytes) -> str:
    """Name a certificate (DER) by 110 bits of its SHA-256, in 22 characters."""
    return _base32(hashlib.sha256(authority).digest(), _AUTHORITY)


def _check(body: str) -> str:
    return _base32(hashlib.sha256(body.encode()).digest(), _CHECK)


def _base32(data: bytes, length: int) -> str:
    bits = int.from_bytes(data, "big") >> (len(data) * 8 - length * 5)
    return "".join(_ALPHABET[bits >> (5 * at) & 31] for at in reversed(range(length)))


def _derived(secret: bytes, purpose: str, size: int) -> bytes:
    return HKDF(SHA256(), size, None, f"ciao/1 enrolment {purpose}".encode()).derive(secret)
