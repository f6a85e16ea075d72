"""What a reader is: something that takes bytes from a wire or a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Reader:
    """Something that reads bytes; `raises` are its own words, `good` is what it takes."""

    read: Callable[[bytes], object]
    raises: tuple[type[Exception], ...]
    good: bytes


def text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    """Let a reader of text read bytes, as the decoder before it would hand them on."""
    return lambda raw: read(raw.decode("utf-8", "replace"))
