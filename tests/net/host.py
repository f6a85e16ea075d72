"""What a host of the networks serves: `python -m tests.net.host accept|page|portal|dns ADDRESS`.

`accept` takes connections on port 443; `page` answers 204 on port 80, `portal` 302; `dns` answers
for the names of `networks.NAMES`. It says `ready`, and ends with its standard input.
"""

from __future__ import annotations

import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

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


class _Resolver(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data, asking = self.request
        question = DNSRecord.parse(data)
        reply = question.reply()
        name = str(question.q.qname).rstrip(".")
        if name and name not in NAMES:
            reply.header.rcode = RCODE.NXDOMAIN
        elif name and question.q.qtype == QTYPE.A:
            reply.add_answer(RR(name, QTYPE.A, rdata=A(NAMES[name]), ttl=1))
        asking.sendto(reply.pack(), self.client_address)


def serve(kind: str, address: str) -> None:
    """Serve from a thread of its own."""
    if kind == "accept":
        work = _accepting(socket.create_server((address, 443)))
    elif kind == "dns":
        work = socketserver.ThreadingUDPServer((address, 53), _Resolver).serve_forever
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
