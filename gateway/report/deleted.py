"""What a gateway deleted of a bundle's terminals, and what of it is gone besides. Pure.

From `deletions.jsonl` and the rows: what was deleted, when, and how old it was then (decision 38).
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ciao.entries import Deletion
from ciao.names import Origin
from ciao.reading import parse_rfc3339

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Payloads:
    """Badge readings of one log whose payload was deleted: entries first to last, `count` of them.

    `begin`, `end`: when the first and the last went; `days`: the least and the greatest age then.
    """

    origin: str
    first: int
    last: int
    count: int
    begin: datetime
    end: datetime
    days: tuple[int, int]


@dataclass(frozen=True, slots=True)
class WholeLog:
    """A log that was deleted whole: how many entries, and when."""

    origin: str
    entries: int
    at: datetime

    @property
    def terminal(self) -> str:
        """Whose it was."""
        return Origin.parse(self.origin).owner


@dataclass(frozen=True, slots=True)
class Kept:
    """For how many days, by `[retention]` of gateway.toml when the report was made."""

    payload_days: int
    segment_days: int


@dataclass(slots=True)
class Sealed:
    """The entries of one log that sealed what a badge said: seq and time (ms), as they pass."""

    seqs: array[int] = field(default_factory=lambda: array("q"))
    at_ms: array[int] = field(default_factory=lambda: array("q"))

    def add(self, seq: int, at_ms: int) -> None:
        """Note one."""
        self.seqs.append(seq)
        self.at_ms.append(at_ms)

    def between(self, begin: datetime, end: datetime) -> Iterable[tuple[int, int]]:
        """Return those of [begin, end): seq, time."""
        low, high = _ms(begin), _ms(end)
        pairs = zip(self.seqs, self.at_ms, strict=True)
        return ((seq, at_ms) for seq, at_ms in pairs if low <= at_ms < high)


@dataclass(frozen=True, slots=True)
class Said:
    """What gateways' entries say: of each log the ranges (first, last, ms), and the whole logs."""

    of: Mapping[str, Sequence[tuple[int, int, int]]]
    whole: Sequence[WholeLog]

    def when_ms(self, origin: str, seq: int) -> int | None:
        """Say when an entry's payload was deleted; None where nothing says so."""
        known = self.of.get(origin, ())
        index = bisect_right(known, seq, key=lambda one: one[0]) - 1
        return known[index][2] if index >= 0 and seq <= known[index][1] else None


NOTHING_SAID = Said({}, ())


def said(entries: Iterable[Deletion]) -> Said:
    """Put together what `deletion` entries of gateways' journals say."""
    ranges: dict[str, list[tuple[int, int, int]]] = {}
    whole: dict[str, WholeLog] = {}
    for entry in entries:
        at = parse_rfc3339(entry.at)
        for one in entry.ranges:
            if entry.why == "segment":
                whole[one.origin] = WholeLog(one.origin, one.last + 1, at)
            elif entry.why == "retention":
                ranges.setdefault(one.origin, []).append((one.first, one.last, _ms(at)))
    return Said(
        {origin: sorted(known) for origin, known in ranges.items()},
        list(whole.values()),
    )


def payloads(
    origin: str,
    read: Iterable[tuple[int, int]],
    known: Said,
    gone: Collection[int] = (),
) -> tuple[Payloads | None, int]:
    """Say what of a log's badge readings (seq, ms) was deleted, and how many are lost.

    `gone`: those that a full bundle can't disclose; lost is what of them no entry speaks of.
    """
    lost, ages = 0, []
    for seq, at_ms in read:
        deleted_ms = known.when_ms(origin, seq)
        if deleted_ms is not None:
            ages.append((seq, deleted_ms, (deleted_ms - at_ms) // DAY_MS))
        elif seq in gone:
            lost += 1
    if not ages:
        return None, lost
    seqs, moments, days = zip(*ages, strict=True)
    begin, end = (
        datetime.fromtimestamp(at_ms / 1000, UTC) for at_ms in (min(moments), max(moments))
    )
    spread = (min(days), max(days))
    return Payloads(origin, min(seqs), max(seqs), len(seqs), begin, end, spread), lost


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
