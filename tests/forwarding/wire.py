"""The production client on the sandbox's own application, in virtual time.

Everything between is real: tokens and their signatures, Flask, SQLite. What can happen on a line
is drawn: refused, broken off, or answered too late. `way.py` says what carries a call.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from joserfc.jwk import RSAKey

from gateway.onss.answers import Answer
from gateway.onss.client import OnssClient
from gateway.onss.config import OnssConfig
from gateway.onss.connection import Broken, Request, Server
from gateway.onss.sockets import Deadline
from gateway.onss.tokens import Sources
from gateway.sandbox.faults import Faults
from gateway.sandbox.oauth import Issuer
from gateway.sandbox.service import BASE_PATH, TOKEN_PATH
from gateway.sandbox.store import Store
from gateway.sandbox.world import Refusals, Sandbox
from tests.forwarding.way import Way

SEARCH_DELAY_S = 5.0
TOKEN_LIFE_S = 300.0
# What the service works on late is done by then, or the settling time would be too short.
LATE_S = 30.0


class Late:
    """Calls whose client has given up, and which the service works on all the same, later."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._waiting: list[Callable[[], object]] = []
        self._since_s = 0.0

    def add(self, work: Callable[[], object]) -> None:
        if not self._waiting:
            self._since_s = self._now()
        self._waiting.append(work)

    def arrive(self, by_s: float = float("inf")) -> None:
        """The service works on all of them, if the first has waited so long by then."""
        if not self._waiting or by_s < self._since_s + LATE_S:
            return
        waiting, self._waiting = self._waiting, []
        for work in waiting:
            # Whatever it answers, nobody hears it.
            with suppress(Broken):
                work()


class Weather:
    """What the line does to the next calls: refused, cut or late; to those for a token apart."""

    def __init__(self) -> None:
        self._coming: dict[bool, list[str]] = {True: [], False: []}

    def add(self, said: Sequence[str], tokens: bool) -> None:
        self._coming[tokens] += said

    def take(self, url: str) -> str | None:
        coming = self._coming[url.endswith(TOKEN_PATH)]
        return coming.pop(0) if coming else None

    def clear(self) -> None:
        for coming in self._coming.values():
            coming.clear()


class Wire:
    """The other end of a client's connections."""

    def __init__(self, way: Way, weather: Weather, late: Late, first_ids: dict[str, str]) -> None:
        self._way = way
        self._weather = weather
        self._late = late
        self._first_ids = first_ids
        self._refused: tuple[bytes | None, str] | None = None

    def exchange(self, request: Request, _: Deadline) -> Answer:
        if self._refused is not None and self._refused[0] == request.body:
            # The client's second try, with a new token and an id of its own.
            (_body, before), self._refused = self._refused, None
            self._first_ids[request.trace_id] = self._first_ids.get(before, before)
        said = self._weather.take(request.url)
        if said == "late":
            self._late.add(lambda: self._way.work(request))
        if said is not None:
            return self._way.fail(said, request)
        answer = self._way.carry(request)
        if answer.status == 401 and not request.url.endswith(TOKEN_PATH):
            self._refused = (request.body, request.trace_id)
        return answer

    def close(self) -> None:
        """The way is there for all clients, and all runs."""


def _given(wire: Wire, _: Server) -> Wire:
    return wire


class Peer:
    """The sandbox with its switches, and the production clients of its employers."""

    def __init__(
        self, way: Way, folder: Path, now: Callable[[], float], keys: dict[str, RSAKey]
    ) -> None:
        store = Store(folder / "sandbox.db")
        known = {employer: (key,) for employer, key in keys.items()}
        issuer = Issuer(known, TOKEN_LIFE_S, store.first_use, now)
        sandbox = Sandbox(store, issuer, Faults(), Refusals(), SEARCH_DELAY_S, 0.0, now)
        sandbox.token_url = way.url + TOKEN_PATH
        way.begin(sandbox)
        self.weather = Weather()
        self.late = Late(now)
        # After a 401 the client calls again, with an id of its own: which the first one was.
        self.first_ids: dict[str, str] = {}
        self._way = way
        self._now = now
        self._keys = keys
        self.clients: dict[str, OnssClient] = {}
        self.connect()

    def connect(self) -> None:
        """Make new clients, as a gateway does that starts."""
        sources = Sources(self._now, self._now, lambda: str(uuid.uuid4()))
        url = self._way.url
        for employer, key in self._keys.items():
            config = OnssConfig(url + BASE_PATH, url + TOKEN_PATH, employer, key)
            wire = Wire(self._way, self.weather, self.late, self.first_ids)
            self.clients[employer] = OnssClient(config, sources, partial(_given, wire))

    def fault(self, fault: dict[str, Any]) -> None:
        """Switch one on, as anybody would: over HTTP."""
        self._ask("POST", "/faults", fault)

    def refuse(self, ssins: Sequence[str]) -> None:
        self._ask("PUT", "/refusals", {"ssins": list(ssins)})

    def validity(self, after_s: float | None, remarked: Sequence[str]) -> None:
        """From then on registrations become final, or don't; of some, something is remarked."""
        remarks = {ssin: [{"code": "x", "description": "something"}] for ssin in remarked}
        self._ask("PUT", "/validity", {"after_s": after_s, "remarks": remarks})

    def calm(self, refused: Sequence[str] = ()) -> None:
        """Switch every fault off; whom the ONSS does not know it goes on not to know."""
        self.weather.clear()
        self._ask("DELETE", "/faults", None)
        self.refuse(refused)

    def _ask(self, method: str, path: str, told: Any) -> None:
        headers = {"Content-Type": "application/json"}
        body = json.dumps(told).encode()
        asked = Request(method, self._way.url + path, str(uuid.uuid4()), headers, body)
        answer = self._way.work(asked)
        assert answer.status == 200, answer.body
