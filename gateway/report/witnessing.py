"""Edge: who outside cosigned a gateway's own journal, and when; not who is configured to.

A witness that was away for longer than ten minutes says nothing of that time: whoever runs the
gateway could have written it afterwards. So what it witnessed is spans, not a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ciao import notes
from ciao.evidence import lines
from ciao.evidence.lines import NoteLine, SegmentLine
from ciao.names import GATEWAY_PREFIX, Origin
from ciao.notes import NoteBroken, VerifierKey

# As the verifier: what lies further apart is held to nothing closer (`ciao.verifier.timing`).
APART_S = 600


@dataclass(frozen=True, slots=True)
class Witness:
    """An outside cosigner: its name, and the spans (Unix seconds) in which it never was away."""

    name: str
    spans: tuple[tuple[int, int], ...]

    @property
    def since(self) -> datetime:
        """When it first cosigned."""
        return datetime.fromtimestamp(self.spans[0][0], UTC)

    @property
    def until(self) -> datetime:
        """When it last cosigned."""
        return datetime.fromtimestamp(self.spans[-1][1], UTC)


def witness_of(folder: Path, key: VerifierKey) -> Witness | None:
    """Read from a bundle what a witness cosigned of gateways' journals; None where nothing."""
    spans = tuple(joined(_moments(folder / lines.CHECKPOINTS, key)))
    return Witness(key.name, spans) if spans else None


def joined(moments: Iterable[int]) -> list[tuple[int, int]]:
    """Put moments (Unix seconds, rising) together that lie no further apart than ten minutes."""
    found: list[tuple[int, int]] = []
    for at in moments:
        if found and 0 <= at - found[-1][1] <= APART_S:
            found[-1] = (found[-1][0], at)
        else:
            found.append((at, at))
    return sorted(found)


def _moments(path: Path, key: VerifierKey) -> Iterator[int]:
    own = False
    with path.open("rb") as file:
        for line in file:
            read = lines.read_checkpoint(line)
            if isinstance(read, SegmentLine):
                own = Origin.parse(read.origin).owner.startswith(GATEWAY_PREFIX)
            elif own and isinstance(read, NoteLine):
                note = notes.parse(read.note)
                if any((s.name, s.key_id) == (key.name, key.key_id) for s in note.signatures):
                    try:
                        yield notes.cosignature_time(note, key)
                    except NoteBroken:
                        continue
