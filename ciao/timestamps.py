"""Time stamps of an outside authority (RFC 3161): that a document existed at a moment.

Pure: bytes in, a moment out. Whoever verifies brings the authority's root certificates; what a
reply carries of its own chain is only used below these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.x509 import Certificate
from rfc3161_client import (
    TimeStampRequest,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from rfc3161_client.tsp import Accuracy

from ciao.certificates import UNREADABLE

REPLY_SIZE_MAX = 64 * 1024


class NotStamped(ValueError):
    """A reply is no proof for this document: what is wrong with it, in words."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a document existed at the latest, as the authority says, and how exactly it knows."""

    at: datetime
    accuracy: timedelta


def read(
    reply: bytes,
    document: bytes,
    roots: Sequence[Certificate],
    request: TimeStampRequest | None = None,
) -> Stamp:
    """Check an authority's reply (DER) over a document's SHA-256; raise NotStamped.

    The certificates count as of the stamp's own moment: a stamp outlives them (RFC 3161, 4).
    With the `request` that was sent, its nonce must have come back.
    """
    if len(reply) > REPLY_SIZE_MAX:
        raise NotStamped(f"a reply of {len(reply)} bytes, at most {REPLY_SIZE_MAX} are read")
    if not roots:
        raise NotStamped("no certificate of a time stamping authority was given")
    try:
        response = decode_timestamp_response(reply)
        asked = VerifierBuilder.from_request(request) if request else VerifierBuilder()
        for root in roots:
            asked = asked.add_root_certificate(root)
        verifier = asked.build()
        verifier.verify_message(response, document)
        info = response.tst_info
    except (VerificationError, *UNREADABLE) as error:
        raise NotStamped(str(error)) from error
    accuracy: Accuracy | None = info.accuracy  # absent in some replies, whatever its type says
    if accuracy is None:
        return Stamp(info.gen_time, timedelta(seconds=1))
    exact = timedelta(
        seconds=accuracy.seconds or 0,
        milliseconds=accuracy.millis or 0,
        microseconds=accuracy.micros or 0,
    )
    return Stamp(info.gen_time, exact)
