"""Checkpoints (C2SP tlog-checkpoint), and the certificates of the keys that sign them."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ciao import certificate, names, notes
from ciao.checkpoint import Checkpoint
from ciao.notes import COSIGNATURE_V1, NoteBroken
from tests.ciao import examples

# c2sp.org/tlog-checkpoint and c2sp.org/tlog-cosignature, their common example.
ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
TEXT = f"example.com/behind-the-sofa\n20852163\n{ROOT}\n"
COSIGNED = TEXT + (
    "\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhc"
    "yv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9D"
    "Yn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)


def test_reads_the_example_of_c2sp() -> None:
    note = notes.parse(COSIGNED)
    checkpoint = Checkpoint.parse(note.text)
    assert checkpoint == Checkpoint("example.com/behind-the-sofa", 20852163, base64.b64decode(ROOT))
    assert checkpoint.text() == TEXT
    # Its cosignature/v1 leads with the time that the specification's signed message shows.
    assert int.from_bytes(note.signatures[1].blob[:8], "big") == 1679315147


@given(
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1),
    st.integers(0, 10**16 - 1),
    st.binary(min_size=32, max_size=32),
)
def test_reads_back_what_it_writes(origin: str, size: int, root: bytes) -> None:
    checkpoint = Checkpoint(origin, size, root)
    assert Checkpoint.parse(checkpoint.text()) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT.rstrip("\n"),
        TEXT + "extension\n",
        TEXT + "\n",
        TEXT.replace("20852163", "020852163"),
        TEXT.replace("20852163", "-1"),
        TEXT.replace("20852163", "1e3"),
        TEXT.replace("20852163", "1" + "0" * 16),
        TEXT.replace("20852163", "٣"),
        TEXT.replace("example.com/behind-the-sofa", ""),
        TEXT.replace(ROOT, ""),
        TEXT.replace(ROOT, "AAAA"),
        TEXT.replace(ROOT, ROOT + "="),
        TEXT.replace("q2I=", "q2J="),
        TEXT.replace("q2I=", "q2é="),
    ],
)
def test_a_broken_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteBroken):
        Checkpoint.parse(text)


@given(st.text(max_size=200))
def test_random_text_is_refused_never_a_crash(text: str) -> None:
    with pytest.raises(NoteBroken):
        Checkpoint.parse(text)


def test_a_certificate_gives_the_segments_key() -> None:
    key = certificate.certified_key(examples.CERTIFICATE, examples.ENROLLED.verifier())
    assert key == examples.SEGMENT.verifier()
    notes.verify(notes.parse(examples.SIGNED_CHECKPOINT), key)


def test_another_terminals_certificate_is_refused() -> None:
    other = examples.signer(names.enrolled_key_name(examples.DOMAIN, "hall-4"))
    foreign = certificate.certify(other, examples.SEGMENT.verifier())
    with pytest.raises(NoteBroken, match="another terminal"):
        certificate.certified_key(foreign, other.verifier())
    with pytest.raises(NoteBroken, match="not signed by"):
        certificate.certified_key(foreign, examples.ENROLLED.verifier())


def test_a_certificate_of_the_same_terminal_id_at_another_operator_is_refused() -> None:
    origin = names.Origin("other.example.be", examples.TERMINAL, "0123456789abcdef")
    foreign = certificate.certify(examples.ENROLLED, examples.signer(str(origin)).verifier())
    with pytest.raises(NoteBroken, match="another terminal"):
        certificate.certified_key(foreign, examples.ENROLLED.verifier())


KEY = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"ciao/1 segment\n{examples.ORIGIN}\n",
        f"ciao/1 segment\n{examples.ORIGIN}\n{KEY}\nmore\n",
        f"ciao/2 segment\n{examples.ORIGIN}\n{KEY}\n",
        f"ciao/1 segment\nnot an origin\n{KEY}\n",
        f"ciao/1 segment\n{examples.ORIGIN}\n!!\n",
        f"ciao/1 segment\n{examples.ORIGIN}\nAAAA\n",
        examples.CHECKPOINT.text(),
    ],
)
def test_a_malformed_certificate_is_refused_though_signed(text: str) -> None:
    encoded = examples.ENROLLED.sign(text).encode()
    with pytest.raises(NoteBroken):
        certificate.certified_key(encoded, examples.ENROLLED.verifier())


def test_an_altered_certificate_is_refused() -> None:
    altered = examples.CERTIFICATE.replace("5e9a0c0f", "5e9a0c0e", 1)
    with pytest.raises(NoteBroken, match="a bad signature"):
        certificate.certified_key(altered, examples.ENROLLED.verifier())


def test_a_receipt_is_the_terminals_own_note_with_one_line_more() -> None:
    assert examples.COSIGNED_CHECKPOINT.startswith(examples.SIGNED_CHECKPOINT)
    note = notes.parse(examples.COSIGNED_CHECKPOINT)
    notes.verify(note, examples.SEGMENT.verifier())
    cosigner = examples.COSIGNER.verifier(COSIGNATURE_V1)
    assert notes.cosignature_time(note, cosigner) == examples.COSIGNED_AT_S
