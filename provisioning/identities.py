"""Edge: certificates, and the keys that belong to them, as they lie in files."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from ciao.certificates import UNREADABLE
from ciao.errors import BadInput
from ciao.keys import load_p256_key
from provisioning.ca import Identity

HINT = "put a copy back; ciao-provision init made it"


def load_certificate(path: Path, hint: str = HINT) -> x509.Certificate:
    """Read a certificate (PEM); raise BadInput."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise BadInput(f"can't read {path}: {error.strerror}", hint) from error
    except UNREADABLE as error:
        raise BadInput(f"{path} holds no certificate", hint) from error


def load_identity(certificate: Path, key: Path) -> Identity:
    """Read a certificate and its private key (PEM, P-256); raise BadInput."""
    held, private = load_certificate(certificate), load_p256_key(key)
    try:
        pair = held.public_key() == private.public_key()
    except UNREADABLE:
        # A certificate of a kind of key that nobody here makes.
        pair = False
    if not pair:
        raise BadInput(f"{certificate} is not the certificate of {key}", HINT)
    return Identity(held, private)
