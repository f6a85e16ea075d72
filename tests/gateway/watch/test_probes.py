"""Rounds of probes over real sockets: each failure is told apart, and none takes long."""

from __future__ import annotations

import re
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ciao.errors import BadInput
from ciao.reaching import names
from ciao.reaching.endpoint import Endpoint
from gateway.onss.answers import NoAnswer, Silence
from gateway.onss.tokens import Token, Tokens
from gateway.watch import probes
from gateway.watch.probes import Rounds, Targets, service
from gateway.watch.settings import WatchSettings, anchors, complaint, endpoint
from gateway.watch.tokens import Shown
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
            bearer = re.search(rb"Bearer (\S+)", stream.recv(4096))
            known = self.server.known
            turned_away = bearer and known is not None and bearer[1].decode() not in known
            status = 401 if turned_away else self.server.status
            stream.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())
            stream.close()
        except OSError:
            return


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, status: int, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.status, self.tls = status, tls
        self.released = threading.Event()
        self.known: set[str] | None = None

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


class _Held(Tokens):
    """A token's issuer and keeper whose word is said beforehand; `fetched` counts the asking."""

    def __init__(self, *words: str | Silence) -> None:
        self.words = list(words)
        self.fetched = 0
        self._kept: str | Silence | None = None

    def get(self) -> Token | NoAnswer:
        if self._kept is None or isinstance(self._kept, Silence):
            self.fetched += 1
            self._kept = self.words.pop(0) if len(self.words) > 1 else self.words[0]
        if isinstance(self._kept, Silence):
            return NoAnswer(self._kept, False, "trace")
        return Token(self._kept, 1e9, 1e9)

    def forget(self, token: Token) -> None:
        self._kept = None


@dataclass
class Eye:
    """Rounds at a service that knows some tokens, on a steady clock that moves when told to."""

    held: dict[str, _Held]
    known: set[str]
    now_s: float = 0.0

    @contextmanager
    def rounds(self, **targets: Any) -> Iterator[Rounds]:
        with serving(200) as server:
            server.known = self.known
            made = Targets(
                service_url=f"http://127.0.0.1:{server.port}/",
                tls=None,
                anchors=targets.get("anchors", []),
                broker=("127.0.0.1", targets.get("broker", server.port)),
                second_resolver="",
                control_name=".",
                tokens={name: Shown(held, lambda: self.now_s) for name, held in self.held.items()},
            )
            rounds = Rounds(made)
            yield rounds
            rounds.close()


def test_a_round_asks_everything_and_each_credential_apart() -> None:
    eye = Eye({"a": _Held("t-a"), "b": _Held(Silence.TOKEN_DENIED)}, {"t-a"})
    shut = closed_port()
    with serving(200) as anchor:
        anchors = [Endpoint("127.0.0.1", anchor.port), Endpoint("127.0.0.1", shut)]
        with eye.rounds(anchors=anchors, broker=shut) as rounds:
            said = rounds.look()
    assert said == {
        **WAY,
        "onss-http": "ok",
        "anchor-1": "ok",
        "anchor-2": "refused",
        "broker": "refused",
        "onss-token:a": "ok",
        "onss-token:b": "denied",
    }


def test_a_token_that_the_service_turns_away_is_asked_for_again_in_the_same_round() -> None:
    eye = Eye({"a": _Held("old", Silence.TOKEN_DENIED)}, {"old"})
    with eye.rounds() as rounds:
        rounds.look()
        assert rounds.look()["onss-token:a"] == "ok"
        eye.known.clear()
        said = rounds.look()
    assert said["onss-token:a"] == "denied" and said["onss-http"] == "ok"


def test_a_fresh_token_that_is_turned_away_too_accuses_nobody_and_is_asked_for_once() -> None:
    eye = Eye({"a": _Held("old", "new")}, set())
    with eye.rounds() as rounds:
        said = [rounds.look()["onss-token:a"] for _ in range(6)]
    assert said == ["ok"] * 6
    assert eye.held["a"].fetched == 2


def test_a_token_that_is_refused_is_asked_for_every_ten_seconds_then_each_minute() -> None:
    eye = Eye({"a": _Held(Silence.TOKEN_DENIED)}, set())
    with eye.rounds() as rounds:
        for second in range(0, 900, 5):
            eye.now_s = second
            assert rounds.look()["onss-token:a"] == "denied"
            if second == 295:
                assert eye.held["a"].fetched == 30
    assert 40 <= eye.held["a"].fetched <= 42


def test_of_many_credentials_four_are_shown_in_a_round_and_each_in_its_turn() -> None:
    names_ = [f"e{number}" for number in range(6)]
    eye = Eye({name: _Held(name, Silence.TOKEN_DENIED) for name in names_}, set(names_))
    with eye.rounds() as rounds:
        rounds.look()
        eye.known.clear()
        first, second = rounds.look(), rounds.look()
    denied = [sum(word == "denied" for word in said.values()) for said in (first, second)]
    assert denied == [4, 6]


def test_a_resolver_that_is_not_there_is_told_and_does_not_hang() -> None:
    said = names.ask({"dns-second": "127.0.0.2"}, ".", 0.3)["dns-second"].word
    assert said in ("refused", "timeout")


@pytest.mark.parametrize("text", ["example.org:443", "192.0.2.1", "192.0.2.1:0", "192.0.2.1:x", ""])
def test_an_anchor_that_is_none_gets_one_clear_line(text: str) -> None:
    with pytest.raises(BadInput, match=r"watch\.anchors") as refused:
        anchors(WatchSettings(anchors=[text]))
    assert "192.0.2.1:443" in refused.value.hint


def test_anchors_are_literal_addresses_of_both_kinds() -> None:
    assert endpoint("[2001:db8::1]:443", "x") == Endpoint("2001:db8::1", 443)
    assert endpoint("192.0.2.1:53", "x") == Endpoint("192.0.2.1", 53)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], ""),
        (["192.0.2.1:443", "198.51.100.1:443"], ""),
        (["192.0.2.1:443", "[2001:db8::1]:443"], ""),
        (["192.0.2.1:443", "192.0.2.2:443"], "watch.anchors reach 1 network"),
    ],
)
def test_anchors_in_one_network_get_one_clear_line(given: list[str], said: str) -> None:
    told = complaint(WatchSettings(anchors=given))
    assert (said in told) if said else not told
    assert "\n" not in told


def test_anchors_that_nobody_answers_at_do_not_stop_a_round() -> None:
    eye = Eye({"a": _Held("t-a")}, {"t-a"})
    nowhere = [Endpoint("127.0.0.1", closed_port()), Endpoint("255.255.255.255", 443)]
    with eye.rounds(anchors=nowhere) as rounds:
        said = rounds.look()
    assert (said["anchor-1"], said["anchor-2"]) == ("refused", "unreachable")
    assert said["onss-http"] == said["onss-token:a"] == "ok"
