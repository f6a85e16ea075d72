"""Revocation lists (RFC 5280, 5): one of the root, one of the issuer, in one PEM file. Pure.

mosquitto takes OpenSSL's rule: of two lists by one authority the one of the later `thisUpdate`
counts, so each list we write is later than the one before, and none is in the future.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from ciao.certificates import UNREADABLE
from ciao.errors import BadInput
from provisioning.ca import BACKDATED, Identity

_END = b"-----END X509 CRL-----\n"
_STEP = timedelta(seconds=1)

# What is revoked: a certificate's serial number, and since when.
Revoked = Iterable[tuple[int, datetime]]


def read(pem: bytes) -> list[x509.CertificateRevocationList]:
    """Read a file of lists; raise BadInput."""
    parts = [part + _END for part in pem.split(_END) if part.strip()]
    try:
        return [x509.load_pem_x509_crl(part) for part in parts]
    except UNREADABLE as error:
        raise BadInput(
            f"not a revocation list: {error}", "write it again: ciao-provision broker"
        ) from error


def write(
    authority: Identity,
    revoked: Revoked,
    before: Sequence[x509.CertificateRevocationList],
    now: datetime,
) -> bytes:
    """Write an authority's list as PEM, later than those it follows.

    It holds for as long as the authority does: a list that ran out would lock every terminal out,
    and it lies beside the broker that reads it, so it can't be kept from it.
    """
    name = authority.certificate.subject
    mine = [one for one in before if one.issuer == name]
    updated = max(
        [now - BACKDATED, *(one.last_update_utc + _STEP for one in mine)],
    )
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(name)
        .last_update(updated)
        .next_update(authority.certificate.not_valid_after_utc)
        .add_extension(x509.CRLNumber(int(updated.timestamp())), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
    )
    for serial, since in revoked:
        one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since)
        builder = builder.add_revoked_certificate(one.build())
    return builder.sign(authority.key, SHA256()).public_bytes(Encoding.PEM)
