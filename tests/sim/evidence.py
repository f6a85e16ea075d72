"""Everything the checkers look at, read from the disks after the end, and the truth beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.sim.onss import Onss, Row
from tests.sim.reading import Segment, rows, segments, taps
from tests.sim.truth import Payload, Truth, Wrong

AT_ONSS = frozenset({"accepted", "valid", "remarked"})
# For a person, with a reason: told, not lost.
SET_ASIDE = frozenset({"held", "rejected", "unresolved", "withheld", "abandoned"})


@dataclass(frozen=True, slots=True)
class LedgerTap:
    """A tap as the ledger has it."""

    id: int
    terminal: str
    at: str
    direction: str
    state: str
    reason: str | None
    onss_id: str | None
    worker: str | None


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of a tap's state."""

    tap: int
    before: str
    after: str
    reason: str | None
    attempt: int | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class Attempts:
    """Calls as the ledger has them: trace ids and taps of those begun, which ended, searches."""

    begun: Mapping[int, str]
    taps: Mapping[int, Sequence[int]]
    ended: frozenset[int]
    searched: frozenset[tuple[int, int]]
    transitions: Sequence[Transition]


@dataclass(frozen=True, slots=True)
class Watched:
    """The gateway's own journal, and what it was about, in true ms since the run began.

    `down` is when the ONSS did not work at all, and how; `failed_ms` when it failed somebody;
    `lives` when the gateway ran; `full` when its disk took nothing.
    """

    segments: Sequence[Segment]
    down: Sequence[tuple[str, int, int]]
    failed_ms: Sequence[int]
    lives: Sequence[tuple[int, int]]
    full: Sequence[tuple[int, int]]
    asked: Sequence[str]


@dataclass(frozen=True, slots=True)
class Outside:
    """What failed around terminals, in true ms since the run began.

    `wrong` is the truth; `boots` when each boot began; `lives` when each host ran; `full` when its
    disk took nothing. `unclear`: terminals whose cards or wall clocks were meddled with. `lossy`:
    the network itself loses or reorders, so that whether a gateway is there may be misheard.
    """

    wrong: Sequence[Wrong]
    boots: Mapping[str, int]
    lives: Mapping[str, Sequence[tuple[int, int]]]
    full: Mapping[str, Sequence[tuple[int, int]]]
    unclear: frozenset[str]
    lossy: bool
    gateway: str
    end_ms: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """One run. `journal` holds each tap's leaf; `receipts` each log's receipt at the gateway.

    `emptied`: of each log the entries of which the ledger has no payload.
    """

    truth: Truth
    segments: Sequence[Segment]
    journal: Mapping[Payload, dict[str, Any]]
    taps: Mapping[Payload, LedgerTap]
    leaves: Mapping[str, list[bytes]]
    emptied: Mapping[str, Sequence[int]]
    receipts: Mapping[str, str]
    attempts: Attempts
    onss: Sequence[Row]
    calls: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]
    cosigners: Sequence[bytes]
    settled: bool
    watch: Watched
    outside: Outside

    def row_of(self, payload: Payload) -> Row | None:
        """Return the registration that the ledger says is a tap's."""
        tap = self.taps.get(payload)
        if tap is None or tap.onss_id is None:
            return None
        number = int(tap.onss_id) - 1
        return self.onss[number] if 0 <= number < len(self.onss) else None

    def leaf_of(self, payload: Payload) -> dict[str, Any] | None:
        """Return a tap's leaf: the terminal's, or the gateway's where no card has it any more."""
        return self.journal.get(payload) or self._held().get(payload)

    def _held(self) -> dict[Payload, dict[str, Any]]:
        return {leaf["payload"]: leaf for kept in self.leaves.values() for _, leaf in taps(kept)}


def gather(
    truth: Truth,
    states: Mapping[str, Path],
    ledger: Path,
    onss: Onss,
    cosigners: Sequence[bytes],
    settled: bool,
    watch: Watched,
    outside: Outside,
) -> Evidence:
    """Read it all."""
    found = [one for name, state in states.items() for one in segments(name, state)]
    logs = rows(ledger, "SELECT id, origin, receipt FROM log")
    leaves = "SELECT leaf FROM entry WHERE log = ? ORDER BY seq"
    emptied = "SELECT seq FROM entry WHERE log = ? AND payload IS NULL ORDER BY seq"
    every = (
        "SELECT payload, id, terminal, at, direction, state, reason, onss_id, worker FROM tap"
        " ORDER BY id"
    )
    return Evidence(
        truth=truth,
        segments=found,
        journal={leaf["payload"]: leaf for segment in found for _, leaf in taps(segment.leaves)},
        taps={payload.hex(): LedgerTap(*rest) for payload, *rest in rows(ledger, every)},
        leaves={origin: [leaf for (leaf,) in rows(ledger, leaves, log)] for log, origin, _ in logs},
        emptied={origin: [seq for (seq,) in rows(ledger, emptied, log)] for log, origin, _ in logs},
        receipts={origin: receipt for _, origin, receipt in logs if receipt},
        attempts=gather_attempts(ledger),
        onss=onss.rows,
        calls=onss.calls,
        cosigners=cosigners,
        settled=settled,
        watch=watch,
        outside=outside,
    )


def gather_attempts(ledger: Path) -> Attempts:
    """Read what a ledger has of calls and searches."""
    items: dict[int, list[int]] = {}
    for attempt, tap in rows(ledger, "SELECT attempt, tap FROM attempt_item ORDER BY 1, position"):
        items.setdefault(attempt, []).append(tap)
    moves = "SELECT tap, before, after, reason, attempt, at_ms FROM transition ORDER BY id"
    return Attempts(
        begun=dict(rows(ledger, "SELECT id, trace_id FROM attempt_begun")),
        taps=items,
        ended=frozenset(one for (one,) in rows(ledger, "SELECT attempt FROM attempt_ended")),
        searched=frozenset(rows(ledger, "SELECT tap, at_ms FROM search")),
        transitions=[Transition(*row) for row in rows(ledger, moves)],
    )


def canonical(evidence: Evidence) -> str:
    """Write what must be the same whenever the same seed is run again."""
    told = [
        sorted((payload, repr(promise)) for payload, promise in evidence.truth.promises.items()),
        sorted((segment.origin, segment.leaves) for segment in evidence.segments),
        sorted((payload, repr(tap)) for payload, tap in evidence.taps.items()),
        sorted(evidence.attempts.begun.items()),
        sorted((segment.origin, segment.leaves) for segment in evidence.watch.segments),
        [json.dumps(row.item, sort_keys=True) for row in evidence.onss],
    ]
    return repr(told)
