"""Canonical JSON, held to RFC 8785 by another implementation and by its own examples."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ciao import canonical
from ciao.canonical import DEPTH_MAX, SAFE_INTEGER, NotCanonical
from tests.ciao import strategies

SIZE_MAX = 100_000


def decode(data: bytes) -> dict[str, Any]:
    return canonical.decode(data, SIZE_MAX)


@given(strategies.objects)
def test_writes_the_bytes_that_the_rfc8785_package_writes(value: dict[str, Any]) -> None:
    assert canonical.encode(value) == rfc8785.dumps(value)


@given(strategies.objects)
def test_reads_back_what_it_writes(value: dict[str, Any]) -> None:
    assert decode(canonical.encode(value)) == value


styles = st.sampled_from([{"indent": 1}, {"separators": (", ", ":")}])


@given(strategies.objects.filter(bool), styles)
def test_refuses_the_same_value_in_other_bytes(value: dict[str, Any], style: Any) -> None:
    other = json.dumps(value, ensure_ascii=False, **style).encode()
    if other != canonical.encode(value):
        with pytest.raises(NotCanonical):
            decode(other)


def test_the_string_of_rfc_8785_section_3_2_2() -> None:
    value = {"string": '€$\u000f\nA\'B"\\\\"/'}
    assert canonical.encode(value).hex() == (
        "7b22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d"
    )


def test_the_integers_of_rfc_8785_appendix_b() -> None:
    """4340000000000000 and 433fffffffffffff, read as the doubles they are."""
    assert canonical.encode({"n": 9007199254740991}) == b'{"n":9007199254740991}'
    assert canonical.encode({"n": -9007199254740991}) == b'{"n":-9007199254740991}'
    with pytest.raises(NotCanonical, match=r"2\^53"):
        decode(b'{"n":9007199254740992}')


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a":1}x', "not JSON"),
        (b'{"a":"\xff"}', "not JSON"),
        (b'{"a":"\\ud800"}', "not JSON"),
        (b"[" * 5000 + b"]" * 5000, "not JSON"),
        (b"[1]", "not an object"),
        (b'"a"', "not an object"),
        (b'{"a":null}', "a null"),
        (b'{"a":1.5}', "a float"),
        (b'{"a":1e3}', "a float"),
        (b'{"a":[{"b":null}]}', "a null"),
        (b'{"a":9007199254740992}', "an integer"),
        (b'{"a":-9007199254740992}', "an integer"),
        (b'{"a":100000000000000000000000}', "an integer"),
        ('{"é":1}'.encode(), "not ASCII"),
        (b'{"a":{"a":' * 5 + b"1" + b"}}" * 5, "nested"),
        (b'{"b":1,"a":2}', "canonical bytes"),
        (b'{"a":1,"a":1}', "canonical bytes"),
        (b'{"a": 1}', "canonical bytes"),
        (b'{"a":1}\n', "canonical bytes"),
        (b'{"a":-0}', "canonical bytes"),
        (b'{"a":"\\u0041"}', "canonical bytes"),
        (b'{"a":"\\/"}', "canonical bytes"),
        (b'{"a":"\\u000F"}', "canonical bytes"),
        (b'{"a":"\\u00e9"}', "canonical bytes"),
        (b'\xef\xbb\xbf{"a":1}', "not JSON"),
    ],
)
def test_each_broken_rule_is_named(data: bytes, why: str) -> None:
    with pytest.raises(NotCanonical, match=why):
        decode(data)


def test_the_size_is_looked_at_before_the_bytes() -> None:
    assert canonical.decode(b'{"a":1}', 7) == {"a": 1}
    with pytest.raises(NotCanonical, match="7 bytes, at most 6"):
        canonical.decode(b'{"a":1}', 6)


def test_nesting_is_allowed_up_to_its_limit() -> None:
    value: Any = 1
    for _ in range(DEPTH_MAX):
        value = {"a": value}
    assert decode(canonical.encode(value)) == value
    with pytest.raises(NotCanonical, match="nested"):
        decode(canonical.encode({"a": value}))


@given(st.binary(max_size=200))
def test_random_bytes_are_refused_or_canonical_never_a_crash(data: bytes) -> None:
    try:
        value = decode(data)
    except NotCanonical:
        return
    assert canonical.encode(value) == data


def test_the_largest_integers_pass() -> None:
    assert decode(canonical.encode({"n": SAFE_INTEGER}))["n"] == SAFE_INTEGER
