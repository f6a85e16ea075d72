"""What a person is told of the ledger: read-only, while its gateway runs."""

from __future__ import annotations

import shutil
import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ciao.registration import State
from gateway.ledger.store import connect_read_only, explained

# Not at their end, and not waiting for a person.
ROWS_MAX = 1_000
PENDING = (State.RECORDED, State.SUBMITTED, State.UNKNOWN)

# With max(), SQLite takes the other columns from the row that has it: the newest segment.
_TERMINALS = """
SELECT terminal, origin,
    (SELECT sum(size) FROM log AS every WHERE every.terminal = log.terminal),
    size, max(changed_ms)
FROM log GROUP BY terminal ORDER BY terminal LIMIT ?
"""

_OWING = """
SELECT owed.terminal, owed.origin, coalesce(log.size, 0), owed.size, owed.forked
FROM owed LEFT JOIN log ON log.origin = owed.origin ORDER BY owed.since_ms LIMIT ?
"""


# Each part by an index over what is open, so the cost doesn't grow with history.
_OPEN = (
    "worker IS NOT NULL AND state IN ('recorded', 'submitted', 'unknown')",
    "badge IS NULL AND state IN ('recorded', 'unknown')",
    "worker IS NULL AND badge IS NOT NULL AND state = 'unknown'",
)
_ON_THE_WAY = (
    "SELECT state, sum(many) FROM ("
    + " UNION ALL ".join(
        f"SELECT state, count(*) AS many FROM tap WHERE {where} GROUP BY state" for where in _OPEN
    )
    + ") GROUP BY state"
)
_OLDEST = (
    "SELECT min(at_ms) FROM ("
    + " UNION ALL ".join(f"SELECT min(at_ms) AS at_ms FROM tap WHERE {where}" for where in _OPEN)
    + ")"
)
_WAITING = (
    "SELECT state, count(*) FROM tap"
    " WHERE state IN ('held', 'unresolved', 'unknown', 'rejected', 'withheld')"
    " AND state IN ('held', 'unresolved') GROUP BY state"
)


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
class Alert:
    """Something of a terminal that an operator has not acknowledged yet."""

    terminal: str
    kind: str
    origin: str
    detail: str
    count: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Owing:
    """A log of which more was cosigned once, before a backup, than is held now."""

    terminal: str
    origin: str
    held: int
    once: int
    forked: bool


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """The whole ledger in numbers; lists end at `ROWS_MAX`.

    `derived` counts the taps whose time rests on a later step of their terminal's clock.
    """

    terminals: tuple[TerminalReport, ...]
    refusals: tuple[Refusals, ...]
    alerts: tuple[Alert, ...]
    owing: tuple[Owing, ...]
    taps: dict[str, int]
    derived: int
    restored_ms: int | None
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is on its way or waits for somebody, by state; `oldest_ms`: the oldest on its way."""

    on_the_way: dict[str, int]
    waiting: dict[str, int]
    oldest_ms: int | None


def backlog(path: Path) -> Backlog:
    """Count what isn't at its end, however much is; raise BadInput."""
    waits = (State.HELD, State.UNRESOLVED)
    with closing(connect_read_only(path)) as db, explained(path):
        db.execute("BEGIN")
        on_the_way, waiting = (
            dict.fromkeys(map(str, states), 0) | dict(db.execute(select).fetchall())
            for states, select in ((PENDING, _ON_THE_WAY), (waits, _WAITING))
        )
        (oldest,) = db.execute(_OLDEST).fetchone()
    return Backlog(on_the_way, waiting, oldest)


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
            for terminal, origin, entries, size, heard_ms in db.execute(_TERMINALS, [ROWS_MAX])
        )
        refusals = tuple(
            Refusals(*row)
            for row in db.execute(
                "SELECT terminal, reason, count, last_ms FROM refused LIMIT ?", [ROWS_MAX]
            )
        )
        alerts = tuple(
            Alert(*row)
            for row in db.execute(
                "SELECT terminal, kind, origin, detail, count, last_ms FROM alert"
                " WHERE acknowledged_ms IS NULL ORDER BY last_ms DESC LIMIT ?",
                [ROWS_MAX],
            )
        )
        owing = tuple(
            Owing(terminal, origin, held, once, bool(forked))
            for terminal, origin, held, once, forked in db.execute(_OWING, [ROWS_MAX])
        )
        (derived,) = db.execute("SELECT count(basis) FROM tap WHERE basis IS NOT NULL").fetchone()
        restored = db.execute("SELECT value FROM fact WHERE name = 'restored_ms'").fetchone()
    total: dict[str, int] = defaultdict(int)
    for states in taps.values():
        for state, count in states.items():
            total[state] += count
    return LedgerReport(
        terminals,
        refusals,
        alerts,
        owing,
        dict(total),
        derived,
        restored[0] if restored else None,
        shutil.disk_usage(path.parent).free,
    )


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


def last_note(path: Path, terminal: str) -> str | None:
    """Return the last note that we cosigned for a terminal; None where there is none."""
    with explained(path), closing(connect_read_only(path)) as db:
        row = db.execute(
            "SELECT receipt FROM log WHERE terminal = ? AND receipt != ''"
            " ORDER BY changed_ms DESC LIMIT 1",
            [terminal],
        ).fetchone()
    return None if row is None else str(row[0])
