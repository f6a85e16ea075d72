"""What carries a call to the sandbox's application: a plain call, or real sockets."""

from __future__ import annotations

import io
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import unquote, urlencode, urlsplit

import waitress
from flask import Flask

from gateway.onss.answers import KEPT_HEADERS, Answer, Silence
from gateway.onss.connection import Broken, HttpConnection, Limits, Request
from gateway.onss.sockets import Deadline
from gateway.sandbox.app import create_app
from gateway.sandbox.world import Sandbox

# The application's own faults are at once, so an answer comes.
PATIENT_S = 20.0
# What is late is awaited for so long, in real time.
IMPATIENT_S = 0.05


class Way(Protocol):
    """How a client reaches the application; one for all runs of a process."""

    url: str

    def begin(self, sandbox: Sandbox) -> None:
        """Begin a run, with a sandbox that knows nothing."""

    def carry(self, request: Request) -> Answer:
        """Bring a request there and its answer back; raise Broken."""

    def fail(self, said: str, request: Request) -> Answer:
        """Raise Broken, as of a line that is refused, cut or late."""

    def work(self, request: Request) -> Answer:
        """Let the service work on a request, whoever hears the answer; raise Broken."""


class Service:
    """The sandbox's application, made once: what it works on is another in each run."""

    def __init__(self) -> None:
        self._sandbox: Sandbox | None = None
        self._app: Flask | None = None

    def begin(self, sandbox: Sandbox) -> None:
        if self._sandbox is None:
            self._sandbox, self._app = sandbox, create_app(sandbox)
        else:
            vars(self._sandbox).update(vars(sandbox))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        assert self._app is not None
        return self._app.wsgi_app(environ, start_response)


class Memory:
    """A plain call of the application, in the caller's thread."""

    url = "http://127.0.0.1:9"

    def __init__(self) -> None:
        self._service = Service()
        self.begin = self._service.begin

    def carry(self, request: Request) -> Answer:
        return self.work(request)

    def fail(self, said: str, request: Request) -> Answer:
        reasons = {
            "refused": Silence.REFUSED,
            "cut": Silence.DROPPED,
            "late": Silence.TIMEOUT,
        }
        raise Broken(reasons[said], said != "refused" and request.body is not None)

    def work(self, request: Request) -> Answer:
        return called(self._service, request)


class Sockets:
    """A real server on a real port, and others that break off or never answer."""

    def __init__(self) -> None:
        self._service = Service()
        self.begin = self._service.begin
        logging.getLogger("waitress").setLevel(logging.CRITICAL)
        server = waitress.create_server(
            self._service, host="127.0.0.1", port=0, threads=2, log_socket_errors=False
        )
        self.url = f"http://127.0.0.1:{server.effective_port}"
        threading.Thread(target=server.run, daemon=True).start()
        self._line = connection()
        refusing = socket.socket()
        # Bound, so that nobody else gets it, and never listening.
        refusing.bind(("127.0.0.1", 0))
        self._bad = {"refused": refusing, "cut": listening(cut), "late": listening(hold)}

    def carry(self, request: Request) -> Answer:
        return self._line.exchange(request, within(PATIENT_S))

    def fail(self, said: str, request: Request) -> Answer:
        port = self._bad[said].getsockname()[1]
        url = urlsplit(request.url)._replace(netloc=f"127.0.0.1:{port}").geturl()
        astray = connection()
        try:
            return astray.exchange(replace(request, url=url), within(IMPATIENT_S))
        finally:
            astray.close()

    def work(self, request: Request) -> Answer:
        return called(self._service, request)


def connection() -> HttpConnection:
    return HttpConnection(None, Limits(PATIENT_S, 1 << 20))


def within(seconds: float) -> Deadline:
    return Deadline(time.monotonic, time.monotonic() + seconds, seconds)


def called(service: Service, request: Request) -> Answer:
    """Call the application with a request (PEP 3333); raise Broken where it drops it."""
    parts = urlsplit(request.url)
    headers = {**request.headers, "BelGov-Trace-Id": request.trace_id}
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(parts.path),
        "QUERY_STRING": urlencode(request.params or {}),
        "SERVER_NAME": parts.hostname,
        "SERVER_PORT": str(parts.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(request.body or b""),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "CONTENT_LENGTH": str(len(request.body or b"")),
        "CONTENT_TYPE": headers.pop("Content-Type", ""),
    }
    environ |= {"HTTP_" + name.upper().replace("-", "_"): told for name, told in headers.items()}
    answered: list[tuple[int, dict[str, str]]] = []

    def start(status: str, told: list[tuple[str, str]], _: object = None) -> None:
        answered.append((int(status.split(maxsplit=1)[0]), dict(told)))

    try:
        content = b"".join(service(environ, start))
    except OSError as error:
        raise Broken(Silence.DROPPED, request.body is not None) from error
    status, told = answered[-1]
    kept = {name: told[name] for name in KEPT_HEADERS if name in told}
    return Answer(status, kept, content, request.trace_id)


def listening(serve: Callable[[socket.socket], None]) -> socket.socket:
    """Take connections on a port of its own, and do that with each."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            taken, _ = listener.accept()
            threading.Thread(target=serve, args=(taken,), daemon=True).start()

    threading.Thread(target=run, daemon=True).start()
    return listener


def cut(taken: socket.socket) -> None:
    """Read what comes, and break off."""
    with suppress(OSError), taken:
        taken.recv(1 << 16)


def hold(taken: socket.socket) -> None:
    """Read until nobody waits any more; answer nothing."""
    with suppress(OSError), taken:
        while taken.recv(1 << 16):
            pass
