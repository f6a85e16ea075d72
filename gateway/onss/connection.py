"""Edge: one kept connection to one server, and one call at a time on it, by the standard library.

Whatever a library on top would add (retries, redirects, cookies, proxies, a pool) must not happen
here, and costs more than the call itself (decision 33). What goes wrong ends here as `Broken`:
the texts of exceptions may hold a URL with a NISS in it.
"""

from __future__ import annotations

import http.client
import select
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol
from urllib.parse import quote, urlencode, urlsplit

from gateway.onss.answers import KEPT_HEADERS, Answer, Silence
from gateway.onss.sockets import Bounded, Deadline, NotReached, connect

CHUNK_BYTES = 65_536
# Identity: a size limit on what is read is then a limit on what it unpacks to.
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "ciao-gateway"}
_PORTS = {"http": 80, "https": 443}


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
    name: str

    @classmethod
    @lru_cache(maxsize=64)
    def of(cls, url: str) -> Server:
        """Read it from a URL that the configuration has checked."""
        parts = urlsplit(url)
        name = parts.netloc.rpartition("@")[2]
        port = parts.port or _PORTS[parts.scheme]
        return cls(parts.scheme == "https", parts.hostname or "", port, name)


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a connection: seconds for one address to take us, and bytes of one answer."""

    connect_s: float
    answer_bytes_max: int


class HttpConnection:
    """One server's connection; opened when it is needed, and again after a failure."""

    def __init__(
        self, server: Server, context: Callable[[], ssl.SSLContext], limits: Limits
    ) -> None:
        self._server = server
        self._context = context
        self._limits = limits
        self._http = http.client.HTTPConnection(server.host, server.port)
        # Never connects by itself: nothing is sent twice.
        self._http.auto_open = 0
        self._socket: Bounded | None = None

    def exchange(self, request: Request, deadline: Deadline) -> Answer:
        """Send a request and read its whole answer; raise Broken.

        The headers go first, on their own: a body that was never handed to the socket was never
        sent, whatever went wrong, and no exception's type tells that as surely.
        """
        sent = False
        try:
            self._open(deadline)
            self._head(request)
            if request.body is not None:
                sent = True
                # It may have answered without reading on: 413, say.
                with suppress(BrokenPipeError):
                    self._http.send(request.body)
            return self._read(self._http.getresponse(), request)
        except NotReached as error:
            raise Broken(error.reason, False) from error
        except TimeoutError as error:
            self.close()
            raise Broken(Silence.TIMEOUT, sent) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise Broken(Silence.DROPPED, sent) from error

    def _open(self, deadline: Deadline) -> None:
        """Connect, unless the connection is there still and nobody has closed it meanwhile."""
        kept = self._socket if self._http.sock else None
        if kept and _is_readable(kept.fileno()):
            # It has ended, or says what nobody asked for.
            self.close()
            kept = None
        if not kept:
            server = self._server
            context = self._context() if server.secure else None
            kept = connect(server.host, server.port, context, self._limits.connect_s, deadline)
            self._socket = self._http.sock = kept
        kept.deadline = deadline

    def _head(self, request: Request) -> None:
        target = _target(request.url)
        if request.params is not None:
            target += "?" + urlencode(request.params)
        self._http.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
        self._http.putheader("Host", self._server.name)
        for headers in (_HEADERS, request.headers):
            for name, value in headers.items():
                self._http.putheader(name, value)
        self._http.putheader("BelGov-Trace-Id", request.trace_id)
        if request.body is not None:
            self._http.putheader("Content-Length", str(len(request.body)))
        self._http.endheaders()

    def _read(self, response: http.client.HTTPResponse, request: Request) -> Answer:
        """Read the whole of an answer, or raise what says that it isn't."""
        body = b""
        while chunk := response.read(CHUNK_BYTES):
            body += chunk
            if len(body) > self._limits.answer_bytes_max:
                self.close()
                raise Broken(Silence.TOO_LONG, request.body is not None)
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        told = response.headers
        kept = {name: told[name] for name in KEPT_HEADERS if name in told}
        return Answer(response.status, kept, body, request.trace_id)

    def close(self) -> None:
        """Close it; the next exchange opens another."""
        self._http.close()


@lru_cache(maxsize=64)
def _target(url: str) -> str:
    """Return the path that a request line names."""
    return quote(urlsplit(url).path or "/", safe="/%:@!$&'()*+,;=~")


def _is_readable(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
