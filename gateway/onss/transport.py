"""Edge: one HTTP call over requests: limits, and whether a byte of the body left.

Exceptions of requests and urllib3 end here. Their texts may hold a URL with a NISS in it, so
only their kind goes on.
"""

from __future__ import annotations

import io
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3.exceptions

from gateway.onss.answers import KEPT_HEADERS, Answer, NoAnswer, Outcome, Silence
from gateway.onss.config import OnssConfig

CHUNK_BYTES = 65_536

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


class _Body(io.BytesIO):
    """A request's body that knows whether any of it was handed to the socket.

    http.client connects and sends the headers before it first reads the body, so a body that
    was never read was never sent, whatever went wrong; no exception's type tells that as surely.
    """

    read_from = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.read_from = True
        return super().read(size)


class Transport:
    """Makes calls, one session a thread; safe to call from many threads.

    TLS is always verified; the environment (proxies, netrc, CA bundles) is not heeded; redirects
    are not followed; cookies are not kept; nothing is ever sent twice by itself.
    """

    def __init__(self, config: OnssConfig, monotonic: Callable[[], float]) -> None:
        self._config = config
        self._monotonic = monotonic
        self._local = threading.local()
        self._lock = threading.Lock()
        self._sessions: set[requests.Session] = set()

    def call(self, request: Request) -> Outcome:
        """Send one request and read its whole answer within the limits of the configuration."""
        body = _Body(request.body) if request.body is not None else None
        try:
            with self._session().request(
                request.method,
                request.url,
                params=request.params,
                data=body,
                headers={**request.headers, "BelGov-Trace-Id": request.trace_id},
                timeout=(self._config.connect_s, self._config.read_s),
                allow_redirects=False,
                stream=True,
            ) as response:
                return self._read(response, request)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            sent = body is not None and body.read_from
            return NoAnswer(_reason(error, sent), sent, request.trace_id)
        finally:
            self._local.used = self._monotonic()

    def _read(self, response: requests.Response, request: Request) -> Outcome:
        sent = request.body is not None
        deadline = self._monotonic() + self._config.total_s
        body = b""
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=False):
            body += chunk
            if len(body) > self._config.answer_bytes_max:
                return NoAnswer(Silence.TOO_LONG, sent, request.trace_id)
            if self._monotonic() > deadline:
                return NoAnswer(Silence.TIMEOUT, sent, request.trace_id)
        kept = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
        return Answer(response.status_code, kept, body, request.trace_id)

    def _session(self) -> requests.Session:
        """Return this thread's session, a new one after a rest.

        A connection that rested may be gone without our knowing (a firewall forgot it), and
        a registration sent into it would be unknown for no reason.
        """
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is not None and self._monotonic() - self._local.used > self._config.idle_s:
            self._discard(session)
            session = None
        if session is None:
            session = self._local.session = _new_session(self._config)
            with self._lock:
                self._sessions.add(session)
        return session

    def _discard(self, session: requests.Session) -> None:
        with self._lock:
            self._sessions.discard(session)
        session.close()

    def close(self) -> None:
        """Close every thread's connections; call it when no call is under way."""
        with self._lock:
            sessions, self._sessions = self._sessions, set()
        for session in sessions:
            session.close()


def _new_session(config: OnssConfig) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.verify = str(config.ca_file) if config.ca_file else True
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Identity: a size limit on what is read is then a limit on what it unpacks to.
    session.headers.update({"Accept-Encoding": "identity", "User-Agent": "ciao-gateway"})
    return session


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
