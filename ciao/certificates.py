"""What is raised of a certificate, a signing request or a list of revoked ones that is none.

Not all of it are ValueErrors: a version that nobody knows has an error of its own, and so has a
key of a kind that OpenSSL was built without.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import DuplicateExtension, InvalidVersion, UnsupportedGeneralNameType

UNREADABLE = (
    ValueError,
    TypeError,
    InvalidSignature,
    UnsupportedAlgorithm,
    InvalidVersion,
    DuplicateExtension,
    UnsupportedGeneralNameType,
)
