"""Edge: sockets that end with their call: each wait is cut to what is left of it.

A limit a read alone bounds nothing: a peer that sends a byte now and then is waited for for ever.
So the socket itself looks at the call's end before each send and each read, in the headers and
the body alike; connecting and the handshake keep to what was left when they began.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError
from urllib3.util.ssl_ import create_urllib3_context


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a call ends, by a steady clock; `wait_s`: the longest that one wait in it may be."""

    monotonic: Callable[[], float]
    end_s: float
    wait_s: float

    def left_s(self, at_most_s: float | None = None) -> float:
        """Return how long the next wait may be; raise TimeoutError at the end."""
        left_s = self.end_s - self.monotonic()
        if left_s <= 0:
            raise TimeoutError("the call's time is up")
        return min(left_s, self.wait_s if at_most_s is None else at_most_s)

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Let this thread's sockets keep to it."""
        before = _IN_FORCE.set(self)
        try:
            yield
        finally:
            _IN_FORCE.reset(before)


# What a thread's sockets keep to: one call at a time goes on in a thread.
_IN_FORCE: ContextVar[Deadline] = ContextVar("deadline")


class _Plain(socket.socket):
    """A TCP socket that ends with its call."""

    def recv_into(self, *into: Any) -> int:
        self.settimeout(_IN_FORCE.get().left_s())
        return super().recv_into(*into)

    def sendall(self, *what: Any) -> None:
        self.settimeout(_IN_FORCE.get().left_s())
        super().sendall(*what)


class _Tls(ssl.SSLSocket):
    """The same over TLS; its `sendall` goes by `send`."""

    def recv_into(self, *into: Any) -> int:
        self.settimeout(_IN_FORCE.get().left_s())
        return super().recv_into(*into)

    def send(self, *what: Any) -> int:
        self.settimeout(_IN_FORCE.get().left_s())
        return super().send(*what)


class _Http(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        plain = self.sock
        self.sock = _Plain(plain.family, plain.type, plain.proto, fileno=plain.detach())


class _Https(HTTPSConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except TimeoutError as error:
            # The handshake; urllib3 would take it for an answer that did not come.
            raise ConnectTimeoutError(self, "the handshake took too long") from error


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class BoundedAdapter(HTTPAdapter):
    """One connection as requests makes it, on sockets that end with their call."""

    def __init__(self) -> None:
        super().__init__(max_retries=0, pool_maxsize=1)

    def init_poolmanager(self, *how: Any, **pool: Any) -> None:
        """Make connections of our kinds; who is trusted is said with each request."""
        context = create_urllib3_context()
        context.sslsocket_class = _Tls
        super().init_poolmanager(*how, ssl_context=context, **pool)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
