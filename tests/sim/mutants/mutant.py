"""A way to break the product, and the checker that must notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

# Puts a value in the place of a named one, until the mutant ends.
Patch = Callable[[Any, str, Any], None]


# A rare one names before these a seed in which it shows.
SEEDS = range(1, 61)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One of them: `breaks` replaces what it breaks; it shows in some of its `seeds`."""

    name: str
    breaks: Callable[[Patch], None]
    caught_by: str
    seeds: Sequence[int] = SEEDS

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let it be broken for a while."""
        with ExitStack() as stack:

            def patch(owner: Any, name: str, value: Any) -> None:
                if isinstance(owner, dict):
                    stack.callback(owner.__setitem__, name, owner[name])
                    owner[name] = value
                else:
                    stack.callback(setattr, owner, name, owner.__dict__[name])
                    setattr(owner, name, value)

            self.breaks(patch)
            yield
