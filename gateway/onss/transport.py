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
from typing import Any

import requests
import urllib3.exceptions
from requests.adapters import BaseAdapter, HTTPAdapter

from gateway.onss.answers import KEPT_HEADERS, Answer, NoAnswer, Outcome, Silence
from gateway.onss.config import OnssConfig

CHUNK_BYTES = 65_536

# Identity: a size limit on what is read is then a limit on what it unpacks to.
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "ciao-gateway"}

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


def new_adapter() -> BaseAdapter:
    """Return one connection to come, as requests makes it."""
    return HTTPAdapter(max_retries=0, pool_maxsize=1)


class Transport:
    """Makes calls, one connection a thread; safe to call from many threads.

    It stands on requests' adapter, without its session: so nothing of the environment (proxies,
    netrc, CA bundles) is heeded, no redirect followed, no cookie kept, and a call costs a third
    less. TLS is always verified; nothing is ever sent twice by itself.
    """

    def __init__(
        self,
        config: OnssConfig,
        monotonic: Callable[[], float],
        connect: Callable[[], BaseAdapter] = new_adapter,
    ) -> None:
        self._config = config
        self._monotonic = monotonic
        self._connect = connect
        self._local = threading.local()
        self._lock = threading.Lock()
        self._adapters: set[BaseAdapter] = set()
        self._prepared: dict[tuple[str, str], requests.PreparedRequest] = {}

    def call(self, request: Request) -> Outcome:
        """Send one request and read its whole answer within the limits of the configuration."""
        body = _Body(request.body) if request.body is not None else None
        try:
            with self._adapter().send(
                self._prepare(request, body),
                timeout=(self._config.connect_s, self._config.read_s),
                verify=str(self._config.ca_file) if self._config.ca_file else True,
                stream=True,
            ) as response:
                return self._read(response, request)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            sent = body is not None and body.read_from
            return NoAnswer(_reason(error, sent), sent, request.trace_id)
        finally:
            self._local.used = self._monotonic()

    def _prepare(self, request: Request, body: _Body | None) -> requests.PreparedRequest:
        """Write a request as requests sends it; what is the same for every post is kept."""
        key = (request.method, request.url)
        known = self._prepared.get(key)
        if request.params is not None or known is None:
            known = requests.Request(*key, params=request.params).prepare()
            if request.params is None:
                self._prepared[key] = known
        prepared = known.copy()
        prepared.prepare_headers(
            {**_HEADERS, **request.headers, "BelGov-Trace-Id": request.trace_id}
        )
        if request.body is not None:
            prepared.body = body  # type: ignore[assignment]
            prepared.headers["Content-Length"] = str(len(request.body))
        return prepared

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

    def _adapter(self) -> BaseAdapter:
        """Return this thread's connection, a new one after a rest.

        A connection that rested may be gone without our knowing (a firewall forgot it), and
        a registration sent into it would be unknown for no reason.
        """
        adapter: BaseAdapter | None = getattr(self._local, "adapter", None)
        if adapter is not None and self._monotonic() - self._local.used > self._config.idle_s:
            self._discard(adapter)
            adapter = None
        if adapter is None:
            adapter = self._local.adapter = self._connect()
            with self._lock:
                self._adapters.add(adapter)
        return adapter

    def _discard(self, adapter: BaseAdapter) -> None:
        with self._lock:
            self._adapters.discard(adapter)
        adapter.close()

    def close(self) -> None:
        """Close every thread's connections; call it when no call is under way."""
        with self._lock:
            adapters, self._adapters = self._adapters, set()
        for adapter in adapters:
            adapter.close()


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
