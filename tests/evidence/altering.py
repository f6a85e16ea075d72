"""How a bundle is altered: rows that say something else, logs cut, everything signed again."""

from __future__ import annotations

from typing import Any

import msgspec

from ciao import canonical
from ciao.evidence.lines import CheckpointLine, ClaimLine, EarlierLine, NoteLine, Row, SegmentLine
from ciao.notes import parse
from ciao.tree import Frontier, leaf_hash
from tests.ciao import examples
from tests.ciao.examples import signer
from tests.evidence.bundles import Memory


def edited(row: Row, **changes: Any) -> Row:
    """A row whose leaf says something else; None takes a field out."""
    said = canonical.decode(row.leaf.encode(), 4096) | changes
    kept = {key: value for key, value in said.items() if value is not None}
    return msgspec.structs.replace(row, leaf=canonical.encode(kept).decode())


def renumbered(rows: list[Row]) -> list[Row]:
    """Give rows the places at which they stand, log by log."""
    found: list[Row] = []
    at: dict[str, int] = {}
    for row in rows:
        seq = at.setdefault(row.origin, row.seq)
        at[row.origin] = seq + 1
        found.append(msgspec.structs.replace(edited(row, seq=seq), seq=seq))
    return found


def resigned(memory: Memory, *, cosignatures: bool) -> Memory:
    """Sign each log's checkpoints anew over whatever its rows are now, as its owner can.

    The old cosignatures stay under them, or go.
    """
    changed = memory.copy()
    edges: dict[str, dict[int, bytes]] = {}
    frontiers: dict[str, Frontier] = {}
    for row in memory.entries:
        grown, _ = frontiers.get(row.origin, Frontier()).append(leaf_hash(row.leaf.encode()))
        frontiers[row.origin] = grown
        edges.setdefault(row.origin, {})[grown.size] = grown.root()
    changed.said = [_resigned(line, edges, cosignatures) for line in memory.said]
    return changed


def _resigned(
    line: CheckpointLine, edges: dict[str, dict[int, bytes]], cosignatures: bool
) -> CheckpointLine:
    if not isinstance(line, NoteLine):
        return line
    old = parse(line.note)
    origin, size, _ = old.text.split("\n", 2)
    root = edges[origin].get(int(size))
    if root is None:
        return line
    fresh = signer(origin).sign(examples.Checkpoint(origin, int(size), root).text())
    for signature in old.signatures[1:] if cosignatures else ():
        fresh = fresh.plus(signature)
    return NoteLine(fresh.encode())


def of_log(memory: Memory, number: int) -> str:
    """The origin of the bundle's log of a number."""
    return [line.origin for line in memory.said if isinstance(line, SegmentLine)][number]


def size_of(line: NoteLine | EarlierLine | ClaimLine) -> int:
    return int(line.note.split("\n")[1])


def cut(memory: Memory, number: int, end: int, *, notes: bool = True) -> Memory:
    """Drop a log's rows from `end` on, with the checkpoints that show it."""
    origin = of_log(memory, number)
    changed = memory.copy()
    changed.entries = [r for r in memory.entries if r.origin != origin or r.seq < end]
    if notes:
        changed.said = []
        for line in memory.said:
            if isinstance(line, SegmentLine) and line.origin == origin:
                changed.said.append(msgspec.structs.replace(line, end=end))
            elif (
                not isinstance(line, NoteLine) or origin_of(line) != origin or size_of(line) <= end
            ):
                changed.said.append(line)
    return changed


def sizes(memory: Memory, number: int) -> list[int]:
    origin = of_log(memory, number)
    found = [n for n in memory.said if isinstance(n, NoteLine) and origin_of(n) == origin]
    return [size_of(line) for line in found]


def origin_of(line: NoteLine) -> str:
    return line.note.split("\n")[0]
