"""Edge: HTTPS to the enrolment server, by the standard library: small, and always verified.

The server's chain and its name are always held to the operator's root. Only its *dates* may be left
out of that, where our clock says that they are not of this time; then they are held to the time
that the server itself states inside the verified connection (decision 19).
"""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec import Struct

from ciao import enrolment as wire
from ciao.certificates import UNREADABLE
from ciao.code import Code
from ciao.enrolment import ANSWER_SIZE_MAX, Challenge, EnrolmentBroken, Reason, Refused
from ciao.errors import BadInput
from ciao.mqtt import hold_to_dates, refuse_revoked

TIMEOUT_S = 20.0
# X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED.
_DATES = (9, 10)

_WORDS: dict[Reason, tuple[str, str]] = {
    "malformed": ("the server does not understand us", "use the same version on both ends"),
    "code_unknown": ("the code is not known, or a newer one was made", "ask the office for a code"),
    "code_used": ("the code was used already, by other keys", "ask the office for another code"),
    "code_expired": ("the code has run out", "ask the office for another code"),
    "too_many": ("too many tries failed", "wait ten minutes, then try again"),
    "unknown_terminal": ("the server does not know this terminal", "enrol it again"),
    "revoked": ("this terminal is revoked", "ask the office for a code that replaces it"),
    "signature": ("the server knows this terminal by another key", "enrol it again"),
    "challenge": ("the answer took too long", "try again"),
}


@dataclass(frozen=True, slots=True)
class Server:
    """Where enrolment is served."""

    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> Server:
        """Read `https://HOST[:PORT]`; raise BadInput."""
        hint = "such as https://gateway.example.be:8884"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise BadInput(f"{url!r} is no server: {error}", hint) from error
        if parts.scheme != "https" or not parts.hostname or parts.path not in ("", "/"):
            raise BadInput(f"{url!r} is no server", hint)
        return cls(parts.hostname, port or 8884)


def authority_named_by(code: Code, server: Server) -> bytes:
    """Fetch the operator's root certificate (PEM), and take it only where the code names it.

    Nothing is known yet by which this connection could be verified, so nothing is believed of it
    but bytes whose hash the code carries, and nothing is sent by it. Raises BadInput.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    pem = _exchange(server, context, "GET", wire.AUTHORITY_PATH, b"")
    try:
        found = x509.load_pem_x509_certificate(pem)
    except UNREADABLE as error:
        raise BadInput("no enrolment server answers there", "check --server") from error
    if not code.names(found.public_bytes(Encoding.DER)):
        raise BadInput(
            "the server that answers is not the one that the code is for",
            "check --server; if it is right, somebody is in between: tell the office",
        )
    return found.public_bytes(Encoding.PEM)


class Client:
    """Requests to one server, verified by the operator's root in a file (PEM).

    `not_before` is the latest moment that this terminal has proof of: the server's certificate must
    count at a time from then on.
    """

    def __init__(self, server: Server, authority: Path, not_before: datetime) -> None:
        self._server = server
        self._not_before = not_before
        try:
            self._context = ssl.create_default_context(cafile=authority)
            refuse_revoked(self._context, authority)
        except OSError as error:
            raise BadInput(f"can't read {authority}: {error}", "enrol this terminal") from error
        self._context.minimum_version = ssl.TLSVersion.TLSv1_3
        self._dated = True

    def challenge(self) -> Challenge:
        """Ask for a challenge, and the time; raise BadInput.

        Where our own clock says that the server's certificate is not of this time, its dates are
        held to the server's clock instead, from here on.
        """
        try:
            body = self._ask("GET", wire.CHALLENGE_PATH)
        except ssl.SSLCertVerificationError as error:
            if error.verify_code not in _DATES:
                raise _unreachable(self._server, error) from error
            hold_to_dates(self._context, by_our_clock=False)
            self._dated = False
            try:
                body = self._ask("GET", wire.CHALLENGE_PATH)
            except ssl.SSLCertVerificationError as again:
                raise _unreachable(self._server, again) from again
        return self._read(Challenge, body)

    def revoked(self) -> bytes:
        """Ask which certificates the root revoked (PEM); b"" where none; raise BadInput."""
        try:
            return self._ask("GET", wire.REVOKED_PATH)
        except ssl.SSLCertVerificationError as error:
            raise _unreachable(self._server, error) from error

    def post(self, path: str, request: Struct, kind: type[wire.M]) -> wire.M:
        """Send a request and read its answer; raise BadInput, also where it is refused."""
        try:
            return self._read(kind, self._ask("POST", path, wire.encode(request)))
        except ssl.SSLCertVerificationError as error:
            raise _unreachable(self._server, error) from error

    def _ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        check = None if self._dated else self._check_dates
        return _exchange(self._server, self._context, method, path, body, check)

    def _check_dates(self, der: bytes, answer: bytes) -> None:
        """Hold the server's certificate to the time that it states, and to what we know of time."""
        certificate = x509.load_der_x509_certificate(der)
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if ends < self._not_before:
            raise BadInput(
                "the server's certificate ran out before our own was made",
                "renew the enrolment server's certificate: ciao-provision certificate renew",
            )
        try:
            stated = datetime.fromtimestamp(wire.decode(Challenge, answer).time, UTC)
        except (EnrolmentBroken, ValueError, OverflowError, OSError):
            return
        if not max(begins, self._not_before) <= stated <= ends:
            raise BadInput(
                "the server's certificate does not fit the time that it states",
                "renew the enrolment server's certificate: ciao-provision certificate renew",
            )

    def _read(self, kind: type[wire.M], body: bytes) -> wire.M:
        try:
            return wire.decode(kind, body)
        except EnrolmentBroken as error:
            try:
                what, hint = _WORDS[wire.decode(Refused, body).refused]
            except EnrolmentBroken:
                raise BadInput(f"an answer that is none: {error}", "check the server") from error
            raise BadInput(what, hint) from error


def _exchange(
    server: Server,
    context: ssl.SSLContext,
    method: str,
    path: str,
    body: bytes,
    check: object = None,
) -> bytes:
    connection = http.client.HTTPSConnection(
        server.host, server.port, timeout=TIMEOUT_S, context=context
    )
    try:
        connection.request(method, path, body or None)
        der = connection.sock.getpeercert(binary_form=True)
        answer = connection.getresponse().read(ANSWER_SIZE_MAX + 1)
    except ssl.SSLCertVerificationError:
        raise
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(server, error) from error
    finally:
        connection.close()
    if callable(check):
        check(der, answer)
    return answer


def _unreachable(server: Server, error: Exception) -> BadInput:
    return BadInput(
        f"{server.host}:{server.port} does not answer as it should: {error}",
        "check the network, and that the gateway runs",
    )
