"""Edge: one kept connection to one server, and one call at a time on it, by requests' adapter.

The adapter without its session: nothing of the environment (proxies, netrc, CA bundles) is heeded,
no redirect followed, no cookie kept. What goes wrong ends here as `Broken`: the texts of
exceptions of requests and urllib3 may hold a URL with a NISS in it.
"""

from __future__ import annotations

import io
import logging
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from requests.structures import CaseInsensitiveDict

from gateway.onss.answers import KEPT_HEADERS, Answer, Silence
from gateway.onss.sockets import BoundedAdapter, Deadline

CHUNK_BYTES = 65_536
# Identity: a size limit on what is read is then a limit on what it unpacks to.
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "ciao-gateway"}
_PORTS = {"http": 80, "https": 443}

# urllib3 logs whole URLs at DEBUG, and a search's URL holds a NISS.
logging.getLogger("urllib3").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `body` is None for a GET, whose `params` go into the URL."""

    method: str
    url: str
    trace_id: str
    headers: Mapping[str, str]
    body: bytes | None = None
    params: Mapping[str, str] | None = None


class Broken(Exception):
    """No whole answer came. `sent`: some of the request's body may have left this process."""

    def __init__(self, reason: Silence, sent: bool) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.sent = sent


class Connection(Protocol):
    """The seam: a socket to the service, and in tests whatever can happen on one."""

    def exchange(self, request: Request, deadline: Deadline) -> Answer:
        """Send a request and read its whole answer; raise Broken."""

    def close(self) -> None:
        """Close it; the next exchange opens another."""


@dataclass(frozen=True, slots=True)
class Server:
    """Whom a URL speaks of."""

    secure: bool
    host: str
    port: int

    @classmethod
    @lru_cache(maxsize=64)
    def of(cls, url: str) -> Server:
        """Read it from a URL that the configuration has checked."""
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
        return cls(parts.scheme == "https", parts.hostname or "", port)


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a connection: seconds for one address to take us, and bytes of one answer."""

    connect_s: float
    answer_bytes_max: int


class _Body(io.BytesIO):
    """A request's body that knows whether any of it was handed to the socket.

    http.client connects and sends the headers before it first reads the body, so a body that
    was never read was never sent, whatever went wrong; no exception's type tells that as surely.
    """

    read_from = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.read_from = True
        return super().read(size)


class HttpConnection:
    """One server's connection; opened when it is needed, and again after a failure.

    `authorities`: a PEM file that replaces Mozilla's. TLS is always verified.
    """

    def __init__(self, authorities: str | None, limits: Limits) -> None:
        self._authorities = authorities or True
        self._limits = limits
        self._adapter = BoundedAdapter()

    def exchange(self, request: Request, deadline: Deadline) -> Answer:
        """Send a request and read its whole answer; raise Broken."""
        body = _Body(request.body) if request.body is not None else None
        try:
            with (
                deadline.in_force(),
                self._adapter.send(
                    _prepared(request, body),
                    stream=True,
                    timeout=(deadline.left_s(self._limits.connect_s), deadline.wait_s),
                    verify=self._authorities,
                ) as response,
            ):
                return self._read(response, request)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            sent = body is not None and body.read_from
            raise Broken(_reason(error, sent), sent) from error

    def _read(self, response: requests.Response, request: Request) -> Answer:
        """Read the whole of an answer; raise what says that it isn't."""
        body = b""
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=False):
            body += chunk
            if len(body) > self._limits.answer_bytes_max:
                raise Broken(Silence.TOO_LONG, request.body is not None)
        told = response.headers
        kept = {name: told[name] for name in KEPT_HEADERS if name in told}
        return Answer(response.status_code, kept, body, request.trace_id)

    def close(self) -> None:
        """Close it; the next exchange opens another."""
        self._adapter.close()


def _prepared(request: Request, body: _Body | None) -> requests.PreparedRequest:
    """Write a request as requests sends it; whatever a session would add is left out."""
    prepared = requests.PreparedRequest()
    prepared.method = request.method
    prepared.url = request.url
    if request.params is not None:
        prepared.prepare_url(request.url, request.params)
    trace = {"BelGov-Trace-Id": request.trace_id}
    prepared.headers = CaseInsensitiveDict({**_HEADERS, **request.headers, **trace})
    if body is not None and request.body is not None:
        prepared.body = body  # type: ignore[assignment]
        prepared.headers["Content-Length"] = str(len(request.body))
    return prepared


def _causes(error: BaseException) -> list[Any]:
    """Return the error and everything it wraps: requests wraps urllib3 wraps the socket's."""
    causes: list[Any] = []
    todo: list[Any] = [error]
    while todo:
        one = todo.pop()
        if isinstance(one, BaseException) and one not in causes:
            causes.append(one)
            todo += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
    return causes


# In this order: the deepest reason is the telling one.
_KINDS: tuple[tuple[type[BaseException], Silence], ...] = (
    (urllib3.exceptions.NameResolutionError, Silence.DNS),
    (socket.gaierror, Silence.DNS),
    (ssl.SSLError, Silence.TLS),
    (urllib3.exceptions.SSLError, Silence.TLS),
    (ConnectionRefusedError, Silence.REFUSED),
    (requests.ConnectTimeout, Silence.CONNECT_TIMEOUT),
    (urllib3.exceptions.NewConnectionError, Silence.UNREACHABLE),
    (urllib3.exceptions.TimeoutError, Silence.TIMEOUT),
    (TimeoutError, Silence.TIMEOUT),
)


def _reason(error: BaseException, sent: bool) -> Silence:
    causes = _causes(error)
    kinds = [silence for kind, silence in _KINDS if any(isinstance(c, kind) for c in causes)]
    if not kinds:
        return Silence.DROPPED
    return kinds[0] if not sent or kinds[0] is Silence.TIMEOUT else Silence.DROPPED
