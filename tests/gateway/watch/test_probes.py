"""Rounds of probes over real sockets: each failure is told apart, and none takes long."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ciao.errors import BadInput
from gateway.onss.answers import Silence
from gateway.watch import probes
from gateway.watch.probes import Rounds, Targets, service
from gateway.watch.resolvers import ask
from gateway.watch.settings import Endpoint, WatchSettings, anchors, endpoint
from tests.support.certificates import Authority


class _Answers(socketserver.BaseRequestHandler):
    """Answers any request with what its server says; not at all where that is nothing."""

    def handle(self) -> None:
        assert isinstance(self.server, _Server)
        if not self.server.status:
            self.server.released.wait(10)
            return
        try:
            stream = self.request
            if self.server.tls is not None:
                stream = self.server.tls.wrap_socket(stream, server_side=True)
            stream.recv(4096)
            stream.sendall(f"HTTP/1.1 {self.server.status} X\r\nContent-Length: 0\r\n\r\n".encode())
            stream.close()
        except OSError:
            return


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, status: int, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.status, self.tls = status, tls
        self.released = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])


@contextmanager
def serving(status: int, tls: ssl.SSLContext | None = None) -> Iterator[_Server]:
    with _Server(status, tls) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.released.set()
        server.shutdown()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


WAY = {"onss-dns": "ok", "onss-tcp": "ok", "onss-tls": "ok"}


@pytest.mark.parametrize(
    ("status", "word"), [(200, "ok"), (401, "ok"), (404, "ok"), (500, "error"), (503, "error")]
)
def test_what_answers_is_told_by_its_status(status: int, word: str) -> None:
    with serving(status) as server:
        said = service(f"http://127.0.0.1:{server.port}/REST", None)
    assert said == {**WAY, "onss-http": word}


def test_a_closed_port_is_a_refused_connection() -> None:
    said = service(f"http://127.0.0.1:{closed_port()}/", None)
    assert said == {"onss-dns": "ok", "onss-tcp": "refused"}


def test_a_name_that_is_not_there_fails_by_name() -> None:
    assert service("https://nobody.invalid/", None) == {"onss-dns": "failed"}


def test_a_certificate_of_somebody_else_fails_the_handshake(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.broker()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.certificate, pair.key)
    with serving(200, tls) as server:
        url = f"https://127.0.0.1:{server.port}/"
        trusting = ssl.create_default_context(cafile=str(authority.certificate))
        assert service(url, trusting) == {**WAY, "onss-http": "ok"}
        assert service(url, ssl.create_default_context())["onss-tls"] == "failed"


def test_a_service_that_says_nothing_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "LIMIT_S", 0.2)
    with serving(0) as server:
        said = service(f"http://127.0.0.1:{server.port}/", None)
    assert said == {**WAY, "onss-http": "timeout"}


def test_a_round_asks_everything_and_each_credential_apart() -> None:
    with serving(200) as server, serving(200) as anchor:
        shut = closed_port()
        targets = Targets(
            service_url=f"http://127.0.0.1:{server.port}/",
            tls=None,
            anchors=[Endpoint("127.0.0.1", anchor.port), Endpoint("127.0.0.1", shut)],
            broker=("127.0.0.1", shut),
            second_resolver="",
            control_name=".",
            tokens={"a": lambda: None, "b": lambda: Silence.TOKEN_DENIED},
        )
        rounds = Rounds(targets)
        said = rounds.look(token=True)
        without = rounds.look(token=False)
        rounds.close()
    assert said == {
        **WAY,
        "onss-http": "ok",
        "anchor-1": "ok",
        "anchor-2": "refused",
        "broker": "refused",
        "onss-token:a": "ok",
        "onss-token:b": "denied",
    }
    assert without == {name: word for name, word in said.items() if "token" not in name}


def test_a_resolver_that_is_not_there_is_told_and_does_not_hang() -> None:
    assert ask({"dns-second": "127.0.0.2"}, ".", 0.3)["dns-second"] in ("refused", "timeout")


@pytest.mark.parametrize("text", ["example.org:443", "192.0.2.1", "192.0.2.1:0", "192.0.2.1:x", ""])
def test_an_anchor_that_is_none_gets_one_clear_line(text: str) -> None:
    with pytest.raises(BadInput, match=r"watch\.anchors") as refused:
        anchors(WatchSettings(anchors=[text]))
    assert "192.0.2.1:443" in refused.value.hint


def test_anchors_are_literal_addresses_of_both_kinds() -> None:
    assert endpoint("[2001:db8::1]:443", "x") == Endpoint("2001:db8::1", 443)
    assert endpoint("192.0.2.1:53", "x") == Endpoint("192.0.2.1", 53)
