from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.emulator import frames
from hardware.emulator.frames import Ack, Decoder, Frame, Information, Nack, encode

PAYLOADS = st.binary(min_size=1, max_size=frames.PAYLOAD_MAX)


def feed_in_pieces(data: bytes, cuts: list[int]) -> list[Frame]:
    decoder = Decoder()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    found: list[Frame] = []
    for start, end in pairwise(edges):
        found += decoder.feed(data[start:end])
    return found


@given(st.lists(PAYLOADS, max_size=4), st.lists(st.integers(0, 2000), max_size=6))
def test_what_is_encoded_is_decoded_however_the_bytes_arrive(
    payloads: list[bytes], cuts: list[int]
) -> None:
    line = b"".join(bytes(10) + encode(payload) for payload in payloads)
    assert feed_in_pieces(line, cuts) == [Information(payload) for payload in payloads]


@given(st.binary(max_size=2000), st.lists(st.integers(0, 2000), max_size=6))
def test_noise_is_survived_and_never_hoarded(noise: bytes, cuts: list[int]) -> None:
    decoder = Decoder()
    feed_in_pieces(noise, cuts)
    decoder.feed(noise)
    assert len(decoder._buffer) <= frames.PAYLOAD_MAX + 8


@given(PAYLOADS, st.integers(0, 300), st.integers(1, 255))
def test_one_wrong_byte_never_makes_another_payload(
    payload: bytes, place: int, change: int
) -> None:
    sent = bytearray(encode(payload))
    sent[place % len(sent)] ^= change
    decoded = Decoder().feed(bytes(sent))
    assert [f for f in decoded if f != Information(payload) and isinstance(f, Information)] == []


def test_the_published_frames_are_written_byte_for_byte() -> None:
    assert encode(bytes.fromhex("d402")).hex() == "0000ff02fed4022a00"
    assert encode(bytes.fromhex("d414010000")).hex() == "0000ff05fbd4140100001700"
    assert encode(bytes.fromhex("d50332010607")).hex() == "0000ff06fad50332010607e800"
    assert Decoder().feed(frames.ACK + frames.NACK) == [Ack(), Nack()]


def test_a_frame_is_extended_only_where_it_has_to_be() -> None:
    assert encode(bytes(255))[3:5] == b"\xff\x01"
    assert encode(bytes(256))[3:8].hex() == "ffff0100ff"
    with pytest.raises(ValueError, match="266"):
        encode(bytes(266))
