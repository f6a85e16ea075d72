"""An operator's own certificate authority for the broker: who may connect, and as whom.

ECDSA P-256 throughout, since every TLS 1.3 library has it (RFC 8446, 9.1). Values in, values out:
the moment and the randomness come from the caller, and `ciao.keys` writes the files.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ciao.keys import RandomBytes

CA_DAYS = 7300
CERTIFICATE_DAYS = 3650
# A terminal's clock may be behind when it meets its broker for the first time.
BACKDATED = timedelta(days=1)
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
PATH_LENGTH_NONE_BELOW = 0


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
    """Make an authority that signs certificates of parties, and no further authorities."""
    key = new_key(random_bytes)
    subject = _subject(name)
    builder = _builder(subject, subject, key.public_key(), now, CA_DAYS, random_bytes)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=PATH_LENGTH_NONE_BELOW), critical=True
    ).add_extension(_key_usage(signs_certificates=True), critical=True)
    return Identity(_sign(builder, key), key)


def issue_broker(
    ca: Identity, addresses: Iterable[str], *, now: datetime, random_bytes: RandomBytes
) -> Identity:
    """Issue the broker's certificate for the host names and IP addresses it is reached by."""
    names = list(addresses)
    alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
    usage = ExtendedKeyUsageOID.SERVER_AUTH
    return _issue(ca, names[0], usage, alternatives, now, random_bytes)


def issue_client(
    ca: Identity, common_name: str, *, now: datetime, random_bytes: RandomBytes
) -> Identity:
    """Issue a terminal's certificate (common name: its id) or a gateway's (`gateway-<id>`).

    The common name is the user and the client id at the broker, and so what its ACL goes by.
    """
    return _issue(ca, common_name, ExtendedKeyUsageOID.CLIENT_AUTH, None, now, random_bytes)


def _issue(
    ca: Identity,
    common_name: str,
    usage: x509.ObjectIdentifier,
    alternatives: x509.SubjectAlternativeName | None,
    now: datetime,
    random_bytes: RandomBytes,
) -> Identity:
    key = new_key(random_bytes)
    issuer = ca.certificate.subject
    subject = _subject(common_name)
    builder = _builder(subject, issuer, key.public_key(), now, CERTIFICATE_DAYS, random_bytes)
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key())
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(authority, critical=False)
    )
    if alternatives is not None:
        builder = builder.add_extension(alternatives, critical=False)
    return Identity(_sign(builder, ca.key), key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
    days: int,
    random_bytes: RandomBytes,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        # RFC 5280, 4.1.2.2: positive, at most 20 octets
        .serial_number(int.from_bytes(random_bytes(16), "big") + 1)
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _sign(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    return builder.sign(key, SHA256(), ecdsa_deterministic=True)


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)


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
