"""An operator's own certificate authority: who may connect, as whom, and as what.

    root (the office's) ─┬─▶ broker, enrolment server (server), gateway (client)
                         ├─▶ report signer (document signing)
                         └─▶ issuer (the gateway's) ──▶ terminals (client only)

ECDSA P-256 throughout, since every TLS 1.3 library has it (RFC 8446, 9.1). Values in, values out:
the moment and the randomness come from the caller, and `ciao.keys` writes the files. Decision 16.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ciao.keys import RandomBytes
from ciao.names import GATEWAY_PREFIX

CA_DAYS = 7300
ISSUER_DAYS = 3650
# id-kp-documentSigning (RFC 9336): it signs reports, and opens no connection.
DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
# Renewed by hand (`ciao-provision certificate renew`), long before that (`status` warns).
SERVER_DAYS = 730
# Renewed by the terminal itself, from the 60th day on.
TERMINAL_DAYS = 90
# A terminal's clock may be behind when it meets its broker for the first time.
BACKDATED = timedelta(days=1)
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
# The part of a subject that the issuer may write: all it signs stands below it.
TERMINALS = "terminals"
COMMON_NAME_MAX = 64


class Made(TypedDict):
    """When, and by whose randomness, a certificate is made."""

    now: datetime
    random_bytes: RandomBytes


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and the private key that belongs to it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """The certificate as PEM; for everyone."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key as PKCS#8 PEM; for `ciao.keys.write_secret` only."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def new_key(random_bytes: RandomBytes) -> ec.EllipticCurvePrivateKey:
    """Make a P-256 key from 40 random bytes (FIPS 186-5, A.2.1: extra bits, then a remainder)."""
    secret = int.from_bytes(random_bytes(40), "big") % (P256_ORDER - 1) + 1
    return ec.derive_private_key(secret, ec.SECP256R1())


def make_ca(name: str, *, now: datetime, random_bytes: RandomBytes) -> Identity:
    """Make the root: it signs servers, gateways, and one issuer below it."""
    key = new_key(random_bytes)
    subject = _subject(name[:COMMON_NAME_MAX])
    builder = _builder(subject, subject, key.public_key(), now, CA_DAYS, random_bytes)
    return Identity(_sign(_as_authority(builder, path_length=1), key), key)


def make_issuer(
    ca: Identity,
    gateways: Iterable[str],
    *,
    now: datetime,
    random_bytes: RandomBytes,
    key: ec.EllipticCurvePrivateKey | None = None,
) -> Identity:
    """Make the authority that a gateway holds: it signs terminals, and can sign nothing else.

    A client's certificates only (so whoever steals its key is no broker and no enrolment server),
    below `O=terminals` only, and in no gateway's name; OpenSSL holds a chain to all three.
    """
    key = key or new_key(random_bytes)
    builder = _builder(
        _subject("issuer", TERMINALS),
        ca.certificate.subject,
        key.public_key(),
        now,
        ISSUER_DAYS,
        random_bytes,
    )
    excluded = [
        x509.DirectoryName(_subject(GATEWAY_PREFIX + gateway, TERMINALS)) for gateway in gateways
    ]
    permitted = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, TERMINALS)])
    constraints = x509.NameConstraints([x509.DirectoryName(permitted)], excluded or None)
    builder = (
        _as_authority(builder, path_length=0)
        .add_extension(constraints, critical=True)
        .add_extension(_usage(ExtendedKeyUsageOID.CLIENT_AUTH), critical=False)
        .add_extension(_issued_by(ca), critical=False)
    )
    return Identity(_sign(builder, ca.key), key)


def issue_server(
    ca: Identity,
    addresses: Iterable[str],
    *,
    now: datetime,
    random_bytes: RandomBytes,
    key: ec.EllipticCurvePrivateKey | None = None,
) -> Identity:
    """Issue a server's certificate for the host names and IP addresses it is reached by.

    For the key it has already, or for a new one.
    """
    names = list(addresses)
    alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
    key = key or new_key(random_bytes)
    usage = ExtendedKeyUsageOID.SERVER_AUTH
    subject = _subject(names[0][:COMMON_NAME_MAX])
    builder = _leaf(ca, subject, key.public_key(), usage, now, SERVER_DAYS, random_bytes)
    return Identity(_sign(builder.add_extension(alternatives, critical=False), ca.key), key)


def issue_client(
    ca: Identity,
    common_name: str,
    *,
    now: datetime,
    random_bytes: RandomBytes,
    key: ec.EllipticCurvePrivateKey | None = None,
    life: timedelta = timedelta(days=SERVER_DAYS),
) -> Identity:
    """Issue a gateway's certificate (common name: `gateway-<id>`), for its key or a new one.

    The common name is the user and the client id at the broker, and so what its ACL goes by.
    """
    key = key or new_key(random_bytes)
    usage = ExtendedKeyUsageOID.CLIENT_AUTH
    subject = _subject(common_name)
    builder = _leaf(ca, subject, key.public_key(), usage, now, 0, random_bytes, now + life)
    return Identity(_sign(builder, ca.key), key)


def issue_signer(ca: Identity, name: str, *, now: datetime, random_bytes: RandomBytes) -> Identity:
    """Issue a certificate for the signatures on reports; it lasts as long as the issuer."""
    key = new_key(random_bytes)
    subject = _subject(name[:COMMON_NAME_MAX])
    public, usage = key.public_key(), DOCUMENT_SIGNING
    builder = _leaf(ca, subject, public, usage, now, ISSUER_DAYS, random_bytes)
    return Identity(_sign(builder, ca.key), key)


def issue_terminal(
    issuer: Identity,
    terminal: str,
    public_key: ec.EllipticCurvePublicKey,
    *,
    now: datetime,
    random_bytes: RandomBytes,
    life: timedelta = timedelta(days=TERMINAL_DAYS),
) -> x509.Certificate:
    """Issue a terminal's certificate (common name: its id) for the key that it made itself."""
    usage = ExtendedKeyUsageOID.CLIENT_AUTH
    subject = _subject(terminal, TERMINALS)
    ends = min(now + life, issuer.certificate.not_valid_after_utc)
    builder = _leaf(issuer, subject, public_key, usage, now, 0, random_bytes, ends)
    return _sign(builder, issuer.key)


def _leaf(
    ca: Identity,
    subject: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    usage: x509.ObjectIdentifier,
    now: datetime,
    days: int,
    random_bytes: RandomBytes,
    ends: datetime | None = None,
) -> x509.CertificateBuilder:
    issuer = ca.certificate.subject
    builder = _builder(subject, issuer, public_key, now, days, random_bytes, ends)
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(_usage(usage), critical=False)
        .add_extension(_issued_by(ca), critical=False)
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
    days: int,
    random_bytes: RandomBytes,
    ends: datetime | None = None,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        # RFC 5280, 4.1.2.2: positive, at most 20 octets
        .serial_number(int.from_bytes(random_bytes(16), "big") + 1)
        .not_valid_before(now - BACKDATED)
        .not_valid_after(ends or now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _as_authority(builder: x509.CertificateBuilder, *, path_length: int) -> x509.CertificateBuilder:
    return builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=path_length), critical=True
    ).add_extension(_key_usage(signs_certificates=True), critical=True)


def _issued_by(ca: Identity) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key())


def _sign(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    return builder.sign(key, SHA256(), ecdsa_deterministic=True)


def _subject(common_name: str, organization: str | None = None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization is not None:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


def _general_name(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)


def _usage(usage: x509.ObjectIdentifier) -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage([usage])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
