"""The production client on the sandbox's own application, in one thread and in virtual time.

Everything between is real: tokens and their signatures, Flask, SQLite. Only
the socket is not; what can happen on one is drawn: refused, broken off, or answered too late.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask
from joserfc.jwk import RSAKey

from gateway.onss.answers import KEPT_HEADERS, Answer, Silence
from gateway.onss.client import OnssClient
from gateway.onss.config import OnssConfig
from gateway.onss.connection import Broken, Request, Server
from gateway.onss.sockets import Deadline
from gateway.onss.tokens import Sources
from gateway.sandbox.app import create_app
from gateway.sandbox.faults import Faults
from gateway.sandbox.oauth import Issuer
from gateway.sandbox.service import BASE_PATH, TOKEN_PATH
from gateway.sandbox.store import Store
from gateway.sandbox.world import Refusals, Sandbox

BASE = "http://127.0.0.1:9"
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
            with suppress(OSError):
                work()


class Wire:
    """The other end of a connection. `weather` holds, for the next calls: refused, cut or late."""

    def __init__(self, app: Flask, weather: list[str], late: Late) -> None:
        self._client = app.test_client()
        self._weather = weather
        self._late = late

    def exchange(self, request: Request, _: Deadline) -> Answer:
        said = self._weather.pop(0) if self._weather else None
        if said == "refused":
            raise Broken(Silence.REFUSED, sent=False)
        sent = request.body is not None
        if said == "cut":
            # Before the service read it.
            raise Broken(Silence.DROPPED, sent)
        if said == "late":
            self._late.add(lambda: self._work(request))
            raise Broken(Silence.TIMEOUT, sent)
        try:
            return self._work(request)
        except OSError as error:
            raise Broken(Silence.DROPPED, sent) from error

    def _work(self, request: Request) -> Answer:
        got = self._client.open(
            urlsplit(request.url).path,
            method=request.method,
            query_string=urlencode(request.params or {}),
            headers={**request.headers, "BelGov-Trace-Id": request.trace_id},
            data=request.body,
        )
        kept = {name: got.headers[name] for name in KEPT_HEADERS if name in got.headers}
        return Answer(got.status_code, kept, got.data, request.trace_id)

    def close(self) -> None:
        """There is nothing to close."""


def _given(wire: Wire, _: Server) -> Wire:
    return wire


class Peer:
    """The sandbox with its switches, and the production clients of its employers."""

    def __init__(self, folder: Path, now: Callable[[], float], keys: dict[str, RSAKey]) -> None:
        store = Store(folder / "sandbox.db")
        known = {employer: (key,) for employer, key in keys.items()}
        issuer = Issuer(known, TOKEN_LIFE_S, store.first_use, now)
        self.store = store
        self.sandbox = Sandbox(store, issuer, Faults(), Refusals(), SEARCH_DELAY_S, 0.0, now)
        self.sandbox.token_url = BASE + TOKEN_PATH
        self.app = create_app(self.sandbox)
        self.weather: list[str] = []
        self.late = Late(now)
        self._now = now
        self._keys = keys
        self.clients: dict[str, OnssClient] = {}
        self.connect()

    def connect(self) -> None:
        """Make new clients, as a gateway does that starts."""
        sources = Sources(self._now, self._now, lambda: str(uuid.uuid4()))
        for employer, key in self._keys.items():
            config = OnssConfig(BASE + BASE_PATH, BASE + TOKEN_PATH, employer, key)
            wire = Wire(self.app, self.weather, self.late)
            self.clients[employer] = OnssClient(config, sources, partial(_given, wire))

    def fault(self, fault: dict[str, Any]) -> None:
        """Switch one on, as anybody would: over HTTP."""
        answered = self.app.test_client().post("/faults", json=fault)
        assert answered.status_code == 200, answered.text

    def refuse(self, ssins: list[str]) -> None:
        self.app.test_client().put("/refusals", json={"ssins": ssins})

    def calm(self) -> None:
        """Switch everything off."""
        self.weather.clear()
        self.app.test_client().delete("/faults")
        self.refuse([])
