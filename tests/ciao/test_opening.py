"""The opening: what a badge said, and the commitment to it that the leaf holds."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ciao import opening, sealing
from ciao.opening import Opening
from tests.ciao import examples

hexes = st.binary(min_size=1, max_size=64).map(bytes.hex)


@given(
    st.builds(
        Opening,
        salt=st.binary(min_size=16, max_size=16).map(bytes.hex),
        uid=hexes,
        picc=st.none() | hexes,
        cmac=st.none() | hexes,
    )
)
def test_an_opening_comes_back_and_fits_where_it_is_sealed(made: Opening) -> None:
    plaintext = opening.encode(made)
    assert opening.decode(plaintext) == made
    assert len(plaintext) <= opening.OPENING_SIZE_MAX
    assert len(plaintext) + sealing.OVERHEAD <= sealing.SEALED_SIZE_MAX


def test_the_commitment_is_the_hash_of_exactly_the_plaintext() -> None:
    assert opening.commitment(b"abc") == hashlib.sha256(b"abc").hexdigest()


def test_another_salt_gives_another_commitment_for_the_same_badge() -> None:
    other = opening.encode(Opening(salt="00" * 16, uid=examples.OPENING.uid))
    assert opening.commitment(other) != opening.commitment(examples.OPENED)


@pytest.mark.parametrize(
    "plaintext",
    [
        b"",
        b"{}",
        b'{"uid":"04"}',
        b'{"salt":"00","uid":"04"}',
        b'{"salt":"%s","uid":""}' % (b"0" * 32),
        b'{"salt":"%s","uid":"4"}' % (b"0" * 32),
        b'{"salt":"%s","uid":"0A"}' % (b"0" * 32),
        b'{"salt":"%s","uid":"04\\n"}' % (b"0" * 32),
        b'{"salt":"%s\\n","uid":"04"}' % (b"0" * 32),
        b'{"uid":"04","salt":"%s"}' % (b"0" * 32),
        b'{"salt":"%s","uid":"%s"}' % (b"0" * 32, b"00" * 65),
        examples.OPENED + b" ",
        b'{"salt":"' + b"0" * 2000,
    ],
)
def test_a_broken_opening_is_refused(plaintext: bytes) -> None:
    with pytest.raises(ValueError):
        opening.decode(plaintext)


@given(st.binary(max_size=200))
def test_random_bytes_are_refused_never_a_crash(plaintext: bytes) -> None:
    with pytest.raises(ValueError):
        opening.decode(plaintext)
