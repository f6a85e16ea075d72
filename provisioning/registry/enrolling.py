"""Enrolment in the registry: one-time codes, and what came by them.

The office writes a code with a plan of what its bearer becomes. The gateway, which serves
enrolment, turns the bearer's keys into a terminal; it can't bind it, since it holds no provisioning
key. The office does, once it has checked that the bearer of its code sent these keys.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from ciao.enrolment import enrol_text, proven
from ciao.errors import BadInput
from ciao.keys import RandomBytes
from ciao.names import terminal_id
from ciao.notes import VerifierKey
from ciao.reading import parse_rfc3339
from provisioning.registry import issuing
from provisioning.registry.issuing import ROSTER_KEY_SIZE, Terms
from provisioning.registry.registry import Registry
from provisioning.registry.store import Change, Row, instant


@dataclass(frozen=True, slots=True)
class Plan:
    """What the bearer of a code becomes: `proof` is the office's, for the terminal."""

    employer: str
    terms: Terms
    readers: dict[str, str]
    proof: str
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """A code as it is kept: `row` names it; only the newest of a terminal counts."""

    row: int
    terminal: str
    plan: Plan
    expires_at: datetime
    is_newest: bool


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Which keys came by a code; raw public keys in base64, the TLS key by its digest."""

    code: int
    terminal: str
    enrolled: str
    seal: str
    tls: str
    proof: str


_plans = msgspec.json.Decoder(Plan)


def add_code(
    registry: Registry,
    change: Change,
    terminal: str,
    bearer: str,
    plan: Plan,
    now: datetime,
    life: timedelta,
) -> None:
    """Write a code; the codes of this terminal before it count no longer."""
    terminal_id(terminal)
    known = registry.terminal(terminal)
    if known is None and plan.replaces is not None:
        raise BadInput(f"there is no terminal {terminal!r}", "without --replace it is a new one")
    if known is not None and plan.replaces is None:
        raise BadInput(
            f"there is a terminal {terminal!r} already",
            "with --replace other hardware takes its place",
        )
    if known is not None and known.employer != plan.employer:
        raise BadInput(
            f"{terminal} trusts {known.employer}",
            "a terminal that changes hands gets another id",
        )
    values = {
        "id": terminal,
        "hash": registry.fields.code_hash(bearer),
        "plan": msgspec.json.encode(plan).decode(),
        "expires_at": instant(now + life),
    }
    change.append("codes", values)


def code(registry: Registry, bearer: str) -> Code | None:
    """Look a code up by what its bearer shows."""
    row = registry.store.row(
        "SELECT codes.*, NOT EXISTS (SELECT 1 FROM codes AS later WHERE later.id = codes.id"
        " AND later.row > codes.row) AS newest FROM codes WHERE hash = ?",
        [registry.fields.code_hash(bearer)],
    )
    return None if row is None else _code(row)


def newest_code(registry: Registry, terminal: str) -> Code | None:
    """Return a terminal's code that counts, used or not."""
    row = registry.store.row(
        "SELECT codes.*, 1 AS newest FROM codes WHERE id = ? ORDER BY row DESC LIMIT 1",
        [terminal],
    )
    return None if row is None else _code(row)


def _code(row: Row) -> Code:
    plan = _plans.decode(row["plan"])
    return Code(
        row["row"],
        row["id"],
        plan,
        parse_rfc3339(row["expires_at"]),
        bool(row["newest"]),
    )


def enrolment(registry: Registry, code: int) -> Enrolment | None:
    """Return what came by a code; None while it is unused."""
    row = registry.store.row("SELECT * FROM enrolments WHERE code = ?", [code])
    if row is None:
        return None
    return Enrolment(code, row["id"], row["enrolled"], row["seal"], row["tls"], row["proof"])


def enrol(
    registry: Registry,
    change: Change,
    one: Enrolment,
    key: VerifierKey,
    employer: str,
    random_bytes: RandomBytes,
) -> None:
    """Use a code up: its terminal has these keys from now on, and is not revoked."""
    fresh = random_bytes(ROSTER_KEY_SIZE)

    def encrypt(row: int) -> dict[str, bytes]:
        return {"roster_key": registry.fields.encrypt(fresh, "terminals", "roster_key", row)}

    now = registry.store.row("SELECT row FROM terminals_now WHERE id = ?", [one.terminal])
    terminal = {
        "id": one.terminal,
        "employer": employer,
        "enrolled": str(key),
        "seal": one.seal,
    }
    change.append("terminals", terminal, replaces=now["row"] if now else None, encrypt=encrypt)
    values = msgspec.to_builtins(one)
    values["id"] = values.pop("terminal")
    change.append("enrolments", values)


def accept(
    registry: Registry,
    change: Change,
    one: Code,
    bearer: str,
    office_key: bytes,
    signer_for: issuing.SignerFor,
    now: datetime,
) -> None:
    """Bind a terminal that was enrolled by this code; raise BadInput where the keys were swapped.

    Who served the enrolment knows the bearer, and not the office's key: what it put in the place of
    the terminal's keys has no proof.
    """
    came = enrolment(registry, one.row)
    if came is None:
        raise BadInput(
            f"nobody has used the code of {one.terminal} yet",
            "enrol the terminal first",
        )
    text = enrol_text(bearer, came.enrolled, came.seal, came.tls)
    known = registry.terminal(one.terminal)
    assert known is not None
    kept = b64encode(known.enrolled.public).decode(), b64encode(known.seal).decode()
    if not proven(office_key, text, came.proof) or kept != (came.enrolled, came.seal):
        raise BadInput(
            f"the keys that came for {one.terminal} are not those its code was used with",
            "the enrolment server can't be trusted: look into it before you give another code",
        )
    issuing.bind(registry, change, one.terminal, one.plan.terms, signer_for, now)
