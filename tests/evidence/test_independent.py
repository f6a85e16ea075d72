"""Other tools come to the same: Go's sumdb/note and tlog, and openssl on a bare signature."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ciao.certificate import certified_key
from ciao.evidence.lines import EarlierLine, NoteLine, SegmentLine
from ciao.notes import COSIGNATURE_V1, parse
from ciao.tree import consistency_proof, inclusion_proof, leaf_hash, root_at
from tests.ciao import examples
from tests.evidence.bundles import Memory, write
from tests.evidence.making import Twin, TwinLog

PROGRAM = Path(__file__).parent / "independent" / "check.go"
GOPATH = Path("/usr/share/gocode")
# How many random proofs of each kind, over a log of some 120 entries.
PROOFS = 60


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go program, built offline from Debian's sources."""
    if shutil.which("go") is None:
        pytest.fail("no go: apt-get install golang-go")
    if not (GOPATH / "src/golang.org/x/mod/sumdb/note").is_dir():
        pytest.fail("no golang.org/x/mod: apt-get install golang-golang-x-mod-dev")
    folder = tmp_path_factory.mktemp("go")
    env = {
        "PATH": os.environ["PATH"],
        "GO111MODULE": "off",
        "GOPATH": str(GOPATH),
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "-buildvcs=false",
        "CGO_ENABLED": "0",
    }
    built = folder / "check"
    words = ["go", "build", "-o", str(built), str(PROGRAM)]
    done = subprocess.run(words, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    return built


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple[Memory, TwinLog]:
    twin = Twin()
    twin.bind()
    twin.minutes(60)
    folder = tmp_path_factory.mktemp("bundle")
    write(twin, folder)
    return Memory.read(folder), twin.log


def _given(memory: Memory, log: TwinLog) -> dict[str, Any]:
    """What the bundle says, and proofs by our code over the same log."""
    (header,) = [line for line in memory.said if isinstance(line, SegmentLine)]
    key = certified_key(header.certificate, examples.ENROLLED.verifier())
    drawn = random.Random(7)
    consistency, inclusion = [], []
    for _ in range(PROOFS):
        old, new = sorted(drawn.sample(range(1, log.size + 1), 2))
        path = consistency_proof(old, new, log.subtree)
        roots = root_at(old, log.subtree), root_at(new, log.subtree)
        consistency.append(_proof(old, new, *roots, path))
        path = inclusion_proof(old - 1, new, log.subtree)
        inclusion.append(_proof(old - 1, new, leaf_hash(log.leaves[old - 1]), roots[1], path))
    return {
        "Notes": [
            {"Key": str(key), "Note": line.note}
            for line in memory.said
            if isinstance(line, NoteLine | EarlierLine)
        ],
        "Leaves": [row.leaf for row in memory.entries],
        "Consistency": consistency,
        "Inclusion": inclusion,
    }


def _proof(old: int, new: int, first: bytes, second: bytes, path: list[bytes]) -> dict[str, Any]:
    hashes = [b64encode(one).decode() for one in (first, second, *path)]
    return {"Old": old, "New": new, "OldHash": hashes[0], "NewHash": hashes[1], "Path": hashes[2:]}


def _run(check: Path, given: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    words = [str(check)]
    return subprocess.run(
        words, input=json.dumps(given), capture_output=True, text=True, check=False
    )


def test_go_reads_the_same_checkpoints_roots_and_proofs(
    check: Path, bundle: tuple[Memory, TwinLog]
) -> None:
    given = _given(*bundle)
    done = _run(check, given)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(len(given["Notes"])), str(PROOFS), str(PROOFS)]
    assert len(given["Notes"]) >= 60


def test_go_refuses_what_we_refuse(check: Path, bundle: tuple[Memory, TwinLog]) -> None:
    whole = json.dumps(_given(*bundle))
    other = b64encode(b"x" * 32).decode()

    def refused(**changed: Any) -> str:
        done = _run(check, json.loads(whole) | changed)
        assert done.returncode == 1
        return done.stderr

    given = json.loads(whole)
    leaves = [given["Leaves"][0].replace("new", "old"), *given["Leaves"][1:]]
    assert "root of" in refused(Leaves=leaves)
    note = {
        **given["Notes"][0],
        "Note": given["Notes"][0]["Note"].replace("ciao/hall", "ciao/hell"),
    }
    assert "note" in refused(Notes=[note])
    assert "consistency" in refused(Consistency=[{**given["Consistency"][0], "OldHash": other}])
    assert "inclusion" in refused(Inclusion=[{**given["Inclusion"][0], "OldHash": other}])


def test_openssl_verifies_a_checkpoint_and_a_cosignature_as_bare_ed25519(
    bundle: tuple[Memory, TwinLog], tmp_path: Path
) -> None:
    if shutil.which("openssl") is None:
        pytest.fail("no openssl: apt-get install openssl")
    memory, log = bundle
    line = next(one for one in memory.said if isinstance(one, NoteLine))
    note = parse(line.note)
    own, cosignature = note.signatures
    cosigner = examples.COSIGNER.verifier(COSIGNATURE_V1)
    seconds = int.from_bytes(cosignature.blob[:8])
    cosigned = f"cosignature/v1\ntime {seconds}\n{note.text}"
    cases = (
        (log.signer.verifier().public, note.text, own.blob),
        (cosigner.public, cosigned, cosignature.blob[8:]),
    )
    for public, message, signature in cases:
        assert _openssl(tmp_path, public, message, signature) == 0
        assert _openssl(tmp_path, public, message.replace("\n", "\n ", 1), signature) == 1


def _openssl(folder: Path, public: bytes, message: str, signature: bytes) -> int:
    key = Ed25519PublicKey.from_public_bytes(public)
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    files = {"key.pem": pem, "message": message.encode(), "signature": signature}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    words = "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in message -sigfile signature"
    return subprocess.run(words.split(), cwd=folder, capture_output=True, check=False).returncode
