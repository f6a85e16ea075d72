"""Edge: the sandbox as a server on a loopback address."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import waitress
from joserfc.jwk import RSAKey

from gateway.sandbox.app import create_app
from gateway.sandbox.faults import Faults
from gateway.sandbox.oauth import Issuer
from gateway.sandbox.service import BASE_PATH, BODY_BYTES_MAX, TOKEN_PATH
from gateway.sandbox.store import Store
from gateway.sandbox.world import Refusals, Sandbox

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Settings:
    """How a sandbox behaves; times in seconds. `port` 0 takes any that is free.

    `search_delay_s`: a registration shows in the search only that long after it was stored.
    `latency_s`: what every call to the service takes at least. `token_life_s`: how long a token
    lives. `clients`: the registered public keys of each client id. `url`: how clients reach it,
    where something stands in front that speaks TLS; "" for where it listens.
    """

    db: Path
    clients: Mapping[str, tuple[RSAKey, ...]]
    port: int = 0
    search_delay_s: float = 2.0
    latency_s: float = 0.0
    token_life_s: float = 300.0
    threads: int = 16
    inactive_declarations: frozenset[str] = field(default_factory=frozenset)
    url: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """Where it listens: `url` (pages and switches), and what a client is configured with."""

    url: str
    base_url: str
    token_url: str


def serve(settings: Settings, ready: Callable[[Address], None]) -> None:
    """Serve until interrupted; `ready` is called once, when the socket listens.

    Raises OSError where the port is taken. Listens on loopback only: the switches ask for no
    password.
    """
    store = Store(settings.db)
    issuer = Issuer(settings.clients, settings.token_life_s, store.first_use, time.time)
    refusals = Refusals(declarations=set(settings.inactive_declarations))
    sandbox = Sandbox(
        store, issuer, Faults(), refusals, settings.search_delay_s, settings.latency_s, time.time
    )
    server = waitress.create_server(
        create_app(sandbox),
        host=HOST,
        port=settings.port,
        threads=settings.threads,
        ident="onss-sandbox",
        # Above our own limit, so that our own answer to it is heard.
        max_request_body_size=8 * BODY_BYTES_MAX,
        # How a fault drops a connection: see world.Dropped.
        log_socket_errors=False,
    )
    url = settings.url.rstrip("/") or f"http://{HOST}:{server.effective_port}"
    sandbox.token_url = url + TOKEN_PATH
    ready(Address(url, url + BASE_PATH, sandbox.token_url))
    server.run()


def write_ready_file(path: Path, text: str) -> None:
    """Write a file that appears whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(text + "\n", encoding="utf-8")
    os.replace(part, path)
