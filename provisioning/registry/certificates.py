"""Terminals' certificates: which were issued, and which no longer count.

A certificate belongs to an enrolled key. It counts while the terminal has that key and is not
revoked; so a replacement ends the certificates of the hardware before, without a further word.
"""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ciao.errors import BadInput
from ciao.notes import VerifierKey
from ciao.reading import parse_rfc3339
from provisioning.registry.organisation import name
from provisioning.registry.registry import Registry
from provisioning.registry.store import Change, instant

# A certificate that ran out needs no revocation; a broker's clock may be behind by so much.
_OF_NOTE = """
SELECT certificates.serial, coalesce(terminals_now.revoked_at, changes.at) AS since
FROM certificates JOIN terminals_now ON terminals_now.id = certificates.id
JOIN changes ON changes.row = terminals_now.change
WHERE certificates.not_after > :at
    AND (terminals_now.revoked_at IS NOT NULL OR terminals_now.enrolled <> certificates.enrolled)
ORDER BY certificates.row
"""


def der(certificate: x509.Certificate) -> bytes:
    """Write a certificate in the form that is hashed."""
    return certificate.public_bytes(Encoding.DER)


def record(
    change: Change, terminal: str, enrolled: VerifierKey, certificate: x509.Certificate
) -> None:
    """Note a certificate that was issued."""
    values = {
        "id": terminal,
        "enrolled": str(enrolled),
        "serial": f"{certificate.serial_number:x}",
        "not_after": instant(certificate.not_valid_after_utc),
        "certificate": certificate.public_bytes(Encoding.PEM).decode(),
    }
    change.append("certificates", values)


def newest(registry: Registry, terminal: str, enrolled: VerifierKey) -> x509.Certificate | None:
    """Return the certificate issued last for a terminal's key; None where none was."""
    row = registry.store.row(
        "SELECT certificate FROM certificates WHERE id = ? AND enrolled = ?"
        " ORDER BY row DESC LIMIT 1",
        [terminal, str(enrolled)],
    )
    return None if row is None else x509.load_pem_x509_certificate(row["certificate"].encode())


def revoked(registry: Registry, at: datetime) -> list[tuple[int, datetime]]:
    """List the serial numbers that no longer count, of those that would, and since when."""
    found = registry.store.rows(_OF_NOTE, {"at": instant(at)})
    return [(int(row["serial"], 16), parse_rfc3339(row["since"])) for row in found]


def revoke(registry: Registry, change: Change, terminal: str, why: str, at: datetime) -> None:
    """Take nothing of a terminal any more, and end its certificates: it was stolen or copied."""
    row = registry.store.row("SELECT * FROM terminals_now WHERE id = ?", [terminal])
    if row is None:
        raise BadInput(f"there is no terminal {terminal!r}", "see: ciao-provision terminal list")
    if row["revoked_at"] is not None:
        raise BadInput(
            f"{terminal} is revoked already, from {row['revoked_at']}",
            "enrol other hardware in its place: ciao-provision terminal code --replace",
        )
    key = registry.roster_key(terminal)
    values = {column: row[column] for column in ("id", "employer", "enrolled", "seal")}
    values |= {"revoked_at": instant(at), "revoked_why": name(why, "reason")}

    def encrypt(number: int) -> dict[str, bytes]:
        return {"roster_key": registry.fields.encrypt(key, "terminals", "roster_key", number)}

    change.append("terminals", values, replaces=row["row"], encrypt=encrypt)
