"""Key files: mode 0600 or refused, never overwritten, the right kind or one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ciao import keys
from ciao.errors import BadInput
from tests.ciao import examples

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
