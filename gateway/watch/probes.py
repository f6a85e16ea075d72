"""Edge: one round of looking: the ONSS by name, connection, handshake, answer and token; our line.

Everything of a round is asked at once, each in a thread of its own and within its limit, so a
round never takes longer than the longest limit. What hangs all the same (a resolver can) is left
behind, and its place is missing from later rounds until it comes back.
"""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from urllib.parse import urlsplit

from ciao.causes import ANCHOR, OK
from gateway.onss.answers import NoAnswer, Silence
from gateway.watch.resolvers import ask, system_resolver
from gateway.watch.settings import Endpoint

LIMIT_S = 4.0
ROUND_S = 12.0
WORKERS = 32
_REFUSED = {errno.ECONNREFUSED, errno.ECONNRESET}


@dataclass(frozen=True, slots=True)
class Targets:
    """What is looked at. `tls` is None where the service is reached without (a sandbox).

    `tokens` fetches a fresh token for each employer: its reason where it got none.
    """

    service_url: str
    tls: ssl.SSLContext | None
    anchors: Sequence[Endpoint]
    broker: tuple[str, int]
    second_resolver: str
    control_name: str
    tokens: Mapping[str, Callable[[], Silence | None]]


class Rounds:
    """Looks, from whatever thread calls; one round at a time."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._workers = ThreadPoolExecutor(WORKERS, "look")

    def look(self, token: bool) -> dict[str, str]:
        """Return what each probe says; what did not come back in time says `timeout`."""
        targets = self._targets
        asked: dict[str, Future[dict[str, str]]] = {}
        for number, anchor in enumerate(targets.anchors, 1):
            asked[f"{ANCHOR}{number}"] = self._workers.submit(
                _one, f"{ANCHOR}{number}", anchor.address, anchor.port
            )
        asked["onss-dns"] = self._workers.submit(service, targets.service_url, targets.tls)
        asked["broker"] = self._workers.submit(_broker, *targets.broker)
        if targets.second_resolver:
            asked["dns-second"] = self._workers.submit(
                _resolvers, targets.second_resolver, targets.control_name
            )
        for employer, fetch in targets.tokens.items() if token else ():
            asked[f"onss-token:{employer}"] = self._workers.submit(_token, employer, fetch)
        wait(asked.values(), ROUND_S)
        said: dict[str, str] = {}
        for name, future in asked.items():
            future.cancel()
            said |= future.result() if future.done() and not future.cancelled() else _late(name)
        return said

    def close(self) -> None:
        """Let go of the threads."""
        self._workers.shutdown(wait=False, cancel_futures=True)


def service(url: str, tls: ssl.SSLContext | None) -> dict[str, str]:
    """Say of a service, in order: name, connection, handshake, HTTP status; the first that fails
    is the last that is said."""
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
        return {**said, "onss-tcp": _word(error)}
    said["onss-tcp"] = OK
    with plain:
        if tls is None:
            return {**said, "onss-tls": OK, **_status(plain, host, parts.path)}
        try:
            with tls.wrap_socket(plain, server_hostname=host) as secured:
                return {**said, "onss-tls": OK, **_status(secured, host, parts.path)}
        except OSError:
            return {**said, "onss-tls": "failed"}


def _status(stream: socket.socket, host: str, path: str) -> dict[str, str]:
    """Ask without credentials: to be turned away is an answer; only 5xx is none."""
    try:
        request = f"GET {path or '/'} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: ciao-gateway\r\n"
        stream.sendall(f"{request}Accept: */*\r\nConnection: close\r\n\r\n".encode())
        answer = http.client.HTTPResponse(stream)
        answer.begin()
    except TimeoutError:
        return {"onss-http": "timeout"}
    except (OSError, http.client.HTTPException):
        return {"onss-http": "unreachable"}
    return {"onss-http": OK if answer.status < 500 else "error"}


def _one(name: str, address: str, port: int) -> dict[str, str]:
    try:
        socket.create_connection((address, port), LIMIT_S).close()
    except OSError as error:
        return {name: _word(error)}
    return {name: OK}


def _broker(host: str, port: int) -> dict[str, str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return {"broker": "name"}
    return _one("broker", str(found[0][4][0]), port)


def _resolvers(second: str, name: str) -> dict[str, str]:
    first = system_resolver()
    wanted = {"dns-second": second, **({"dns-provider": first} if first else {})}
    return ask(wanted, name, LIMIT_S)


def _token(employer: str, fetch: Callable[[], Silence | None]) -> dict[str, str]:
    reason = fetch()
    word = OK if reason is None else "denied" if reason is Silence.TOKEN_DENIED else "unreachable"
    return {f"onss-token:{employer}": word}


def _late(name: str) -> dict[str, str]:
    return {name: "timeout"}


def _word(error: OSError) -> str:
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        return "timeout"
    return "refused" if error.errno in _REFUSED else "unreachable"


def reason_of(found: object) -> Silence | None:
    """Return why there is no token; None where there is one."""
    return found.reason if isinstance(found, NoAnswer) else None
