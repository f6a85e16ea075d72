"""Signed notes, held to examples of Go's sumdb/note, of C2SP, and of a public log's witnesses."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ciao import notes
from ciao.notes import COSIGNATURE_V1, ED25519, NoteBroken, Signer, VerifierKey
from tests.ciao import examples

# golang.org/x/mod/sumdb/note, note_test.go. The private half is AQ… of its PRIVATE+KEY line.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_PRIVATE = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PETER_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpR"
    "Zb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox3"
    "3WWd1RvMc+QQ=\n"
)

# c2sp.org/signed-note, the example of its verifier keys.
FOO = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
FOO_NOTE = (
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ON"
    "ncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)

# A checkpoint of a public log under test, with signatures of three types: RFC 6962's (0x05), the
# log's Ed25519, and cosignature/v1 of four witnesses.
CHECKPOINT = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbd\
Q3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygN\
I75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIg\
cqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W\
3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTyn\
k5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2\
TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
"""
LOG_KEY = (
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
)
WITNESSES = [
    "transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdi"
    "VEPM",
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
]

SIGNER = examples.signer("badges.example.be/test")


def private_of(encoded: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(encoded)[1:])


@pytest.mark.parametrize("text", [PETER, ENOCH, FOO, LOG_KEY, *WITNESSES])
def test_published_verifier_keys_are_read_and_written_back(text: str) -> None:
    assert str(VerifierKey.parse(text)) == text


def test_signs_byte_for_byte_as_gos_note_package_does() -> None:
    signer = Signer("PeterNeumann", private_of(PETER_PRIVATE))
    assert str(signer.verifier()) == PETER
    assert signer.sign(TEXT).encode() == TEXT + "\n" + PETER_LINE


def test_verifies_gos_example_signed_by_two() -> None:
    note = notes.parse(TEXT + "\n" + PETER_LINE + ENOCH_LINE)
    assert note.text == TEXT
    notes.verify(note, VerifierKey.parse(PETER))
    notes.verify(note, VerifierKey.parse(ENOCH))
    assert note.encode() == TEXT + "\n" + PETER_LINE + ENOCH_LINE


def test_verifies_the_example_of_c2sp() -> None:
    note = notes.parse(FOO_NOTE)
    notes.verify(note, VerifierKey.parse(FOO))
    with pytest.raises(NoteBroken, match="not signed by PeterNeumann"):
        notes.verify(note, VerifierKey.parse(PETER))


def test_verifies_a_public_logs_checkpoint_and_all_its_cosignatures() -> None:
    note = notes.parse(CHECKPOINT)
    notes.verify(note, VerifierKey.parse(LOG_KEY))
    for witness in WITNESSES:
        assert notes.cosignature_time(note, VerifierKey.parse(witness)) == 0x6A122120
    assert note.encode() == CHECKPOINT


def test_one_changed_digit_breaks_every_signature_on_it() -> None:
    note = notes.parse(CHECKPOINT.replace("1432088532", "1432088533"))
    with pytest.raises(NoteBroken, match="a bad signature"):
        notes.verify(note, VerifierKey.parse(LOG_KEY))
    for witness in WITNESSES:
        with pytest.raises(NoteBroken, match="a bad signature"):
            notes.cosignature_time(note, VerifierKey.parse(witness))


def test_the_time_of_a_cosignature_is_signed_too() -> None:
    note = SIGNER.cosign(examples.SEGMENT.sign("a\n1\nb\n"), 1_700_000_000)
    key = SIGNER.verifier(COSIGNATURE_V1)
    assert notes.cosignature_time(note, key) == 1_700_000_000
    last = note.signatures[-1]
    second_later = (1_700_000_001).to_bytes(8, "big") + last.blob[8:]
    later = notes.Signature(last.name, last.key_id, second_later)
    with pytest.raises(NoteBroken, match="a bad signature"):
        notes.cosignature_time(notes.Note(note.text, (later,)), key)


def test_a_signature_is_no_cosignature_and_the_other_way_round() -> None:
    signed = SIGNER.sign("a\n1\nb\n")
    with pytest.raises(NoteBroken, match="not cosigned"):
        notes.cosignature_time(signed, SIGNER.verifier(COSIGNATURE_V1))
    with pytest.raises(NoteBroken, match="wrong length"):
        notes.cosignature_time(signed, SIGNER.verifier(ED25519))
    cosigned = SIGNER.cosign(notes.Note(signed.text), 5)
    with pytest.raises(NoteBroken, match="not signed"):
        notes.verify(cosigned, SIGNER.verifier(ED25519))
    with pytest.raises(NoteBroken, match="a bad signature"):
        notes.verify(cosigned, SIGNER.verifier(COSIGNATURE_V1))


def test_a_time_that_c2sp_does_not_allow_is_refused() -> None:
    note = SIGNER.cosign(notes.Note("a\n1\nb\n"), 2**63)
    with pytest.raises(NoteBroken, match="end of time"):
        notes.cosignature_time(note, SIGNER.verifier(COSIGNATURE_V1))


def test_signed_by_any_looks_through_strangers() -> None:
    note = notes.parse(FOO_NOTE)
    keys = [VerifierKey.parse(PETER), VerifierKey.parse(FOO)]
    assert notes.signed_by_any(note, keys)
    assert not notes.signed_by_any(note, keys[:1])
    assert not notes.signed_by_any(note, [])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "<name>"),
        ("a+b", "<name>"),
        ("+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "key name"),
        (PETER.replace("PeterNeumann", "Peter Neumann"), "key name"),
        (PETER.replace("PeterNeumann", "PeterNeumann\x00"), "key name"),
        (PETER.replace("c74f20a3", "C74F20A3"), "id is not its own"),
        (PETER.replace("c74f20a3", "c74f20a4"), "id is not its own"),
        (PETER.replace("PeterNeumann", "PeterNewmann"), "id is not its own"),
        (PETER[:-1] + "X", "id is not its own"),
        (PETER + "=", "<name>"),
        (PETER[:-4], "type that is not known"),
        (PETER.replace("+AR", "+Ah"), "type that is not known"),
    ],
)
def test_a_broken_verifier_key_is_refused(text: str, why: str) -> None:
    with pytest.raises(NoteBroken, match=why):
        VerifierKey.parse(text)


LINE = PETER_LINE.rstrip("\n")


@pytest.mark.parametrize(
    ("encoded", "why"),
    [
        ("", "empty line"),
        (TEXT, "empty line"),
        (TEXT + "\n" + LINE, "empty line"),
        (TEXT + "\n", "1 to 16"),
        (TEXT + "\n" + PETER_LINE * 17, "1 to 16"),
        (TEXT + "\n" + LINE.replace("—", "-") + "\n", "malformed signature"),
        (TEXT + "\n" + LINE + " x\n", "malformed signature"),
        (TEXT + "\n" + LINE + "?\n", "not base64"),
        (TEXT + "\n" + LINE + "=\n", "not base64"),
        (TEXT + "\n" + LINE.replace("AM=", "AN=") + "\n", "not base64"),
        (TEXT + "\n— PeterNeumann x08gow==\n", "too short"),
        (TEXT + "\n— Peter+Neumann x08goww=\n", "key name"),
        ("a\tb\n\n" + PETER_LINE, "control character"),
        ("a\r\n\n" + PETER_LINE, "control character"),
        ("x" * notes.NOTE_SIZE_MAX + "\n\n" + PETER_LINE, "longer than"),
    ],
)
def test_a_broken_note_is_refused(encoded: str, why: str) -> None:
    with pytest.raises(NoteBroken, match=why):
        notes.parse(encoded)


def test_a_text_must_end_in_a_newline_to_be_signed() -> None:
    with pytest.raises(NoteBroken, match="newline"):
        SIGNER.sign("no newline")


pieces = st.sampled_from(["—", " ", "\n", "\n\n", "name", "AAAAAAA=", "+", LINE, PETER_LINE])


@given(st.text(max_size=300) | st.lists(pieces, max_size=20).map("".join))
def test_reading_random_text_gives_a_note_or_note_broken(encoded: str) -> None:
    try:
        note = notes.parse(encoded)
    except NoteBroken:
        return
    assert notes.parse(note.encode()) == note


@given(st.text(max_size=120))
def test_reading_a_random_verifier_key_gives_note_broken(text: str) -> None:
    with pytest.raises(NoteBroken):
        VerifierKey.parse(text)


plain = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=60)


@given(st.lists(plain, min_size=1, max_size=6))
def test_what_is_signed_is_read_back_and_verifies(lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    note = notes.parse(SIGNER.sign(text).encode())
    assert note.text == text
    notes.verify(note, SIGNER.verifier())
