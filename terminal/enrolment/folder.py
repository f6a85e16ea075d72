"""Edge: a terminal's own folder while it is being made: keys that are born there and stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from ciao.errors import BadInput
from ciao.keys import (
    RandomBytes,
    load_p256_key,
    load_sealing_key,
    load_signing_key,
    new_sealing_key,
    new_signing_key,
    private_pem,
    write_secret,
)

SETTINGS = "terminal.toml"


@dataclass(frozen=True, slots=True)
class Keys:
    """The three keys of a terminal."""

    enrolled: Ed25519PrivateKey
    seal: X25519PrivateKey
    tls: ec.EllipticCurvePrivateKey


def prepare(folder: Path, random_bytes: RandomBytes) -> Keys:
    """Make a folder and its keys, or find those of an enrolment that was interrupted.

    So a code that was used up, its answer lost, is answered again. Raises BadInput where a
    terminal is there already.
    """
    if (folder / SETTINGS).exists():
        raise BadInput(f"{folder} is a terminal already", "give --out another folder")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"can't make {folder}: {error.strerror}", "give another --out") from error
    _born(folder / "enrolled.pem", lambda: private_pem(new_signing_key(random_bytes)))
    _born(folder / "seal.pem", lambda: private_pem(new_sealing_key(random_bytes)))
    _born(folder / "tls.key", _tls_pem)
    return Keys(
        load_signing_key(folder / "enrolled.pem"),
        load_sealing_key(folder / "seal.pem"),
        load_p256_key(folder / "tls.key"),
    )


def signing_request(key: ec.EllipticCurvePrivateKey, name: str) -> str:
    """Write a signing request (PEM) for the TLS key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
    return request.public_bytes(Encoding.PEM).decode()


def _born(path: Path, make: Callable[[], bytes]) -> None:
    if not path.exists():
        write_secret(path, make())


def _tls_pem() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
