"""What a terminal believes of what an enrolment server answers. Pure.

The server is known by the operator's root, yet it is the gateway: it is not believed whom to trust
for bindings (the office proves that), nor that a certificate is ours, nor a path.
"""

from __future__ import annotations

import re

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from ciao import enrolment as wire
from ciao.certificates import UNREADABLE
from ciao.code import Code
from ciao.enrolment import Welcome
from ciao.errors import BadInput

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\n.*?\n-----END CERTIFICATE-----\n", re.DOTALL)
_HINT = "tell the office: the enrolment server can't be trusted"


def check_welcome(welcome: Welcome, code: Code) -> None:
    """Raise BadInput unless the office itself says who we are and whose bindings we trust."""
    text = wire.trust_text(welcome.terminal, welcome.domain, welcome.provisioning_key)
    if not wire.proven(code.office_key, text, welcome.proof):
        raise BadInput("the provisioning key does not come from the office", _HINT)


def check_chain(
    pem: str, authority: bytes, terminal: str, key: ec.EllipticCurvePublicKey
) -> x509.Certificate:
    """Return our certificate, the first of a chain, that leads to the root; raise BadInput.

    Dates are not looked at: a terminal's clock may be wrong, and the broker's decides.
    """
    try:
        parts = [x509.load_pem_x509_certificate(part.encode()) for part in _PEM.findall(pem)]
        ours, issuer = parts
        ours.verify_directly_issued_by(issuer)
        issuer.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
        (name,) = ours.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        certified = ours.public_key()
    except UNREADABLE as error:
        raise BadInput(f"a certificate that does not lead to the root: {error}", _HINT) from error
    if name.value != terminal or certified != key:
        raise BadInput("a certificate for another name, or another key", _HINT)
    return ours


def newer_list(pem: bytes, authority: bytes, held: bytes | None) -> bool:
    """Say whether a list of revoked certificates is the root's, and later than the one held.

    Raises BadInput for one that is not the root's: with it, no server at all would be believed.
    """
    root = x509.load_pem_x509_certificate(authority)
    try:
        fresh = x509.load_pem_x509_crl(pem)
        key = root.public_key()
        if fresh.issuer != root.subject or not isinstance(key, ec.EllipticCurvePublicKey):
            raise ValueError("another authority's")
        if not fresh.is_signature_valid(key) or pem != fresh.public_bytes(Encoding.PEM):
            raise ValueError("not signed by the root")
        before = x509.load_pem_x509_crl(held).last_update_utc if held else None
    except (ValueError, TypeError) as error:
        raise BadInput(f"a list of revoked certificates that is none: {error}", _HINT) from error
    return before is None or before < fresh.last_update_utc
