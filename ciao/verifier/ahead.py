"""A stream with one item looked ahead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """`peek` is the next item, or None at the end; `take` goes on to the one after."""

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self.peek: T | None = next(items, None)

    def take(self) -> None:
        """Go on."""
        self.peek = next(self._items, None)
