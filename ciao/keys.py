"""Edge: keys, made from randomness that comes in, and kept in files that only we can read.

A private key file is PKCS#8 PEM without a password, mode 0600; one that others can read is
refused, since it may already be known to them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ciao.errors import BadInput

RandomBytes = Callable[[int], bytes]

P256 = "secp256r1"
RSA_BITS_MIN = 2048


def new_signing_key(random_bytes: RandomBytes) -> Ed25519PrivateKey:
    """Make an Ed25519 key from 32 random bytes."""
    return Ed25519PrivateKey.from_private_bytes(random_bytes(32))


def new_sealing_key(random_bytes: RandomBytes) -> X25519PrivateKey:
    """Make an X25519 key from 32 random bytes."""
    return X25519PrivateKey.from_private_bytes(random_bytes(32))


def private_pem(key: Ed25519PrivateKey | X25519PrivateKey) -> bytes:
    """Write a private key as PKCS#8 PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def write_secret(path: Path, secret: bytes) -> None:
    """Write a file of mode 0600 that must not exist yet, durably; raise BadInput if it does."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise BadInput(f"{path} exists already", "keys are never overwritten") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    sync_directory(path.parent)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, durably, mode 0600."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    write_secret(fresh, content)
    fresh.replace(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make a rename or a new name in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def no_password() -> str:
    """What OpenSSL is told where a key has a password: it would ask for it, and wait for ever."""
    return ""


def secret_path(folder: Path, name: str) -> Path:
    """Find a key as settings name it: beside them, or `$CREDENTIALS_DIRECTORY/…`; raise BadInput.

    That is where systemd puts a service's credentials (systemd.exec(5), LoadCredential=): in
    memory, for that service alone, decrypted from a file that only this machine can open.
    """
    if not name.startswith(_CREDENTIAL):
        return folder / name
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if directory is None:
        raise BadInput(
            f"there are no credentials here for {name}",
            "systemd gives them to a service: LoadCredentialEncrypted= in its unit",
        )
    return Path(directory) / name.removeprefix(_CREDENTIAL)


_CREDENTIAL = "$CREDENTIALS_DIRECTORY/"


def _others(path: Path) -> int:
    """The mode bits that let others read: of a credential, its group's are the access list's."""
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    inside = directory is not None and path.parent == Path(directory)
    return 0o037 if inside else 0o077


def read_secret(path: Path) -> bytes:
    """Read a key file; raise BadInput where it is missing or others can read it."""
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(
            f"can't read the key {path}: {error.strerror}", "check the path and its owner"
        ) from error
    if stat.S_IMODE(mode) & _others(path):
        raise BadInput(f"others can read the key {path}", f"chmod 600 {path}, and replace the key")
    return content


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    """Read an Ed25519 private key file; raise BadInput."""
    key = _load(path)
    if not isinstance(key, Ed25519PrivateKey):
        raise _other(path, "Ed25519")
    return key


def load_sealing_key(path: Path) -> X25519PrivateKey:
    """Read an X25519 private key file; raise BadInput."""
    key = _load(path)
    if not isinstance(key, X25519PrivateKey):
        raise _other(path, "X25519")
    return key


def load_p256_key(path: Path) -> EllipticCurvePrivateKey:
    """Read the private key file of a certificate, on P-256; raise BadInput."""
    key = _load(path)
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != P256:
        raise _other(path, "P-256")
    return key


def load_rsa_key(path: Path) -> RSAPrivateKey:
    """Read an RSA private key file, of 2048 bits at the least; raise BadInput."""
    key = _load(path)
    if not isinstance(key, RSAPrivateKey):
        raise _other(path, "RSA")
    if key.key_size < RSA_BITS_MIN:
        raise BadInput(
            f"{path} holds an RSA key of {key.key_size} bits", f"at least {RSA_BITS_MIN}"
        )
    return key


def _load(path: Path) -> object:
    pem = read_secret(path)
    try:
        return load_pem_private_key(pem, None)
    except TypeError as error:
        raise BadInput(
            f"the key {path} has a password, which nobody types at a start",
            f"openssl pkey -in {path} -out NEW; chmod 600 NEW; put it in its place",
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadInput(
            f"{path} holds no private key of a kind known here", "it must be PKCS#8 PEM"
        ) from error


def _other(path: Path, kind: str) -> BadInput:
    return BadInput(f"{path} holds no {kind} key", "give the key file that was made for this")
