"""What a record went through, from the rows that replaced each other. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from provisioning.registry.store import Row

# Of the row itself, or derived from another column.
_NOT_TOLD = {"row", "change", "replaces", "changed_at", "changed_by", "uid_hash", "ssin_hash"}


def told(rows: Sequence[Row]) -> list[dict[str, str]]:
    """Tell each row as `at`, `what`, and `changed`: the columns in which it differs from the last.

    What is encrypted at rest (bytes here) is named, and neither its old nor its new content.
    """
    return [
        {
            "at": row["changed_at"],
            "what": row["changed_by"],
            "changed": _changed(before, row) if before else "",
        }
        for before, row in zip([None, *rows], rows, strict=False)
    ]


def _changed(before: Row, after: Row) -> str:
    return ", ".join(
        _one(column, before[column], value)
        for column, value in after.items()
        if column not in _NOT_TOLD and before[column] != value
    )


def _one(column: str, before: Any, after: Any) -> str:
    if isinstance(before, bytes) or isinstance(after, bytes):
        return column
    return f"{column}: {_text(before)} → {_text(after)}"


def _text(value: Any) -> str:
    return "-" if value is None else str(value)
