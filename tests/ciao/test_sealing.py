"""Sealing: RFC 9180 by its vector, by a second implementation, and against every alteration."""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ciao import sealing
from ciao.sealing import SealBroken
from tests.ciao import hpke9180

# RFC 9180 A.2.1: mode base, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.
INFO = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
SK_E = bytes.fromhex("f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600")
PK_E = bytes.fromhex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a")
SK_R = bytes.fromhex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb")
PK_R = bytes.fromhex("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a")
SHARED = bytes.fromhex("0bbe78490412b4bbea4812666f7916932b828bba79942424abb65244930d69a7")
KEY = bytes.fromhex("ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c91")
NONCE = bytes.fromhex("5c4d98150661b848853b547f")
AAD = bytes.fromhex("436f756e742d30")
PLAINTEXT = bytes.fromhex("4265617574792069732074727574682c20747275746820626561757479")
CIPHERTEXT = bytes.fromhex(
    "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28"
)

PRIVATE = X25519PrivateKey.from_private_bytes(SK_R)


def test_the_second_implementation_reproduces_the_published_vector() -> None:
    assert hpke9180.public(SK_E) == PK_E
    assert hpke9180.public(SK_R) == PK_R
    assert hpke9180.shared_secret(hpke9180.dh(SK_E, PK_R), PK_E, PK_R) == SHARED
    assert hpke9180.key_schedule(SHARED, INFO) == (KEY, NONCE)
    assert hpke9180.seal(PK_R, SK_E, INFO, AAD, PLAINTEXT) == PK_E + CIPHERTEXT
    assert hpke9180.unseal(SK_R, INFO, AAD, PK_E + CIPHERTEXT) == PLAINTEXT


@given(st.binary(max_size=300), st.binary(max_size=100))
def test_what_we_seal_the_second_implementation_opens_with_empty_aad(
    plaintext: bytes, info: bytes
) -> None:
    sealed = sealing.seal(PK_R, plaintext, info)
    assert len(sealed) == len(plaintext) + sealing.OVERHEAD
    assert hpke9180.unseal(SK_R, info, b"", sealed) == plaintext


@given(st.binary(max_size=300), st.binary(max_size=100), st.binary(min_size=32, max_size=32))
def test_what_the_second_implementation_seals_with_empty_aad_we_open(
    plaintext: bytes, info: bytes, ephemeral: bytes
) -> None:
    sealed = hpke9180.seal(PK_R, ephemeral, info, b"", plaintext)
    assert sealing.unseal(PRIVATE, sealed, info) == plaintext


def test_the_published_message_itself_does_not_open_since_ours_have_no_aad() -> None:
    with pytest.raises(SealBroken):
        sealing.unseal(PRIVATE, PK_E + CIPHERTEXT, INFO)


@given(st.data())
def test_one_changed_bit_is_noticed(data: st.DataObject) -> None:
    sealed = bytearray(sealing.seal(PK_R, b"what the badge said", b"here"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealBroken):
        sealing.unseal(PRIVATE, bytes(sealed), b"here")


@given(st.binary(max_size=80))
def test_random_bytes_never_open_and_never_crash(sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        sealing.unseal(PRIVATE, sealed, b"here")


def test_a_payload_belongs_to_its_place_and_its_key() -> None:
    here = sealing.payload_info("badges.example.be/ciao/hall/0123456789abcdef", 7)
    there = sealing.payload_info("badges.example.be/ciao/hall/0123456789abcdef", 8)
    assert here == b"ciao/1 badges.example.be/ciao/hall/0123456789abcdef 7"
    sealed = sealing.seal(PK_R, b"what the badge said", here)
    with pytest.raises(SealBroken):
        sealing.unseal(PRIVATE, sealed, there)
    with pytest.raises(SealBroken):
        sealing.unseal(X25519PrivateKey.from_private_bytes(SK_E), sealed, here)


def test_a_key_is_named_by_sixteen_hex_digits_of_its_hash() -> None:
    # sha256sum of the 32 bytes of PK_R
    assert sealing.key_id(PK_R) == "9e07479c8d8279a4"
