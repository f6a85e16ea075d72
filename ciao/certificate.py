"""Segment certificates: a segment's log key, signed by the terminal's enrolled key.

A note of three lines, so the same verifier reads it. The enrolled key is named by the binding;
whoever trusts the binding trusts every segment its terminal begins, without being asked.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from ciao.names import Origin, enrolled_key_name
from ciao.notes import NoteBroken, Signer, VerifierKey, parse, verify

_HEAD = "ciao/1 segment"


def certify(enrolled: Signer, segment: VerifierKey) -> str:
    """Write the certificate of a segment's log key, whose name is the segment's origin."""
    public = base64.b64encode(segment.public).decode()
    return enrolled.sign(f"{_HEAD}\n{segment.name}\n{public}\n").encode()


def is_certified(certificate: str, key: VerifierKey, enrolled: Sequence[VerifierKey]) -> bool:
    """Say whether one of these keys certified a segment's name and log key."""
    for one in enrolled:
        try:
            if certified_key(certificate, one) == key:
                return True
        except NoteBroken:
            continue
    return False


def certified_key(certificate: str, enrolled: VerifierKey) -> VerifierKey:
    """Return the log key a certificate names; raise NoteBroken unless all of it fits.

    The origin must belong to the terminal whose enrolled key signed.
    """
    note = parse(certificate)
    verify(note, enrolled)
    lines = note.text.split("\n")
    try:
        head, name, encoded, end = lines
        public = base64.b64decode(encoded, validate=True)
        origin = Origin.parse(name)
    except (ValueError, binascii.Error) as error:
        raise NoteBroken("a segment certificate has three lines: head, origin, key") from error
    if head != _HEAD or end or len(public) != 32:
        raise NoteBroken("not a segment certificate")
    if enrolled_key_name(origin.domain, origin.owner) != enrolled.name:
        raise NoteBroken("a certificate for another terminal's log")
    return VerifierKey(name, public)
