"""Edge: HTTPS for a few small requests: the standard library's server behind TLS 1.3.

waitress can't speak TLS, and the servers that can do its handshake in the thread that accepts, so
that one client that says nothing keeps all others out. Here each connection has a thread, of which
there are few, and a time by which it must be done; beyond these it is closed.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import structlog

from ciao.enrolment import REQUEST_SIZE_MAX
from ciao.errors import BadInput

CONNECTIONS_MAX = 16
CONNECTION_S = 15.0
ROOM_S = 2.0
LISTEN_AGAIN_S = 10.0
# How soon it notices that the gateway stops.
LOOK_S = 0.5

# A gateway of another office on this machine has the same, most likely.
_TAKEN = "another program has this port: ciao-provision gateway enrolment --port PORT"

log = structlog.get_logger("enrolment")
# method, path, body, address: status, body
Answering = Callable[[str, str, bytes, str], tuple[int, bytes]]


class _Handler(BaseHTTPRequestHandler):
    """One request; a connection serves one."""

    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "ciao"
    sys_version = ""

    def do_GET(self) -> None:
        self._reply(b"")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        size = int(length) if length.isascii() and length.isdecimal() and len(length) < 10 else 0
        # Of what is too long a little is read, so that whoever still sends hears the answer.
        body = self.rfile.read(min(size, 4 * REQUEST_SIZE_MAX))
        if size > REQUEST_SIZE_MAX:
            self._write(413, b"")
        else:
            self._reply(body)

    def _reply(self, body: bytes) -> None:
        try:
            status, answer = self.server.answering(
                self.command, self.path, body, self.client_address[0]
            )
        except BadInput as error:
            log.error("enrolment_failed", why=error.what, hint=error.hint)
            status, answer = 503, b""
        log.info("enrolment", path=self.path[:32], status=status)
        self._write(status, answer)

    def _write(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing here: what counts is logged as fields, and a path is a stranger's text."""


class _Server(HTTPServer):
    request_queue_size = 32
    allow_reuse_address = True
    timeout = LOOK_S

    def __init__(self, where: tuple[str, int], tls: ssl.SSLContext, answering: Answering) -> None:
        super().__init__(where, _Handler)
        self.answering = answering
        self._tls = tls
        self._room = threading.BoundedSemaphore(CONNECTIONS_MAX)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection a thread, or close it where none comes free soon."""
        if not self._room.acquire(timeout=ROOM_S):
            self.shutdown_request(request)
            return
        threading.Thread(
            target=self._serve, args=(request, client_address), daemon=True, name="enrolment"
        ).start()

    def _serve(self, plain: socket.socket, client_address: Any) -> None:
        late = threading.Timer(CONNECTION_S, _cut, [plain])
        late.daemon = True
        late.start()
        try:
            with contextlib.suppress(OSError):
                plain.settimeout(CONNECTION_S)
                with self._tls.wrap_socket(plain, server_side=True) as wrapped:
                    self.finish_request(wrapped, client_address)
        finally:
            late.cancel()
            self.shutdown_request(plain)
            self._room.release()

    def handle_error(self, *_: Any) -> None:
        """Say nothing of connections that end."""


def _cut(plain: socket.socket) -> None:
    with contextlib.suppress(OSError):
        plain.shutdown(socket.SHUT_RDWR)


@contextmanager
def serving(where: tuple[str, int], tls: ssl.SSLContext, answering: Answering) -> Iterator[None]:
    """Serve for as long as the block lasts, in a thread; custody never waits for it.

    Where the port is taken it says so and tries again: enrolment is no reason to stop a gateway.
    """
    stopping = threading.Event()

    def run() -> None:
        while not stopping.is_set():
            try:
                server = _Server(where, tls, answering)
            except OSError as error:
                log.error("enrolment_not_served", why=str(error), port=where[1], hint=_TAKEN)
                stopping.wait(LISTEN_AGAIN_S)
                continue
            log.info("enrolment_served", port=where[1])
            with server:
                while not stopping.is_set():
                    server.handle_request()

    thread = threading.Thread(target=run, name="enrolment", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(timeout=5)
