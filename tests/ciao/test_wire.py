"""Messages: there and back, and whatever else arrives is WireBroken, never a crash."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ciao import wire
from ciao.entries import LEAF_SIZE_MAX
from ciao.sealing import SEALED_SIZE_MAX
from ciao.wire import WireBroken
from tests.ciao import examples, strategies

EXAMPLES: list[msgspec.Struct] = [
    examples.BATCH,
    examples.RECEIPT,
    examples.RESEND,
    examples.REFUSED,
    examples.OUTCOMES,
    examples.ONLINE,
    examples.GATEWAY_ONLINE,
]
KINDS = [wire.Batch, wire.Receipt, wire.Hint, wire.Outcomes, wire.Online, wire.GatewayOnline]
kinds = st.sampled_from(KINDS)


def reason(kind: type, payload: bytes) -> str:
    with pytest.raises(WireBroken) as broken:
        wire.decode(kind, payload)
    return broken.value.reason


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_every_message_comes_back_as_it_was(message: msgspec.Struct) -> None:
    assert wire.decode(type(message), wire.encode(message)) == message


texts = st.text(max_size=256)
NOTES = st.text(max_size=500)


@given(
    st.builds(
        wire.Batch,
        origin=texts,
        start=strategies.naturals,
        leaves=st.lists(NOTES, min_size=1, max_size=5),
        payloads=st.dictionaries(texts, NOTES, max_size=3),
        checkpoint=NOTES,
        notes=st.lists(NOTES, max_size=3),
        certificate=NOTES,
    )
)
def test_every_batch_comes_back_as_it_was(batch: wire.Batch) -> None:
    assert wire.decode(wire.Batch, wire.encode(batch)) == batch
    assert batch.end == batch.start + len(batch.leaves)


@given(
    st.sampled_from(get_args(wire.BatchRefusal)),
    st.just("") | strategies.digests,
)
def test_every_refusal_comes_back_as_it_was(why: Any, note: str) -> None:
    hint = wire.Hint(refused=wire.Refusal(why, note))
    assert wire.decode(wire.Hint, wire.encode(hint)) == hint


@given(kinds, st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_random_bytes_are_broken_or_a_message(kind: type, payload: bytes) -> None:
    try:
        wire.decode(kind, payload)
    except WireBroken as broken:
        assert broken.reason in ("malformed", "oversized")


@given(kinds, strategies.values)
def test_random_json_is_broken_or_a_message(kind: type, value: Any) -> None:
    try:
        wire.decode(kind, msgspec.json.encode(value))
    except WireBroken as broken:
        assert broken.reason == "malformed"


@given(st.sampled_from(EXAMPLES), st.data())
def test_a_truncated_message_is_malformed(message: msgspec.Struct, data: st.DataObject) -> None:
    payload = wire.encode(message)
    size = data.draw(st.integers(0, len(payload) - 1))
    assert reason(type(message), payload[:size]) == "malformed"


@pytest.mark.parametrize("kind", KINDS)
def test_deep_nesting_is_malformed(kind: type) -> None:
    for payload in (b"[" * 60_000, b'{"x":' * 10_000, b'{"extra":' + b"[" * 60_000):
        assert reason(kind, payload) == "malformed"


@pytest.mark.parametrize("kind", KINDS)
def test_an_oversized_message_is_not_even_read(kind: type) -> None:
    size_max = wire.BATCH_SIZE_MAX if kind is wire.Batch else wire.MESSAGE_SIZE_MAX
    assert reason(kind, b" " * (size_max + 1)) == "oversized"
    assert reason(kind, b" " * size_max) == "malformed"


def altered(message: msgspec.Struct, **changes: Any) -> bytes:
    return msgspec.json.encode(msgspec.to_builtins(message) | changes)


LEAF = examples.BATCH.leaves[0]


@pytest.mark.parametrize(
    ("message", "changes"),
    [
        (examples.BATCH, {"origin": "x" * 257}),
        (examples.BATCH, {"origin": 7}),
        (examples.BATCH, {"from": -1}),
        (examples.BATCH, {"from": 2**53}),
        (examples.BATCH, {"from": "2"}),
        (examples.BATCH, {"leaves": []}),
        (examples.BATCH, {"leaves": ["{}"] * (wire.BATCH_ENTRIES_MAX + 1)}),
        (examples.BATCH, {"leaves": ["x" * (LEAF_SIZE_MAX + 1)]}),
        (examples.BATCH, {"leaves": [{}]}),
        (examples.BATCH, {"payloads": []}),
        (examples.BATCH, {"payloads": {"2": 5}}),
        (examples.BATCH, {"payloads": {"2": "x" * (4 * SEALED_SIZE_MAX + 1)}}),
        (examples.BATCH, {"checkpoint": "x" * 4097}),
        (examples.BATCH, {"notes": ["x"] * (wire.BATCH_ENTRIES_MAX + 2)}),
        (examples.BATCH, {"certificate": None}),
        (examples.RECEIPT, {"checkpoint": None}),
        (examples.REFUSED, {"refused": {"reason": "mood", "note": ""}}),
        (examples.REFUSED, {"refused": {"reason": "root", "note": "x"}}),
        (examples.RESEND, {"resend_from": {"origin": "x"}}),
        (examples.OUTCOMES, {"outcomes": []}),
        (examples.OUTCOMES, {"outcomes": [{"origin": "x", "seq": 1, "state": "s" * 17}]}),
        (examples.ONLINE, {"online": "yes"}),
        (examples.ONLINE, {"backlog": -1}),
        (examples.GATEWAY_ONLINE, {"since": 5}),
    ],
)
def test_a_message_that_can_not_be_is_malformed(
    message: msgspec.Struct, changes: dict[str, Any]
) -> None:
    assert reason(type(message), altered(message, **changes)) == "malformed"


def test_a_message_without_a_field_it_needs_is_malformed() -> None:
    for message in EXAMPLES:
        for field in msgspec.structs.fields(message):
            if field.required:
                fields = msgspec.to_builtins(message)
                del fields[field.encode_name]
                assert reason(type(message), msgspec.json.encode(fields)) == "malformed"


def test_a_field_from_the_future_stops_nothing() -> None:
    for message in EXAMPLES:
        assert wire.decode(type(message), altered(message, later=[1, {"a": None}])) == message


@given(st.binary(max_size=SEALED_SIZE_MAX))
def test_a_payload_comes_back_as_it_was(sealed: bytes) -> None:
    assert wire.decode_payload(wire.encode_payload(sealed)) == sealed


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("A", "malformed"),
        ("AAA?", "malformed"),
        ("AA A", "malformed"),
        ("AAAA\n", "malformed"),
        ("ÀAAA", "malformed"),
        ("A" * 4 * 683, "oversized"),
    ],
)
def test_a_broken_payload_is_refused(text: str, why: str) -> None:
    with pytest.raises(WireBroken) as broken:
        wire.decode_payload(text)
    assert broken.value.reason == why


def test_the_largest_payload_fits_into_its_field() -> None:
    text = wire.encode_payload(bytes(SEALED_SIZE_MAX))
    payload = altered(examples.BATCH, payloads={"2": text})
    assert wire.decode(wire.Batch, payload).payloads == {"2": text}
