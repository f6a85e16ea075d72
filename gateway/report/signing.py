"""Edge: a PDF signed so that a reader shows who made it, and that nothing was changed since.

PAdES (ETSI EN 319 142-1) by pyHanko: a certification signature after which nothing may change,
B-B, and B-T where a time stamping authority is configured. ECDSA on P-256, since poppler and
OpenSSL call an Ed25519 signature of a PDF invalid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from asn1crypto.keys import PrivateKeyInfo
from asn1crypto.x509 import Certificate
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from ciao.certificates import UNREADABLE
from ciao.errors import BadInput
from ciao.keys import load_p256_key

FIELD = "Signature"


@dataclass(frozen=True, slots=True)
class Seal:
    """Who signs: a certificate chain, its own first, and the key; `stamper` gives the time."""

    chain: tuple[x509.Certificate, ...]
    key: ec.EllipticCurvePrivateKey
    stamper: TimeStamper | None = None

    def without_stamper(self) -> Seal:
        """The same, which signs without a time stamp."""
        return replace(self, stamper=None)


def load_seal(certificate: Path, key: Path, stamper: TimeStamper | None = None) -> Seal:
    """Read a certificate chain and its private key (PEM, P-256); raise BadInput."""
    private = load_p256_key(key)
    try:
        chain = x509.load_pem_x509_certificates(certificate.read_bytes())
        pair = chain[0].public_key() == private.public_key()
    except (OSError, *UNREADABLE) as error:
        raise BadInput(
            f"can't sign reports with {certificate}: {error}", "give its certificate chain as PEM"
        ) from error
    if not pair:
        raise BadInput(f"{certificate} is not the certificate of {key}", "give the pair")
    return Seal(tuple(chain), private, stamper)


def sign(pdf: bytes, seal: Seal, reason: str) -> bytes:
    """Return the PDF with a certification signature; raise `TimestampRequestError`, `OSError`."""
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    store.register_multiple([_certificate(one) for one in seal.chain])
    encoded = seal.key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    signer = SimpleSigner(_certificate(seal.chain[0]), PrivateKeyInfo.load(encoded), store)
    metadata = PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        reason=reason,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        subfilter=SigSeedSubFilter.PADES,
    )
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    signed = PdfSigner(metadata, signer, timestamper=seal.stamper).sign_pdf(writer)
    assert isinstance(signed, BytesIO)
    return signed.getvalue()


def _certificate(certificate: x509.Certificate) -> Certificate:
    return Certificate.load(certificate.public_bytes(serialization.Encoding.DER))
