"""Edge: calls within their limits, one connection a thread and a server, renewed after a rest."""

from __future__ import annotations

import threading
from collections.abc import Callable

from gateway.onss.answers import NoAnswer, Outcome
from gateway.onss.config import OnssConfig
from gateway.onss.connection import Broken, Connection, HttpConnection, Limits, Request, Server
from gateway.onss.sockets import Deadline

# How a connection to a server is made; tests make others.
Connect = Callable[[Server], Connection]


class _Mine(threading.local):
    """A thread's connections, and when each was used last."""

    def __init__(self) -> None:
        self.kept: dict[Server, tuple[Connection, float]] = {}


class Transport:
    """Makes calls; safe to call from many threads.

    Nothing of the environment (proxies, netrc, CA bundles) is heeded, no redirect followed, no
    cookie kept. TLS is always verified; nothing is ever sent twice by itself.
    """

    def __init__(
        self,
        config: OnssConfig,
        monotonic: Callable[[], float],
        connect: Connect | None = None,
    ) -> None:
        self._config = config
        self._monotonic = monotonic
        self._connect = connect or self._http
        self._mine = _Mine()
        self._lock = threading.Lock()
        self._all: set[Connection] = set()

    def call(self, request: Request) -> Outcome:
        """Send one request and read its whole answer within the limits of the configuration.

        `total_s` bounds all of it, from connecting on; `read_s` each wait in it.
        """
        server = Server.of(request.url)
        end_s = self._monotonic() + self._config.total_s
        deadline = Deadline(self._monotonic, end_s, self._config.read_s)
        connection = self._connection(server)
        try:
            return connection.exchange(request, deadline)
        except Broken as broken:
            # A search has no body and stores nothing: what it sent tells nothing.
            return NoAnswer(broken.reason, broken.sent, request.trace_id)
        finally:
            self._mine.kept[server] = (connection, self._monotonic())

    def _connection(self, server: Server) -> Connection:
        """Return this thread's connection to a server, closed after a rest.

        A connection that rested may be gone without our knowing (a firewall forgot it), and
        a registration sent into it would be unknown for no reason.
        """
        kept = self._mine.kept.get(server)
        if kept is None:
            made = self._connect(server)
            with self._lock:
                self._all.add(made)
            return made
        connection, used_s = kept
        if self._monotonic() - used_s > self._config.idle_s:
            connection.close()
        return connection

    def _http(self, _server: Server) -> Connection:
        limits = Limits(self._config.connect_s, self._config.answer_bytes_max)
        authorities = self._config.ca_file
        return HttpConnection(str(authorities) if authorities else None, limits)

    def close(self) -> None:
        """Close every thread's connections; call it when no call is under way."""
        with self._lock:
            kept, self._all = self._all, set()
        for connection in kept:
            connection.close()
