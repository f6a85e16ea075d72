"""Nothing shown is missing at the ONSS, and nothing is there twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from tests.sim.evidence import AT_ONSS, SET_ASIDE, Evidence, LedgerTap
from tests.sim.office import LATE


def registered_once_or_set_aside(evidence: Evidence) -> Iterator[str]:
    """Every stamp is at the ONSS exactly once, or held, rejected or unresolved with a reason."""
    shown = evidence.truth.promises.keys() - evidence.truth.lost.keys()
    claimed = Counter(tap.onss_id for tap in evidence.taps.values() if tap.onss_id)
    for payload in sorted(shown | evidence.journal.keys() | evidence.taps.keys()):
        tap = evidence.taps.get(payload)
        if tap is None:
            yield f"tap {payload[:8]} is not in the ledger"
        elif tap.state in AT_ONSS:
            if evidence.row_of(payload) is None:
                yield f"{tap} is not at the ONSS"
            elif claimed[tap.onss_id or ""] != 1:
                yield f"{tap} shares its registration"
        elif tap.onss_id is not None:
            yield f"{tap} has a registration, and is {tap.state}"
        elif not _set_aside(tap) and not _for_a_person(evidence, payload, tap):
            yield f"{tap} ended nowhere"
    erased = {
        (datetime.fromisoformat(at), direction)
        for payload, (at, direction) in evidence.truth.forgotten.items()
        if payload in evidence.truth.lost
    }
    for row in evidence.onss:
        if str(row.id) not in claimed and (row.at, row.direction) not in erased:
            yield f"the ONSS has a registration that no tap claims: {row}"


def _set_aside(tap: LedgerTap) -> bool:
    return tap.state in SET_ASIDE and bool(tap.reason)


def _for_a_person(evidence: Evidence, payload: str, tap: LedgerTap) -> bool:
    """After a restored backup, a tap without a trusted time, or nobody's, can't be searched for."""
    leaf = evidence.leaf_of(payload)
    if leaf is None or (tap.state, tap.reason, tap.worker) != ("unknown", "restored", None):
        return False
    scene = evidence.truth.scenes.get((tap.terminal, leaf["boot"], leaf["up_ms"]))
    nobody = scene is not None and LATE.ssin in scene.ssins and not evidence.truth.enrolled
    return nobody or not leaf["clock"]["synced"] or not leaf["at"].startswith("2026")
