"""A dossier's evidence as files: what was stamped, bound and receipted, and how it is proven.

docs/protocol/correction.md fixes them. No file here names a person: the letter alone does.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from ciao import notes
from ciao.checkpoint import Checkpoint
from ciao.tree import Subtree, inclusion_proof
from gateway.correction.dossier import Dossier, Known
from gateway.correction.rules import last_day

# (log, level, index) -> hash
Subtrees = Callable[[int, int, int], bytes]


def files(dossier: Dossier, subtrees: Subtrees) -> Iterator[tuple[str, bytes]]:
    """Yield each file's name and bytes."""
    yield "dossier.json", _json(_dossier(dossier))
    yield "proofs.json", _json([_proof(one, subtrees) for one in dossier.stamps])
    issued = {one.issued.sha256: one.issued.note for one in dossier.stamps if one.issued}
    for sha256, note in sorted(issued.items()):
        yield f"bindings/{sha256}.txt", note.encode()


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def _dossier(dossier: Dossier) -> dict[str, Any]:
    row, employer = dossier.row, dossier.employer
    return {
        "v": 1,
        "dossier": dossier.reference,
        "opened_ms": row.at_ms,
        "employer": row.employer,
        "company": employer.company.number if employer else None,
        "wrong": row.wrong,
        "registered": row.registered,
        "correct": row.correct,
        "why": row.why,
        "stamps": [stamp(one) for one in dossier.stamps],
    }


def stamp(known: Known) -> dict[str, Any]:
    """Say all of a stamp that names nobody."""
    tap, employment = known.tap, known.employment
    return {
        "tap": tap.id,
        "terminal": tap.terminal,
        "origin": known.custody.origin,
        "seq": known.custody.seq,
        "at": tap.stamped_at,
        "direction": tap.direction,
        "declaration": known.entry.declaration,
        "onss_id": tap.onss_id,
        "state": tap.state.value,
        "accepted_ms": known.custody.accepted_ms,
        "last_day": last_day(known.at).isoformat(),
        "site": known.site,
        "binding": known.entry.binding,
        "employment": None
        if employment is None
        else {
            "id": employment.id,
            "kind": employment.kind.value,
            "company": employment.company.number,
            "from": _moment(employment.period.start),
            "until": _moment(employment.period.end),
        },
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def _proof(known: Known, subtrees: Subtrees) -> dict[str, Any]:
    """Prove that a stamp's entry is in the log that the receipt is of (RFC 6962 2.1.1)."""
    held = known.custody
    proof: dict[str, Any] = {
        "origin": held.origin,
        "seq": held.seq,
        "leaf": held.leaf.decode(),
        "certificate": held.certificate,
        "receipt": held.receipt,
    }
    if held.receipt is not None:
        size = Checkpoint.parse(notes.parse(held.receipt).text).size

        def subtree(level: int, index: int) -> bytes:
            return subtrees(held.log, level, index)

        of_log: Subtree = subtree
        path = inclusion_proof(held.seq, size, of_log)
        proof["inclusion"] = [base64.b64encode(one).decode() for one in path]
    return proof
