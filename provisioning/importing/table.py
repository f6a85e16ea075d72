"""A file's bytes as lines of named cells, as a spreadsheet writes them in Belgium. Pure.

UTF-8 with or without a mark, `;`, `,` or tabulator between cells, `sep=` on the first line or not.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from ciao.errors import BadInput
from provisioning.importing.problems import Problem

FILE_SIZE_MAX = 8 * 1024 * 1024
LINES_MAX = 20_000
COLUMNS_MAX = 40
CELL_SIZE_MAX = 256

_SEPARATORS = (";", ",", "\t")
_FORMULA = ("=", "+", "-", "@")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number in the file, and its cells by their column's name."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """The names of the columns, the lines that hold something, and the lines that can't be read."""

    columns: tuple[str, ...]
    lines: list[Line]
    problems: list[Problem]


def read(content: bytes) -> Table:
    """Take a file apart; raise BadInput where it is no table at all."""
    rows = _rows(_text(content))
    header = next(rows, (0, []))[1]
    columns = tuple(name.strip() for name in header)
    if not any(columns):
        raise BadInput("the file is empty", "its first line names the columns; see --template")
    if len(columns) > COLUMNS_MAX:
        raise BadInput(f"{len(columns)} columns", f"at most {COLUMNS_MAX}")
    table = Table(columns, [], [])
    for number, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(table.lines) + len(table.problems) >= LINES_MAX:
            raise BadInput(f"more than {LINES_MAX} lines", "import it in parts")
        problem = _problem(number, columns, row)
        if problem is None:
            cells = {name: cell.strip() for name, cell in zip(columns, row, strict=False) if name}
            table.lines.append(Line(number, cells))
        else:
            table.problems.append(problem)
    return table


def _text(content: bytes) -> str:
    if len(content) > FILE_SIZE_MAX:
        raise BadInput(f"a file of {len(content)} bytes", f"at most {FILE_SIZE_MAX}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BadInput(
            f"line {line} is not in UTF-8", "in Excel: Save As, CSV UTF-8 (comma delimited)"
        ) from error
    if "\0" in text:
        raise BadInput("the file is no text", "in Excel: Save As, CSV UTF-8 (comma delimited)")
    return text


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with its line's number; raise BadInput for what csv can't read."""
    head, skipped = text.partition("\n")[0].strip(), 0
    if head.lower().startswith("sep="):
        separator, skipped = head[4:] or "\t", 1
        text = text.partition("\n")[2]
    else:
        separator = max(_SEPARATORS, key=head.count)
    if separator not in _SEPARATORS:
        raise BadInput("cells are parted by something unusual", "by ; or , or a tabulator")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for row in reader:
            yield reader.line_num + skipped, row
    except csv.Error as error:
        raise BadInput(
            f"line {reader.line_num + skipped} is no CSV: {error}", "is a quotation mark missing?"
        ) from error


def _problem(number: int, columns: tuple[str, ...], row: list[str]) -> Problem | None:
    """Say what keeps a row from being read at all."""
    if any(cell.strip() for cell in row[len(columns) :]):
        return Problem(number, "-", "more cells than columns", "is a name's comma in quotes?")
    for name, cell in zip(columns, row, strict=False):
        stripped = cell.strip()
        if len(stripped) > CELL_SIZE_MAX:
            why, hint = f"{len(stripped)} characters", f"at most {CELL_SIZE_MAX}"
        elif not stripped.isprintable():
            why, hint = "a line break or another control character", "one line, plain text"
        elif stripped.startswith(_FORMULA):
            why, hint = "it begins like a formula", "write it without = + - @ in front"
        else:
            continue
        return Problem(number, name, why, hint)
    return None
