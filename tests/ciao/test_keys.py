"""Key files: mode 0600 or refused, never overwritten, the right kind or one clear line."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from ciao import keys
from ciao.errors import BadInput
from provisioning.ca import make_ca
from tests.ciao import examples

NOW = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
SIGNING = keys.private_pem(examples.SEGMENT.private)
SEALING = keys.private_pem(examples.GATEWAY_HPKE)


def test_a_key_is_written_for_its_owner_alone_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "segment.key"
    keys.write_secret(path, SIGNING)
    assert path.stat().st_mode & 0o777 == 0o600
    assert keys.private_pem(keys.load_signing_key(path)) == SIGNING


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620, 0o601, 0o777])
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "segment.key"
    keys.write_secret(path, SIGNING)
    path.chmod(mode)
    with pytest.raises(BadInput, match="others can read the key") as refused:
        keys.load_signing_key(path)
    assert f"chmod 600 {path}" in refused.value.hint
    path.chmod(0o600)
    keys.load_signing_key(path)


def test_a_read_only_key_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "segment.key"
    keys.write_secret(path, SIGNING)
    path.chmod(0o400)
    assert keys.private_pem(keys.load_signing_key(path)) == SIGNING


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "segment.key"
    keys.write_secret(path, SIGNING)
    with pytest.raises(BadInput, match="exists already"):
        keys.write_secret(path, SEALING)
    assert path.read_bytes() == SIGNING


def test_a_file_is_replaced_whole_and_stays_private(tmp_path: Path) -> None:
    path = tmp_path / "binding.json"
    for content in (b"first", b"second"):
        keys.replace_file(path, content)
        assert path.read_bytes() == content
        assert path.stat().st_mode & 0o777 == 0o600
    (tmp_path / "binding.json.new").write_bytes(b"left behind by a power cut")
    keys.replace_file(path, b"third")
    assert path.read_bytes() == b"third"
    assert [found.name for found in tmp_path.iterdir()] == ["binding.json"]


P256 = ec.generate_private_key(ec.SECP256R1())
# Every kind of key, and who reads it; the last ones nobody here reads.
KINDS: dict[str, PrivateKeyTypes] = {
    "Ed25519": examples.SEGMENT.private,
    "X25519": examples.GATEWAY_HPKE,
    "P-256": P256,
    "RSA": rsa.generate_private_key(65537, keys.RSA_BITS_MIN),
    "P-384": ec.generate_private_key(ec.SECP384R1()),
    "Ed448": ed448.Ed448PrivateKey.generate(),
    "DSA": dsa.generate_private_key(1024),
}
LOADERS: dict[str, Callable[[Path], PrivateKeyTypes]] = {
    "Ed25519": keys.load_signing_key,
    "X25519": keys.load_sealing_key,
    "P-256": keys.load_p256_key,
    "RSA": keys.load_rsa_key,
}


def pem(key: PrivateKeyTypes, password: bytes | None = None) -> bytes:
    how = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)


@pytest.mark.parametrize("wanted", LOADERS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_loader_takes_its_own_kind_and_names_it_for_every_other(
    tmp_path: Path, wanted: str, kind: str
) -> None:
    path = tmp_path / "one.key"
    keys.write_secret(path, pem(KINDS[kind]))
    if wanted == kind:
        assert pem(LOADERS[wanted](path)) == path.read_bytes()
        return
    with pytest.raises(BadInput, match=f"holds no {wanted} key") as refused:
        LOADERS[wanted](path)
    assert refused.value.hint


@pytest.mark.parametrize("load", LOADERS.values())
@pytest.mark.parametrize("kind", KINDS)
def test_a_key_with_a_password_is_refused_with_the_way_out(
    tmp_path: Path, load: Callable[[Path], object], kind: str
) -> None:
    path = tmp_path / "one.key"
    keys.write_secret(path, pem(KINDS[kind], b"secret"))
    with pytest.raises(BadInput, match="has a password") as refused:
        load(path)
    assert "openssl pkey" in refused.value.hint


def test_a_certificate_in_front_of_its_key_or_alone_is_answered_in_words(tmp_path: Path) -> None:
    certificate = make_ca("Example", now=NOW, random_bytes=os.urandom).certificate_pem
    both, alone = tmp_path / "both.pem", tmp_path / "alone.pem"
    keys.write_secret(both, certificate + pem(P256))
    keys.write_secret(alone, certificate)
    assert pem(keys.load_p256_key(both)) == pem(P256)
    with pytest.raises(BadInput, match="holds no private key of a kind known here"):
        keys.load_p256_key(alone)


def test_a_short_rsa_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "short.key"
    keys.write_secret(path, pem(rsa.generate_private_key(65537, 1024)))
    with pytest.raises(BadInput, match="RSA key of 1024 bits"):
        keys.load_rsa_key(path)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (SEALING, "no Ed25519 key"),
        (b"", "no private key"),
        (b"hello", "no private key"),
        (SIGNING[:60], "no private key"),
        (SIGNING.replace(b"PRIVATE", b"PUBLIC"), "no private key"),
    ],
)
def test_a_file_that_holds_no_such_key_is_refused(
    tmp_path: Path, content: bytes, what: str
) -> None:
    path = tmp_path / "segment.key"
    keys.write_secret(path, content)
    with pytest.raises(BadInput, match=what):
        keys.load_signing_key(path)


def test_a_signing_key_is_no_sealing_key(tmp_path: Path) -> None:
    path = tmp_path / "hpke.key"
    keys.write_secret(path, SIGNING)
    with pytest.raises(BadInput, match="no X25519 key"):
        keys.load_sealing_key(path)
    other = tmp_path / "other.key"
    keys.write_secret(other, SEALING)
    assert keys.private_pem(keys.load_sealing_key(other)) == SEALING


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.key"
    with pytest.raises(BadInput, match=r"nowhere\.key: No such file") as refused:
        keys.load_signing_key(path)
    assert refused.value.hint
    with pytest.raises(BadInput, match="can't read the key"):
        keys.load_signing_key(tmp_path)


def test_a_key_follows_from_its_random_bytes_alone() -> None:
    def counting(size: int) -> bytes:
        return bytes(range(size))

    pair = keys.new_signing_key(counting), keys.new_signing_key(counting)
    assert keys.private_pem(pair[0]) == keys.private_pem(pair[1])
    assert keys.new_sealing_key(counting).private_bytes_raw() == bytes(range(32))
