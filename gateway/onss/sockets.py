"""Edge: sockets that end with their call: each wait is cut to what is left of it.

A limit a read alone bounds nothing: a peer that sends a byte now and then is waited for for ever.
So the socket itself looks at the call's end before each send and each read, in the connecting,
the handshake, the headers and the body alike. Only a resolver keeps to its own limit.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.onss.answers import Silence


class NotReached(Exception):
    """There is no connection, so nothing was sent; `reason` says why."""

    def __init__(self, reason: Silence) -> None:
        super().__init__(reason.value)
        self.reason = reason


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


class Plain(socket.socket):
    """A TCP socket with a call's deadline."""

    deadline: Deadline

    def recv_into(self, *into: Any) -> int:
        """Read within what is left."""
        self.settimeout(self.deadline.left_s())
        return super().recv_into(*into)

    def sendall(self, *what: Any) -> None:
        """Send within what is left."""
        self.settimeout(self.deadline.left_s())
        super().sendall(*what)


class Tls(ssl.SSLSocket):
    """The same over TLS."""

    deadline: Deadline

    def recv_into(self, *into: Any) -> int:
        """Read within what is left."""
        self.settimeout(self.deadline.left_s())
        return super().recv_into(*into)

    def send(self, *what: Any) -> int:
        """Send a part within what is left; `sendall` calls it."""
        self.settimeout(self.deadline.left_s())
        return super().send(*what)


Bounded = Plain | Tls


def tls_context(authorities: str) -> ssl.SSLContext:
    """Return what verifies a service: by the authorities of this PEM file and no others."""
    context = ssl.create_default_context(cafile=authorities)
    context.set_alpn_protocols(["http/1.1"])
    context.sslsocket_class = Tls
    return context


def connect(
    host: str,
    port: int,
    context: ssl.SSLContext | None,
    connect_s: float,
    deadline: Deadline,
) -> Bounded:
    """Connect to a host, over TLS where there is a context; raise NotReached.

    `connect_s`: the longest that one address is waited for.
    """
    plain = _reached(host, port, connect_s, deadline)
    if context is None:
        plain.deadline = deadline
        return plain
    try:
        plain.settimeout(deadline.left_s())
        # The handshake as a whole keeps to the socket's timeout.
        secured = context.wrap_socket(plain, server_hostname=host)
    except OSError as error:
        plain.close()
        raise NotReached(_why(error, Silence.DROPPED)) from error
    assert isinstance(secured, Tls)
    secured.deadline = deadline
    return secured


def _reached(host: str, port: int, connect_s: float, deadline: Deadline) -> Plain:
    """Connect to the first of a host's addresses that takes us."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotReached(Silence.DNS) from error
    failed: OSError = OSError("a name without an address")
    for family, kind, protocol, _, address in found:
        plain = Plain(family, kind, protocol)
        try:
            plain.settimeout(deadline.left_s(connect_s))
            plain.connect(address)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            plain.close()
            failed = error
        else:
            return plain
    raise NotReached(_why(failed, Silence.UNREACHABLE)) from failed


def _why(error: OSError, otherwise: Silence) -> Silence:
    match error:
        case TimeoutError():
            return Silence.CONNECT_TIMEOUT
        case ssl.SSLError():
            return Silence.TLS
        case ConnectionRefusedError():
            return Silence.REFUSED
    return otherwise
