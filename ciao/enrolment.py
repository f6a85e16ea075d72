"""What a terminal and an enrolment server say to each other, JSON over HTTPS.

The fields, and what is proven by whom: docs/protocol/enrolment.md. Everything here faces a wire:
sizes are checked before bytes are read; what does not fit becomes `EnrolmentBroken`.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from typing import Annotated, Literal, TypeVar

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Meta, Struct

from ciao.certificates import UNREADABLE

REQUEST_SIZE_MAX = 16 * 1024
ANSWER_SIZE_MAX = 64 * 1024

AUTHORITY_PATH = "/authority"
ENROL_PATH = "/enrol"
CHALLENGE_PATH = "/challenge"
RENEW_PATH = "/renew"
REVOKED_PATH = "/revoked"

Key32 = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{43}=\Z")]
Signature64 = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{86}==\Z")]
Hex16 = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Line = Annotated[str, Meta(min_length=1, max_length=256)]
Pem = Annotated[str, Meta(max_length=8192)]
NoteText = Annotated[str, Meta(max_length=4096)]

Reason = Literal[
    "malformed",
    "code_unknown",
    "code_used",
    "code_expired",
    "too_many",
    "unknown_terminal",
    "revoked",
    "signature",
    "challenge",
]


class EnrolmentBroken(ValueError):
    """A message or a signing request does not have its form."""


class Enrol(Struct, frozen=True):
    """A fresh terminal's request: whose bearer it is, and the keys that were born on it.

    `proof` is for the office, `signature` by the enrolled key; both over `enrol_text`.
    """

    bearer: Hex16
    enrolled: Key32
    seal: Key32
    csr: Pem
    proof: Hex32
    signature: Signature64


class Welcome(Struct, frozen=True, omit_defaults=True):
    """What the terminal is from now on. `proof` is the office's, over `trust_text`."""

    terminal: Line
    domain: Line
    provisioning_key: Line
    proof: Hex32
    certificate: Pem
    broker_host: Line
    broker_port: Annotated[int, Meta(ge=1, le=65535)]
    readers: Annotated[dict[str, str], Meta(min_length=1, max_length=2)]
    time_zone: Line
    language: Line
    predecessor: NoteText | None = None


class Challenge(Struct, frozen=True):
    """Something to sign, good for five minutes, and the server's time in UTC seconds."""

    challenge: Line
    time: Annotated[int, Meta(ge=0, lt=2**53)]


class Renew(Struct, frozen=True):
    """Please certify this key of mine anew; `signature` by the enrolled key over `renew_text`."""

    terminal: Line
    challenge: Line
    csr: Pem
    signature: Signature64


class Renewed(Struct, frozen=True):
    """The new certificate, and the issuer's after it."""

    certificate: Pem


class Refused(Struct, frozen=True):
    """The request was refused, and nothing was changed by it."""

    refused: Reason


M = TypeVar("M", bound=Struct)


def encode(message: Struct) -> bytes:
    """Write a message."""
    return msgspec.json.encode(message)


def decode(kind: type[M], body: bytes) -> M:
    """Read a message of one kind; raise EnrolmentBroken."""
    size_max = REQUEST_SIZE_MAX if kind in (Enrol, Renew) else ANSWER_SIZE_MAX
    if len(body) > size_max:
        raise EnrolmentBroken(f"{len(body)} bytes, at most {size_max} are allowed")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise EnrolmentBroken(str(error)) from error


def requested_key(csr: str) -> ec.EllipticCurvePublicKey:
    """Return the key of a signing request, its own signature checked; raise EnrolmentBroken.

    Of the request nothing else counts: what the certificate says is the issuer's business.
    """
    try:
        request = x509.load_pem_x509_csr(csr.encode())
        key = request.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
            raise EnrolmentBroken("a signing request for a key that is not P-256")
        if not request.is_signature_valid:
            raise EnrolmentBroken("a signing request that is not signed by its own key")
    except UNREADABLE as error:
        raise EnrolmentBroken(f"not a signing request: {error}") from error
    return key


def key_digest(key: ec.EllipticCurvePublicKey) -> str:
    """Name a TLS key: SHA-256 of its SubjectPublicKeyInfo, 64 hex digits."""
    encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(encoded).hexdigest()


def enrol_text(bearer: str, enrolled: str, seal: str, tls: str) -> bytes:
    """What a fresh terminal signs and proves; `tls` is the digest of its TLS key."""
    return f"ciao/1 enrol\n{bearer}\n{enrolled}\n{seal}\n{tls}\n".encode()


def trust_text(terminal: str, domain: str, provisioning_key: str) -> bytes:
    """What the office proves: whom the code's bearer becomes, and whose bindings it trusts."""
    return f"ciao/1 trust\n{terminal}\n{domain}\n{provisioning_key}\n".encode()


def renew_text(terminal: str, challenge: str, tls: str) -> bytes:
    """What a terminal signs to have its TLS key certified anew."""
    return f"ciao/1 renew\n{terminal}\n{challenge}\n{tls}\n".encode()


def prove(office_key: bytes, text: bytes) -> str:
    """Prove a text to whoever else has the code: HMAC-SHA-256, 64 hex digits."""
    return hmac.digest(office_key, text, "sha256").hex()


def proven(office_key: bytes, text: bytes, proof: str) -> bool:
    """Say whether a proof holds."""
    return hmac.compare_digest(prove(office_key, text), proof)


def sign(key: Ed25519PrivateKey, text: bytes) -> str:
    """Sign a text by the enrolled key."""
    return b64encode(key.sign(text)).decode()


def signed(public: bytes, text: bytes, signature: str) -> bool:
    """Say whether a signature by an Ed25519 key (raw) holds."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(b64decode(signature), text)
    except (InvalidSignature, ValueError):
        return False
    return True
