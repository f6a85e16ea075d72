"""Edge: a bundle's own files, read again as a reader would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from ciao import entries
from ciao.entries import Deletion, Entry, NotUnderstood
from ciao.evidence import lines
from ciao.names import Origin
from ciao.responsibility import Log


class _Whose(msgspec.Struct):
    origin: str
    seq: int
    gone: Literal["deleted", "lost"] | None = None


@dataclass(slots=True)
class Rows:
    """`rows.jsonl`: where each log begins and ends in it, by one pass; read as often as needed.

    `gone`: of each log, which openings a full bundle can't disclose.
    """

    path: Path
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    gone: dict[str, set[int]] = field(default_factory=dict)

    def find(self) -> None:
        """Note where each log lies."""
        decoder, place = msgspec.json.Decoder(_Whose), 0
        with self.path.open("rb") as file:
            for line in file:
                row = decoder.decode(line)
                begin, _ = self.places.get(row.origin, (place, place))
                place += len(line)
                self.places[row.origin] = (begin, place)
                if row.gone is not None:
                    self.gone.setdefault(row.origin, set()).add(row.seq)

    def logs(self, owner: str) -> Iterator[Log]:
        """Yield the logs of a terminal or a gateway; each must be read before the next."""
        for origin in self.places:
            if Origin.parse(origin).owner == owner:
                yield origin, self._entries(origin)

    def owners(self) -> list[str]:
        """Name whose logs there are, in their order."""
        return list(dict.fromkeys(Origin.parse(origin).owner for origin in self.places))

    def _entries(self, origin: str) -> Iterator[Entry]:
        begin, end = self.places[origin]
        with self.path.open("rb") as file:
            file.seek(begin)
            while begin < end:
                line = file.readline()
                begin += len(line)
                try:
                    yield entries.decode(lines.read_row(line).leaf.encode())
                except NotUnderstood:
                    continue


def deletions(path: Path) -> Iterator[Deletion]:
    """Read the entries of `deletions.jsonl`; it is absent where nothing was deleted."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            entry = entries.decode(lines.read_deletion(line).leaf.encode())
            assert isinstance(entry, Deletion)
            yield entry
