"""What is wrong with one line of a file. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ciao.errors import BadInput


@dataclass(frozen=True, slots=True)
class Problem:
    """Which line and column (as the file calls it), why, and what to do; no cell is repeated."""

    line: int
    column: str
    why: str
    hint: str


class BadCell(BadInput):
    """A cell that can't be used, of a column by our own name for it."""

    def __init__(self, column: str, what: str, hint: str) -> None:
        super().__init__(what, hint)
        self.column = column
