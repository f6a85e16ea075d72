"""Canonical JSON by RFC 8785, in the narrow form that every signed or hashed text here has.

Narrow (DESIGN 4): ASCII keys, strings, booleans, integers below 2^53, no floats, no nulls.
Within it msgspec's sorted output *is* RFC 8785; a test holds it to the `rfc8785` package.
"""

from __future__ import annotations

from typing import Any

import msgspec

SAFE_INTEGER = 2**53 - 1
DEPTH_MAX = 8

_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder()


class NotCanonical(ValueError):
    """The bytes, or the value, are not of the narrow canonical form; says which rule broke."""


def encode(value: object) -> bytes:
    """Write a value whose shape is known to be narrow (a struct of ours) as canonical JSON."""
    return _encoder.encode(value)


def decode(data: bytes, size_max: int) -> dict[str, Any]:
    """Read one canonical JSON object of at most `size_max` bytes; raise NotCanonical."""
    if len(data) > size_max:
        raise NotCanonical(f"{len(data)} bytes, at most {size_max} are allowed")
    try:
        value = _decoder.decode(data)
        same = _encoder.encode(value) == data
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise NotCanonical(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise NotCanonical("not an object")
    check(value)
    # Writing it again proves order, spacing, escapes and the absence of doubled keys at once.
    if not same:
        raise NotCanonical("valid JSON, but not its canonical bytes (RFC 8785)")
    return value


def check(value: object, depth: int = 0) -> None:
    """Raise NotCanonical if a decoded value leaves the narrow form."""
    if depth > DEPTH_MAX:
        raise NotCanonical(f"nested deeper than {DEPTH_MAX}")
    if isinstance(value, bool | str):
        return
    if isinstance(value, int):
        if abs(value) > SAFE_INTEGER:
            raise NotCanonical("an integer of 2^53 or more")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not key.isascii():
                raise NotCanonical("a key that is not ASCII")
            check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            check(item, depth + 1)
    else:
        raise NotCanonical(f"{'a null' if value is None else 'a ' + type(value).__name__}")
