"""What goes wrong because of what somebody gave us, in words they can act on."""

from __future__ import annotations

import sys
from typing import TextIO

EXIT_BAD_INPUT = 2


class BadInput(Exception):
    """Somebody gave us something that can't be used: what it was, and what to do about it.

    Both are one line each, without a full stop at the end.
    """

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


def report(error: BadInput, stream: TextIO | None = None) -> int:
    """Print the two lines every command prints on bad input; return the exit status, 2."""
    out = stream if stream is not None else sys.stderr
    print(f"error: {_one_line(error.what)}", file=out)
    print(f"hint: {_one_line(error.hint)}", file=out)
    return EXIT_BAD_INPUT


def _one_line(text: str) -> str:
    return " ".join(text.split())
