"""The decision table as the document and a person read it. Pure.

`cases.TABLE` is the one source: docs/protocol/onss.md holds what `markdown` writes, and a test
keeps it so; `ciao-gateway onss cases --markdown` prints it anew.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.onss.cases import TABLE, Act, Case, Row

HEAD = ("case", "seen", "stored", "act", "wait", "tell", "because")


def cells(case: Case, row: Row) -> tuple[str, ...]:
    """Write one row; `wait` is shown where something is tried or looked at again."""
    wait = f"{row.after_s:g} s" if row.act in (Act.RETRY, Act.UNKNOWN) else ""
    told = "yes" if row.person else ""
    return (f"`{case}`", row.seen, row.stored, str(row.act), wait, told, row.because)


def markdown() -> Iterator[str]:
    """Write the table's lines as Markdown."""
    for line in (HEAD, ("---",) * len(HEAD)):
        yield "|" + "|".join(cell if cell == "---" else f" {cell} " for cell in line) + "|"
    for case, row in TABLE.items():
        yield "| " + " | ".join(cells(case, row)) + " |"
