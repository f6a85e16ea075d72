"""Count what became of every tap, from the four places that know, after all processes ended.

Promised: the panel's event log. Kept: the terminal's journal. In custody: its receipts and the
gateway's ledger. Registered: the ONSS stand-in's own rows. Read with plain SQL and JSON, not with
the code under test, and compared as sets of identities, (origin, seq) of each tap's first place.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

Identity = tuple[str, int]
_AT_ONSS = frozenset({"accepted", "valid", "remarked"})


@dataclass(frozen=True, slots=True)
class Tally:
    """How many taps were promised, how far they came, and what must be 0."""

    taps: int
    journalled: int
    receipted: int
    accepted: int
    lost: int
    duplicated: int

    def line(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class _Stamp:
    at: datetime
    direction: str
    receipted: bool


@dataclass(frozen=True, slots=True)
class _Forwarded:
    state: str
    onss_id: str | None


def count(terminal: Path, ledger: Path, sandbox: Path) -> Tally:
    """Compare a terminal's folder (panel.jsonl, state/journal) with a ledger and a sandbox."""
    promised = set(_promised(terminal / "panel.jsonl"))
    journal = dict(_journalled(terminal / "state" / "journal"))
    forwarded = dict(_forwarded(ledger))
    rows = dict(_registered(sandbox))
    reached = {
        identity
        for identity, stamp in journal.items()
        if _is_there(stamp, forwarded.get(identity), rows)
    }
    claims = Counter(forwarded[identity].onss_id for identity in reached)
    once = {onss_id for onss_id, claimed in claims.items() if claimed == 1}
    return Tally(
        taps=len(promised),
        journalled=len(promised & journal.keys()),
        receipted=sum(1 for identity in promised if _receipted(journal.get(identity))),
        accepted=len(promised & reached),
        lost=len(promised - reached),
        duplicated=len(rows.keys() - once),
    )


def _receipted(stamp: _Stamp | None) -> bool:
    return stamp is not None and stamp.receipted


def _is_there(
    stamp: _Stamp, forwarded: _Forwarded | None, rows: dict[str, tuple[datetime, str]]
) -> bool:
    """Whether the ONSS has this tap, under the id we were told, at its own time, not re-timed."""
    if forwarded is None or forwarded.state not in _AT_ONSS or forwarded.onss_id is None:
        return False
    return rows.get(forwarded.onss_id) == (stamp.at, stamp.direction)


def _promised(log: Path) -> Iterator[Identity]:
    for line in log.read_text(encoding="utf-8").splitlines():
        stamp = json.loads(line).get("stamp")
        if stamp is not None:
            yield stamp["origin"], stamp["seq"]


def _journalled(directory: Path) -> Iterator[tuple[Identity, _Stamp]]:
    for path in sorted(directory.glob("*.db")):
        origin = _rows(path, "SELECT origin FROM segment")[0][0]
        settled = _rows(path, f"SELECT max(size) FROM note WHERE origin = '{origin}'")[0][0] or 0
        for seq, leaf in _rows(path, "SELECT seq, leaf FROM entry ORDER BY seq"):
            entry = json.loads(leaf)
            if entry["kind"] == "tap":
                first = entry.get("carried", {"origin": origin, "seq": seq})
                at = datetime.fromisoformat(entry["at"])
                stamp = _Stamp(at, entry["direction"], seq < settled)
                yield (first["origin"], first["seq"]), stamp


def _forwarded(ledger: Path) -> Iterator[tuple[Identity, _Forwarded]]:
    taps = "SELECT first_origin, first_seq, state, onss_id FROM tap"
    for origin, seq, state, onss_id in _rows(ledger, taps):
        yield (origin, seq), _Forwarded(state, onss_id)


def _registered(sandbox: Path) -> Iterator[tuple[str, tuple[datetime, str]]]:
    for onss_id, item in _rows(sandbox, "SELECT id, item FROM registration"):
        sent = json.loads(item)
        yield str(onss_id), (datetime.fromisoformat(sent["registrationDate"]), sent["type"])


def _rows(path: Path, select: str) -> list[tuple[Any, ...]]:
    db = sqlite3.connect(path)
    try:
        return db.execute(select).fetchall()
    finally:
        db.close()
