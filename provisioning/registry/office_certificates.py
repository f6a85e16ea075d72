"""Certificates of the gateway and the servers: those that no longer count, though they would.

One that is renewed keeps its key, and is good for as long as it says: it is noted, so that it can
be revoked with the key. What is revoked is a row of its own.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ciao.reading import parse_rfc3339
from provisioning.registry.organisation import name
from provisioning.registry.registry import Registry
from provisioning.registry.store import Change, instant


def replaced(change: Change, what: str, certificate: x509.Certificate) -> None:
    """Note a certificate in whose place another of the same key was issued."""
    change.append("office_certificates", _values(what, certificate))


def revoke(
    registry: Registry, change: Change, what: str, certificate: x509.Certificate, why: str
) -> None:
    """End a certificate, and those before it of the same key."""
    own = _values(what, certificate)
    found = registry.store.rows(
        "SELECT DISTINCT id, serial, key, not_after FROM office_certificates WHERE key = ?",
        [own["key"]],
    )
    every = {row["serial"]: dict(row) for row in found} | {own["serial"]: own}
    for values in every.values():
        change.append("office_certificates", values | {"revoked_why": name(why, "reason")})


def revoked(registry: Registry, at: datetime) -> list[tuple[int, datetime]]:
    """List the serial numbers that no longer count, of those that would, and since when."""
    found = registry.store.rows(
        "SELECT serial, min(changes.at) AS since FROM office_certificates"
        " JOIN changes ON changes.row = office_certificates.change"
        " WHERE revoked_why IS NOT NULL AND not_after > ? GROUP BY serial ORDER BY since, serial",
        [instant(at)],
    )
    return [(int(row["serial"], 16), parse_rfc3339(row["since"])) for row in found]


def last_revoked(registry: Registry, what: str) -> datetime | None:
    """Say when a certificate of this kind was revoked last; None where none ever was."""
    row = registry.store.row(
        "SELECT max(changes.at) AS at FROM office_certificates"
        " JOIN changes ON changes.row = office_certificates.change"
        " WHERE id = ? AND revoked_why IS NOT NULL",
        [what],
    )
    return None if row is None or row["at"] is None else parse_rfc3339(row["at"])


def _values(what: str, certificate: x509.Certificate) -> dict[str, str | None]:
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {
        "id": what,
        "serial": f"{certificate.serial_number:x}",
        "key": hashlib.sha256(key).hexdigest(),
        "not_after": instant(certificate.not_valid_after_utc),
    }
