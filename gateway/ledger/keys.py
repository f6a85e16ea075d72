"""What is sealed to which key, and which bundle each terminal took: read-only, for `keys`.

Both are looked for in leaves, so this costs what is held; it is asked for by a person, rarely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ciao import entries
from gateway.ledger.store import connect_read_only, explained

_SEALED = """
SELECT EXISTS (
    SELECT 1 FROM entry WHERE payload IS NOT NULL AND instr(leaf, CAST(? AS BLOB)) > 0
)
"""
_TOOK = """
SELECT entry.leaf FROM log CROSS JOIN entry ON entry.log = log.id
WHERE log.terminal = ? AND instr(entry.leaf, CAST('"kind":"binding"' AS BLOB)) > 0
ORDER BY log.id DESC, entry.seq DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Use:
    """Of each key whether anything is sealed to it; of each terminal the bundle it took last."""

    sealed: Mapping[str, bool]
    took: Mapping[str, str | None]
    owing: frozenset[str]


def use_of(path: Path, keys: Sequence[str], terminals: Sequence[str]) -> Use:
    """Look for what keys are used for; raise BadInput."""
    with closing(connect_read_only(path)) as db, explained(path):
        db.execute("BEGIN")
        sealed = {key: bool(db.execute(_SEALED, [f'"key":"{key}"']).fetchone()[0]) for key in keys}
        took = {one: _bundle(db.execute(_TOOK, [one]).fetchone()) for one in terminals}
        owing = frozenset(row[0] for row in db.execute("SELECT terminal FROM owed"))
    return Use(sealed, took, owing)


def _bundle(row: tuple[bytes] | None) -> str | None:
    if row is None:
        return None
    try:
        entry = entries.decode(row[0])
    except (entries.NotUnderstood, entries.LeafBroken):
        return None
    return entry.binding if isinstance(entry, entries.BindingChanged) else None
