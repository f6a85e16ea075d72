"""What a person is told of the ledger: read-only, while its gateway runs."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ciao.registration import State
from gateway.ledger.store import connect_read_only, explained

# Not at their end, and not waiting for a person.
PENDING = (State.RECORDED, State.SUBMITTED, State.UNKNOWN)

# With max(), SQLite takes the other columns from the row that has it: the newest segment.
_TERMINALS = """
SELECT terminal, origin,
    (SELECT sum(size) FROM log AS every WHERE every.terminal = log.terminal),
    size, max(changed_ms)
FROM log GROUP BY terminal ORDER BY terminal
"""


@dataclass(frozen=True, slots=True)
class TerminalReport:
    """One terminal: its newest segment and the size held of it, and in all segments together:

    entries, flagged ones by flag, taps by state, the reasons within each. `heard_ms`: when it
    last brought something.
    `oldest_pending_ms` is the time of its oldest tap that is still on its way, None without any.
    """

    terminal: str
    origin: str
    entries: int
    size: int
    heard_ms: int
    flagged: dict[str, int]
    taps: dict[str, int]
    reasons: dict[str, dict[str, int]]
    oldest_pending_ms: int | None


@dataclass(frozen=True, slots=True)
class Refusals:
    """Messages of one terminal (or "" where it is unknown) refused for one reason."""

    terminal: str
    reason: str
    count: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """The whole ledger in numbers."""

    terminals: tuple[TerminalReport, ...]
    refusals: tuple[Refusals, ...]
    taps: dict[str, int]
    restored_ms: int | None


def read(path: Path) -> LedgerReport:
    """Read the report; raise BadInput."""
    with closing(connect_read_only(path)) as db, explained(path):
        db.execute("BEGIN")
        taps, reasons, oldest = _taps(db)
        flagged = _flagged(db)
        terminals = tuple(
            TerminalReport(
                terminal,
                origin,
                entries,
                size,
                heard_ms,
                flagged[terminal],
                taps[terminal],
                reasons[terminal],
                oldest.get(terminal),
            )
            for terminal, origin, entries, size, heard_ms in db.execute(_TERMINALS)
        )
        refusals = tuple(
            Refusals(*row)
            for row in db.execute("SELECT terminal, reason, count, last_ms FROM refused")
        )
        restored = db.execute("SELECT value FROM fact WHERE name = 'restored_ms'").fetchone()
    total: dict[str, int] = defaultdict(int)
    for states in taps.values():
        for state, count in states.items():
            total[state] += count
    return LedgerReport(terminals, refusals, dict(total), restored[0] if restored else None)


Counts = dict[str, dict[str, int]]


def _taps(db: sqlite3.Connection) -> tuple[Counts, dict[str, Counts], dict[str, int]]:
    """Count taps by terminal, state and reason; find each terminal's oldest on its way."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    reasons: dict[str, Counts] = defaultdict(dict)
    oldest: dict[str, int] = {}
    for terminal, state, reason, count, at_ms in db.execute(
        "SELECT terminal, state, reason, count(*), min(at_ms) FROM tap GROUP BY 1, 2, 3"
    ):
        counts[terminal][state] += count
        if reason is not None:
            reasons[terminal].setdefault(state, {})[reason] = count
        if state in PENDING:
            oldest[terminal] = min(at_ms, oldest.get(terminal, at_ms))
    return counts, reasons, oldest


def _flagged(db: sqlite3.Connection) -> Counts:
    found: Counts = defaultdict(dict)
    for terminal, flag, count in db.execute(
        "SELECT log.terminal, entry.flag, count(*) FROM entry JOIN log ON log.id = entry.log"
        " WHERE entry.flag IS NOT NULL GROUP BY 1, 2"
    ):
        found[terminal][flag] = count
    return found
