"""Whether anything was sent, for each way in which no answer comes. Real sockets, real TLS."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import RSAKey

from ciao.errors import BadInput
from gateway.onss.answers import Answer, NoAnswer, Outcome, Silence
from gateway.onss.cases import Act
from gateway.onss.config import OnssConfig, load_key
from gateway.onss.connection import Request
from gateway.onss.decisions import decide
from gateway.onss.transport import Transport
from tests.onss.peer import Clock
from tests.support.certificates import Authority
from tests.support.ports import free_port

BODY = b'{"items":[]}'
Serve = Callable[[socket.socket], None]


@contextmanager
def server(
    serve: Serve, wrap: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[int]:
    """Give every connection to `serve`, then close it; yield the port."""
    listener = socket.create_server((host, 0))

    def accept() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                with wrap.wrap_socket(plain, server_side=True) if wrap else plain as connection:
                    connection.settimeout(10)
                    serve(connection)
            except OSError:
                continue

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def hear(connection: socket.socket) -> bytes:
    """Read a request with its body."""
    heard = b""
    while not heard.endswith(BODY) and (chunk := connection.recv(65_536)):
        heard += chunk
    return heard


def saying(answer: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        hear(connection)
        connection.sendall(answer)

    return serve


def post(key: RSAKey, url: str, **limits: Any) -> Outcome:
    config = OnssConfig(url, url, "made-up", key, **limits)
    transport = Transport(config, time.monotonic)
    try:
        return transport.call(Request("POST", url, "trace", {}, BODY))
    finally:
        transport.close()


def none(outcome: Outcome) -> tuple[Silence, bool]:
    assert isinstance(outcome, NoAnswer), outcome
    return outcome.reason, outcome.sent


def test_a_refused_connection_sent_nothing(key: RSAKey) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    assert none(post(key, url)) == (Silence.REFUSED, False)


def test_a_name_that_does_not_resolve_sent_nothing(key: RSAKey) -> None:
    assert none(post(key, "https://onss.invalid/")) == (Silence.DNS, False)


def test_a_connection_that_is_never_taken_sent_nothing(key: RSAKey) -> None:
    # A full accept queue drops what knocks, as a firewall would.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(8)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        try:
            outcome = post(key, f"http://127.0.0.1:{address[1]}/", connect_s=0.3)
        finally:
            for one in waiting:
                one.close()
    assert none(outcome) == (Silence.CONNECT_TIMEOUT, False)


def test_a_request_that_is_never_answered_may_be_stored(key: RSAKey) -> None:
    heard: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        heard.append(hear(connection))
        connection.recv(1)  # until the client gives up

    with server(serve) as port:
        assert none(post(key, f"http://127.0.0.1:{port}/", read_s=0.3)) == (Silence.TIMEOUT, True)
    assert BODY in heard[0]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"\x16\x03\x01 not HTTP at all\r\n\r\n",
    ],
)
def test_an_answer_that_is_cut_short_may_hide_a_stored_registration(
    key: RSAKey, answer: bytes
) -> None:
    with server(saying(answer)) as port:
        (verdict,) = decide(post(key, f"http://127.0.0.1:{port}/"), 1)
    assert verdict.act is Act.UNKNOWN


def test_an_answer_beyond_the_limit_is_not_read_on(key: RSAKey) -> None:
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b" " * 1_000_000
    with server(saying(endless)) as port:
        url = f"http://127.0.0.1:{port}/"
        assert none(post(key, url, answer_bytes_max=100_000)) == (Silence.TOO_LONG, True)
        told = post(key, url, answer_bytes_max=1_000_000)
        assert isinstance(told, Answer)
        assert len(told.body) == 1_000_000


def dripping(first: bytes) -> Serve:
    """Begin an answer, and go on byte by byte for far longer than the call may last."""

    def serve(connection: socket.socket) -> None:
        hear(connection)
        connection.sendall(first)
        pause = threading.Event()
        for _ in range(200):
            pause.wait(0.02)
            connection.sendall(b"x")

    return serve


DRIPS = {
    "status line": b"HTTP/1.1 2",
    "a header": b"HTTP/1.1 200 OK\r\nX-Header: ",
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    "a chunk's size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
}


@pytest.mark.parametrize("first", DRIPS.values(), ids=DRIPS)
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_an_answer_that_drips_is_given_up_at_the_calls_end_and_may_be_stored(
    key: RSAKey, tls: Tls, first: bytes, secure: bool
) -> None:
    # Each byte comes well within read_s: it is the whole that has an end.
    limits: dict[str, Any] = {"total_s": 0.3, "read_s": 20.0}
    with server(dripping(first), tls.context if secure else None) as port:
        url = f"https://localhost:{port}/" if secure else f"http://127.0.0.1:{port}/"
        outcome = post(key, url, ca_file=tls.ca_file, **limits)
    assert none(outcome) == (Silence.TIMEOUT, True)
    assert decide(outcome, 1)[0].act is Act.UNKNOWN


def test_a_handshake_that_is_never_answered_ends_with_the_call_and_sent_nothing(
    key: RSAKey, tls: Tls
) -> None:
    def serve(connection: socket.socket) -> None:
        while connection.recv(65_536):
            pass  # until the client gives up

    with server(serve) as port:
        outcome = post(key, f"https://localhost:{port}/", total_s=0.3, ca_file=tls.ca_file)
    assert none(outcome) == (Silence.CONNECT_TIMEOUT, False)
    assert decide(outcome, 1)[0].act is Act.RETRY


def test_a_body_that_nobody_takes_ends_with_the_call_and_may_be_stored(key: RSAKey) -> None:
    given_up = threading.Event()
    with server(lambda _: assert_set(given_up)) as port:
        url = f"http://127.0.0.1:{port}/"
        transport = Transport(OnssConfig(url, url, "made-up", key, total_s=0.3), time.monotonic)
        outcome = transport.call(Request("POST", url, "trace", {}, b" " * 50_000_000))
        transport.close()
        given_up.set()
    assert none(outcome) == (Silence.TIMEOUT, True)


def assert_set(event: threading.Event) -> None:
    assert event.wait(10)


def test_a_connection_is_kept_until_it_has_rested_or_was_closed_at_the_other_end(
    key: RSAKey,
) -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    taken: list[int] = []
    ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        taken.append(0)
        for _ in range(3):
            if not hear(connection):
                return
            taken[-1] += 1
            connection.sendall(ok)
        connection.shutdown(socket.SHUT_RDWR)
        ended.set()

    clock = Clock()
    with server(serve) as port:
        url = f"http://127.0.0.1:{port}/"
        transport = Transport(OnssConfig(url, url, "made-up", key, idle_s=30.0), clock)
        for rest_s in (0, 29, 31, 0, 0):
            clock.at_s += rest_s
            assert isinstance(transport.call(Request("POST", url, "trace", {}, BODY)), Answer)
        assert ended.wait(10)
        # It finds the connection closed, and is sent on a new one.
        assert isinstance(transport.call(Request("POST", url, "trace", {}, BODY)), Answer)
        transport.close()
    assert taken == [2, 3, 1]


def test_a_whole_chunked_answer_is_an_answer_and_cookies_are_not_kept(key: RSAKey) -> None:
    heard: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        for _ in range(2):
            heard.append(hear(connection))
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nRetry-After: 3\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
            )

    with server(serve) as port:
        url = f"http://127.0.0.1:{port}/"
        transport = Transport(OnssConfig(url, url, "made-up", key), time.monotonic)
        told = [transport.call(Request("POST", url, name, {}, BODY)) for name in ("t1", "t2")]
        transport.close()
    assert told == [Answer(200, {"retry-after": "3"}, b"{}", name) for name in ("t1", "t2")]
    assert b"BelGov-Trace-Id: t1" in heard[0]
    assert b"Content-Length: 12" in heard[0]
    assert b"Cookie" not in heard[1]


def test_the_environment_has_no_say(key: RSAKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    with server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as port:
        assert isinstance(post(key, f"http://127.0.0.1:{port}/"), Answer)


@dataclass(frozen=True)
class Tls:
    """A server's side of TLS, for localhost and 127.0.0.1, and the authority behind it."""

    context: ssl.SSLContext
    ca_file: Path


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    files = authority.broker()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    return Tls(context, authority.certificate)


def test_a_certificate_of_an_authority_we_do_not_know_stops_before_the_request(
    key: RSAKey, tls: Tls
) -> None:
    heard: list[bytes] = []
    with server(lambda c: heard.append(hear(c)), tls.context) as port:
        assert none(post(key, f"https://localhost:{port}/")) == (Silence.TLS, False)
    assert heard == []


def test_a_certificate_of_another_host_stops_before_the_request(key: RSAKey, tls: Tls) -> None:
    heard: list[bytes] = []
    with server(lambda c: heard.append(hear(c)), tls.context, host="127.0.0.2") as port:
        outcome = post(key, f"https://127.0.0.2:{port}/", ca_file=tls.ca_file)
    assert none(outcome) == (Silence.TLS, False)
    assert heard == []


def test_a_verified_service_is_heard_and_what_breaks_after_sending_may_be_stored(
    key: RSAKey, tls: Tls
) -> None:
    answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", b""]

    def serve(connection: socket.socket) -> None:
        hear(connection)
        connection.sendall(answers.pop(0))

    with server(serve, tls.context) as port:
        url = f"https://localhost:{port}/"
        assert isinstance(post(key, url, ca_file=tls.ca_file), Answer)
        outcome = post(key, url, ca_file=tls.ca_file)
    assert none(outcome) == (Silence.DROPPED, True)


@pytest.mark.parametrize(
    "url",
    [
        "http://services.example.org/REST",
        "ftp://127.0.0.1/",
        "https://",
        "https://host/?a=b",
        "https://user:secret@host/",
        "http://127.0.0.1:99999/",
        "http://[::1",
        "services.example.org",
        "",
    ],
)
def test_a_url_that_is_not_https_or_loopback_is_refused(key: RSAKey, url: str) -> None:
    with pytest.raises(BadInput):
        OnssConfig(url, "https://host/token", "made-up", key)
    with pytest.raises(BadInput):
        OnssConfig("https://host/", url, "made-up", key)


@pytest.mark.parametrize(
    "wrong", [{"client_id": ""}, {"read_s": 0}, {"ca_file": Path("/nowhere/ca.pem")}]
)
def test_a_configuration_that_can_not_work_is_refused(key: RSAKey, wrong: dict[str, Any]) -> None:
    right: dict[str, Any] = {"client_id": "made-up"}
    with pytest.raises(BadInput):
        OnssConfig("https://host/", "https://host/token", key=key, **(right | wrong))


def test_a_key_file_is_read_only_where_others_can_not_read_it(key: RSAKey, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(key.as_pem(private=True))
    path.chmod(0o640)
    with pytest.raises(BadInput, match="others can read"):
        load_key(path)
    path.chmod(0o600)
    assert load_key(path).thumbprint() == key.thumbprint()


def test_what_is_no_key_is_refused_in_a_line(key: RSAKey, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    for content in (b"", b"text", key.as_pem(private=False)):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(BadInput, match="no private key"):
            load_key(path)
    with pytest.raises(BadInput, match="can't read"):
        load_key(tmp_path / "nowhere.pem")


@pytest.mark.parametrize(
    "made", [rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256R1())]
)
def test_a_key_that_can_not_sign_rs256_safely_is_refused(made: Any, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    with pytest.raises(BadInput, match=r"holds (no RSA key|an RSA key of 1024 bits)"):
        load_key(path)
