"""What a host of the networks serves: `python -m tests.net.host KIND@ADDRESS[@MORE…] …`.

`accept` takes connections on port 443; `page` answers 204 on port 80, `portal` 302; `sorry` says
503 on port MORE; `dns` answers for the names of `networks.NAMES`, or of a file of JSON, read at
each question; `front` speaks TLS on port 443, by a certificate and a key, and hands what it is told
to a port of its own machine. It says `ready`, and ends with its standard input.
"""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path

from dnslib import QTYPE, RCODE, RR, A, DNSRecord

from tests.net.networks import NAMES


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Portal(_Page):
    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", "http://login.example.be/")
        self.end_headers()


class _Sorry(_Page):
    def do_GET(self) -> None:
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET


class _Front(socketserver.BaseRequestHandler):
    """One connection: its handshake, then all that either side says, to the other."""

    def handle(self) -> None:
        server = self.server
        assert isinstance(server, _FrontServer)
        with contextlib.suppress(OSError):
            outer = server.tls.wrap_socket(self.request, server_side=True)
            inner = socket.create_connection(("127.0.0.1", server.behind))
            back = threading.Thread(target=_hand_on, args=(inner, outer), daemon=True)
            back.start()
            _hand_on(outer, inner)
            back.join()


class _FrontServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: str, certificate: str, key: str, behind: str) -> None:
        super().__init__((address, 443), _Front)
        self.behind = int(behind)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate, key)


def _hand_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while said := one.recv(65_536):
            other.sendall(said)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class _Resolver(socketserver.BaseRequestHandler):
    names: Path | None = None

    def handle(self) -> None:
        names = NAMES if self.names is None else json.loads(self.names.read_text())
        data, asking = self.request
        question = DNSRecord.parse(data)
        reply = question.reply()
        name = str(question.q.qname).rstrip(".")
        if name and name not in names:
            reply.header.rcode = RCODE.NXDOMAIN
        elif name and question.q.qtype == QTYPE.A:
            reply.add_answer(RR(name, QTYPE.A, rdata=A(names[name]), ttl=1))
        asking.sendto(reply.pack(), self.client_address)


def serve(kind: str, address: str, *more: str) -> None:
    """Serve from a thread of its own."""
    if kind == "accept":
        work = _accepting(socket.create_server((address, 443)))
    elif kind == "dns":
        names = Path(more[0]) if more else None
        resolver = type("_Named", (_Resolver,), {"names": names})
        work = socketserver.ThreadingUDPServer((address, 53), resolver).serve_forever
    elif kind == "front":
        work = _FrontServer(address, *more).serve_forever
    elif kind == "sorry":
        work = ThreadingHTTPServer((address, int(more[0])), _Sorry).serve_forever
    else:
        work = HTTPServer((address, 80), _Page if kind == "page" else _Portal).serve_forever
    threading.Thread(target=work, daemon=True).start()


def _accepting(listener: socket.socket):  # type: ignore[no-untyped-def]
    def work() -> None:
        while True:
            connection, _ = listener.accept()
            connection.close()

    return work


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        serve(*wanted.split("@"))
    print("ready", flush=True)
    sys.stdin.read()
