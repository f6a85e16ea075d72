"""Rosters: found by a keyed hash, signed, sealed to one terminal, and refused otherwise."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ciao import canonical, roster, sealing
from ciao.binding import BindingRefused
from ciao.notes import Signer
from ciao.roster import Holder, Roster
from tests.ciao import examples

KEYS = [examples.PROVISIONING.verifier()]
PRIVATE = examples.TERMINAL_HPKE


def sealed(made: Roster, signer: Signer = examples.PROVISIONING) -> bytes:
    return roster.seal_roster(made, signer, examples.TERMINAL_HPKE_PUBLIC, sealing.seal)


def opened(payload: bytes, serial_min: int = 0, terminal: str = examples.TERMINAL) -> Roster:
    return roster.open_roster(payload, PRIVATE, KEYS, terminal, serial_min)


def refusal(payload: bytes, serial_min: int = 0, terminal: str = examples.TERMINAL) -> str:
    with pytest.raises(BindingRefused) as refused:
        opened(payload, serial_min, terminal)
    return refused.value.reason


def test_a_sealed_roster_opens_and_finds_its_badges() -> None:
    found = opened(sealed(examples.ROSTER))
    assert found == examples.ROSTER
    assert found.find(examples.UID) == Holder("A. B.", "fr")
    assert found.find(bytes.fromhex("04000000000001")) == Holder("C. D.", "nl", True)
    assert found.find(bytes.fromhex("04ffffffffffff")) is None


def test_a_badge_is_named_by_half_an_hmac_under_the_terminals_key() -> None:
    expected = hmac.new(b"k" * 32, examples.UID, hashlib.sha256).hexdigest()[:32]
    assert roster.badge_hash(b"k" * 32, examples.UID) == expected
    assert roster.badge_hash(b"l" * 32, examples.UID) != expected


def test_no_uid_and_no_initials_are_in_the_sealed_bytes() -> None:
    payload = sealed(examples.ROSTER)
    for told in (examples.UID, examples.UID.hex().encode(), b"A. B.", b"roster"):
        assert told not in payload


def test_another_terminals_roster_is_refused() -> None:
    made = replace(examples.ROSTER, terminal="hall-4")
    # Sealed for hall-4 it does not even open here; sealed for us, it still names hall-4.
    assert refusal(sealed(made)) == "malformed"
    text = canonical.encode(made).decode() + "\n"
    note = examples.PROVISIONING.sign(text).encode().encode()
    info = f"ciao/1 roster {examples.TERMINAL}".encode()
    assert refusal(sealing.seal(examples.TERMINAL_HPKE_PUBLIC, note, info)) == "foreign"


def test_an_older_roster_and_a_strangers_are_refused() -> None:
    assert refusal(sealed(examples.ROSTER), serial_min=examples.ROSTER.serial + 1) == "older"
    assert opened(sealed(examples.ROSTER), examples.ROSTER.serial) == examples.ROSTER
    assert refusal(sealed(examples.ROSTER, examples.signer("stranger"))) == "signature"


def test_a_roster_sealed_to_another_key_does_not_open() -> None:
    other = X25519PrivateKey.from_private_bytes(examples.secret("other")).public_key()
    payload = roster.seal_roster(
        examples.ROSTER, examples.PROVISIONING, other.public_bytes_raw(), sealing.seal
    )
    assert refusal(payload) == "malformed"


@given(st.binary(max_size=200))
def test_random_bytes_are_refused_never_a_crash(payload: bytes) -> None:
    assert refusal(payload) == "malformed"


@given(st.text(max_size=100) | st.binary(max_size=100))
def test_whatever_was_sealed_to_us_is_refused_never_a_crash(inside: str | bytes) -> None:
    """Anyone who knows our public key can seal to us."""
    info = f"ciao/1 roster {examples.TERMINAL}".encode()
    plaintext = inside.encode() if isinstance(inside, str) else inside
    assert refusal(sealing.seal(examples.TERMINAL_HPKE_PUBLIC, plaintext, info)) == "malformed"


@given(st.text(max_size=100))
def test_whatever_was_signed_and_sealed_must_still_be_a_roster(inside: str) -> None:
    info = f"ciao/1 roster {examples.TERMINAL}".encode()
    printable = "".join(c for c in inside if c >= " ")
    note = examples.PROVISIONING.sign(printable + "\n").encode().encode()
    assert refusal(sealing.seal(examples.TERMINAL_HPKE_PUBLIC, note, info)) == "malformed"


def test_a_roster_of_two_thousand_badges_fits() -> None:
    badges = {f"{number:032x}": Holder("WW. WWWW", "fr", True) for number in range(2000)}
    made = replace(examples.ROSTER, badges=badges)
    assert len(opened(sealed(made)).badges) == 2000


def test_a_roster_beyond_its_limit_is_refused() -> None:
    badges = {f"{number:032x}": Holder("WW. WWWW", "fr", True) for number in range(3000)}
    assert refusal(sealed(replace(examples.ROSTER, badges=badges))) == "malformed"
    assert refusal(bytes(roster.SEALED_ROSTER_MAX + 1)) == "malformed"
