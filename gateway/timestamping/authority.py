"""Edge: a time stamping authority (RFC 3161), asked over HTTP (section 3.4).

What leaves is a hash and a random number. TLS is verified where the URL has it, the environment is
not heeded; the reply itself is what is trusted, and only after it was checked.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import requests
import urllib3.exceptions
from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from ciao import timestamps
from ciao.certificates import UNREADABLE
from ciao.errors import BadInput
from ciao.timestamps import REPLY_SIZE_MAX, NotStamped

CONNECT_S = 5.0
READ_S = 15.0
# A slow authority holds up nothing but itself; so long, at the most.
TOTAL_S = 30.0
_CHUNK = 16 * 1024


def load_roots(path: Path) -> list[Certificate]:
    """Read root certificates (PEM); raise BadInput."""
    try:
        return load_pem_x509_certificates(path.read_bytes())
    except (OSError, *UNREADABLE) as error:
        raise BadInput(
            f"can't read the roots of the time stamping authority in {path}: {error}",
            "give its root certificates as PEM",
        ) from error


@dataclass(frozen=True, slots=True)
class Authority:
    """Where it is, and the root certificates by which its replies are believed."""

    url: str
    roots: Sequence[Certificate]

    def stamp(self, document: bytes) -> bytes:
        """Ask for a stamp over a document's SHA-256; return the reply (DER), checked.

        Raises NotStamped for whatever stands between us and a proof.
        """
        builder = TimestampRequestBuilder().data(document).hash_algorithm(HashAlgorithm.SHA256)
        request = builder.build()
        reply = self.ask(request.as_bytes())
        timestamps.read(reply, document, self.roots, request)
        return reply

    def ask(self, request: bytes) -> bytes:
        """Post a request (DER) and return what came back, unread; raise NotStamped."""
        headers = {"Content-Type": "application/timestamp-query"}
        deadline = time.monotonic() + TOTAL_S
        body = b""
        try:
            with requests.Session() as session:
                session.trust_env = False
                with session.post(
                    self.url,
                    data=request,
                    headers=headers,
                    timeout=(CONNECT_S, READ_S),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    if response.status_code != 200:
                        raise NotStamped(f"the authority answered {response.status_code}")
                    kind = response.headers.get("Content-Type", "nothing").partition(";")[0]
                    if kind != "application/timestamp-reply":
                        raise NotStamped(f"the authority answered with {kind[:60]!r}")
                    for chunk in response.iter_content(_CHUNK):
                        body += chunk
                        if len(body) > REPLY_SIZE_MAX or time.monotonic() > deadline:
                            raise NotStamped("the authority's answer does not end")
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise NotStamped(f"the authority can't be reached ({type(error).__name__})") from error
        return body
