"""All UIDs and all NISS can be tried in seconds: so no hash of one lies open without a key."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ciao import roster
from tests.gateway.twins import UID_ANN
from tests.gateway.world import morning
from tests.support.world import SSINS, UIDS, make_world


def hashes(text: bytes) -> set[bytes]:
    """Everything that whoever has no key would try, in the forms it might be written in."""
    found: set[bytes] = set()
    for word in (text, text.hex().encode(), text.hex().upper().encode()):
        for name in ("md5", "sha1", "sha256", "sha512", "blake2b"):
            digest = hashlib.new(name, word)
            found |= {digest.digest()[:16], digest.hexdigest()[:32].encode()}
    return found


def test_who_tries_all_uids_finds_none_in_what_lies_open(tmp_path: Path) -> None:
    leaves = morning([(UID_ANN, 5.0, "in")]).message().payload
    assert b'"opening"' in leaves.replace(b"\\", b"")
    assert not [one for one in hashes(UID_ANN) if one in leaves]
    world = make_world(tmp_path / "office")
    for ssin, uid in zip(SSINS, UIDS, strict=True):
        world.enrol(uid, world.employ(ssin, "A. B."))
    files = b"".join(path.read_bytes() for path in world.folder.glob("registry.db*"))
    tried = [*(bytes.fromhex(uid) for uid in UIDS), *(ssin.encode() for ssin in SSINS)]
    assert not [one for word in tried for one in hashes(word) if one in files]


def test_another_terminals_key_names_the_same_badge_otherwise() -> None:
    uid = bytes.fromhex(UIDS[0])
    assert roster.badge_hash(b"a" * 32, uid) != roster.badge_hash(b"b" * 32, uid)
    assert roster.badge_hash(b"a" * 32, uid).encode() not in hashes(uid)
