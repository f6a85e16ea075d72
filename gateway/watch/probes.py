"""Edge: one round of looking: the ONSS by name, connection, handshake, answer and token; our line.

Everything of a round is asked at once, each in a thread of its own and within its limit, so a
round never takes longer than the longest limit. What hangs all the same (a resolver can) is left
behind, and its place is missing from later rounds until it comes back.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from ciao.causes import ANCHOR, OK
from ciao.reaching import doors, names
from ciao.reaching.endpoint import Endpoint
from gateway.watch.service import TOKEN
from gateway.watch.tokens import DENIED, Shown

LIMIT_S = 4.0
ROUND_S = 12.0
WORKERS = 32
# So many tokens are shown to the service in a round, in turn where there are more.
SHOWN_MAX = 4

Words = dict[str, str]


@dataclass(frozen=True, slots=True)
class Targets:
    """What is looked at. `tls` is None where the service is reached without (a sandbox).

    `tokens`: each employer's, asked for at every round and shown to the service.
    """

    service_url: str
    tls: ssl.SSLContext | None
    anchors: Sequence[Endpoint]
    broker: tuple[str, int]
    second_resolver: str
    control_name: str
    tokens: Mapping[str, Shown]


class Rounds:
    """Looks, from whatever thread calls; one round at a time."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._workers = ThreadPoolExecutor(WORKERS, "look")
        self._turn = 0

    def look(self) -> Words:
        """Return what each probe says; what did not come back in time says `timeout`."""
        shown = self._shown()
        visits = self._begin({one: partial(self._visit, bearer) for one, bearer in shown.items()})
        others = self._begin(self._questions())
        wait([*visits.values(), *others.values()], ROUND_S)
        away = [one for one, visit in visits.items() if _ended(visit, "").get(TOKEN) == DENIED]
        said = dict(_ended(next(iter(visits.values())), "onss-dns"))
        for name, asked in others.items():
            said |= _ended(asked, name)
        said.pop(TOKEN, None)
        again = self._begin({one: partial(self._ask_again, one, shown[one]) for one in away})
        wait(again.values(), ROUND_S)
        for one, asked in again.items():
            said |= _ended(asked, f"{TOKEN}:{one}")
        return said

    def _questions(self) -> dict[str, Callable[[], Words]]:
        """Everything that is asked beside the service itself, by the probe that is missed."""
        targets = self._targets
        questions: dict[str, Callable[[], Words]] = {"broker": partial(_broker, *targets.broker)}
        if targets.anchors:
            questions[f"{ANCHOR}1"] = partial(_anchors, targets.anchors)
        if targets.second_resolver:
            second, name = targets.second_resolver, targets.control_name
            questions["dns-second"] = partial(_resolvers, second, name)
        for employer, token in targets.tokens.items():
            questions[f"{TOKEN}:{employer}"] = partial(_token, employer, token)
        return questions

    def _shown(self) -> dict[str, str]:
        """Choose whose tokens the service is shown this time, in turn; nobody's where none is."""
        held = [(name, token.bearer) for name, token in self._targets.tokens.items()]
        held = [(name, bearer) for name, bearer in held if bearer] or [("", "")]
        first, self._turn = self._turn % len(held), self._turn + SHOWN_MAX
        return dict((held + held)[first : first + min(SHOWN_MAX, len(held))])

    def _visit(self, bearer: str) -> Words:
        return service(self._targets.service_url, self._targets.tls, bearer)

    def _ask_again(self, employer: str, bearer: str) -> Words:
        """The service turned a token away: another one is asked for, unless that was done."""
        word = self._targets.tokens[employer].turned_away(bearer)
        return {} if word is None else {f"{TOKEN}:{employer}": word}

    def _begin(self, questions: Mapping[str, Callable[[], Words]]) -> dict[str, Future[Words]]:
        return {name: self._workers.submit(ask) for name, ask in questions.items()}

    def close(self) -> None:
        """Let go of the threads."""
        self._workers.shutdown(wait=False, cancel_futures=True)


def service(url: str, tls: ssl.SSLContext | None, bearer: str = "") -> Words:
    """Say of a service, in order: name, connection, handshake, HTTP status; the first that fails
    is the last that is said. `onss-token` is `denied` where it took this token for none (401)."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return {"onss-dns": "failed"}
    said = {"onss-dns": OK}
    try:
        plain = socket.create_connection((str(found[0][4][0]), port), LIMIT_S)
    except OSError as error:
        return {**said, "onss-tcp": doors.word_of(error)}
    said["onss-tcp"] = OK
    with plain:
        if tls is None:
            return {**said, "onss-tls": OK, **_status(plain, host, parts.path, bearer)}
        try:
            with tls.wrap_socket(plain, server_hostname=host) as secured:
                return {**said, "onss-tls": OK, **_status(secured, host, parts.path, bearer)}
        except OSError:
            return {**said, "onss-tls": "failed"}


def _status(stream: socket.socket, host: str, path: str, bearer: str) -> Words:
    """Ask for nothing in particular: to be turned away is an answer; only 5xx is none."""
    shown = f"Authorization: Bearer {bearer}\r\n" if bearer else ""
    try:
        request = f"GET {path or '/'} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: ciao-gateway\r\n"
        stream.sendall(f"{request}{shown}Accept: */*\r\nConnection: close\r\n\r\n".encode())
        answer = http.client.HTTPResponse(stream)
        answer.begin()
    except TimeoutError:
        return {"onss-http": "timeout"}
    except (OSError, http.client.HTTPException):
        return {"onss-http": "unreachable"}
    if bearer and answer.status == http.HTTPStatus.UNAUTHORIZED:
        return {"onss-http": OK, TOKEN: DENIED}
    return {"onss-http": OK if answer.status < 500 else "error"}


def _anchors(anchors: Sequence[Endpoint]) -> Words:
    said = doors.knock(anchors, LIMIT_S)
    return {f"{ANCHOR}{number}": word for number, word in enumerate(said, 1)}


def _broker(host: str, port: int) -> Words:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return {"broker": "name"}
    return {"broker": doors.knock([Endpoint(str(found[0][4][0]), port)], LIMIT_S)[0]}


def _resolvers(second: str, name: str) -> Words:
    first = names.provider()
    wanted = {"dns-second": second, **({"dns-provider": first} if first else {})}
    return {key: answer.word for key, answer in names.ask(wanted, name, LIMIT_S).items()}


def _token(employer: str, token: Shown) -> Words:
    return {f"{TOKEN}:{employer}": token.ask()}


def _ended(asked: Future[Words], probe: str) -> Words:
    """What was said; of what is not back yet, that it is late."""
    asked.cancel()
    done = asked.done() and not asked.cancelled()
    return asked.result() if done else {probe: "timeout"}
