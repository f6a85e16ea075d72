"""Edge: how far one gets towards a host: its name, a connection, TLS."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Reached:
    """How far it went: what is None was not reached; `failed` says why, in a few words.

    `tls` is "" where the URL asks for none.
    """

    host: str
    port: int
    addresses: tuple[str, ...] | None = None
    connected: str | None = None
    tls: str | None = None
    valid_until: datetime | None = None
    failed: str = ""


def reach(url: str, ca_file: Path | None, timeout_s: float) -> Reached:
    """Resolve, connect and shake hands; each step within the limit. It never raises."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        return Reached(host, port, failed=error.strerror or type(error).__name__)
    addresses = tuple(sorted({str(one[4][0]) for one in found}))
    try:
        with socket.create_connection((host, port), timeout_s) as plain:
            connected = str(plain.getpeername()[0])
            if parts.scheme != "https":
                return Reached(host, port, addresses, connected, "")
            return _shaken(Reached(host, port, addresses, connected), plain, ca_file)
    except OSError as error:
        failed = error.strerror or str(error) or type(error).__name__
        return Reached(host, port, addresses, failed=failed)


def _shaken(so_far: Reached, plain: socket.socket, ca_file: Path | None) -> Reached:
    host, port, addresses = so_far.host, so_far.port, so_far.addresses
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        with context.wrap_socket(plain, server_hostname=host) as secured:
            certificate = secured.getpeercert() or {}
            until_s = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
            until = datetime.fromtimestamp(until_s, UTC)
            return Reached(
                host, port, addresses, so_far.connected, secured.version() or "TLS", until
            )
    except ssl.SSLCertVerificationError as error:
        why = f"its certificate is refused: {error.verify_message}"
        return Reached(host, port, addresses, so_far.connected, failed=why)
    except OSError as error:
        why = getattr(error, "reason", None) or error.strerror or type(error).__name__
        return Reached(host, port, addresses, so_far.connected, failed=str(why))
