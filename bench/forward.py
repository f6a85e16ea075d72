"""Gateway: entries → outcomes, with the ONSS answering in 20 ms, against bare requests POSTs."""

from __future__ import annotations

import json
import queue
import sqlite3
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import requests

from bench.figures import Figure, Options
from bench.machine import cpu_s
from bench.wall import TIMEOUT_S, Wall
from ciao.registration import Direction
from gateway import config as gateway_config
from gateway.onss.config import OnssConfig
from gateway.onss.tokens import Sources, Token, Tokens
from gateway.onss.transport import Transport
from tests.demo.processes import Process, script
from tests.demo.world import World
from tests.fire.people import enrol

TAPS = 3_000
TAPS_QUICK = 800
PEOPLE = 100
LATENCY_S = 0.02


def run(options: Options) -> Iterator[Figure]:
    """Let a backlog flow through the gateway; then post the same registrations without it."""
    taps = TAPS_QUICK if options.quick else TAPS
    with tempfile.TemporaryDirectory(prefix="ciao-") as name:
        world = slow_world(Path(name))
        try:
            world.open((), with_terminal=False)
            uids = [bytes.fromhex(one.uid) for one in enrol(world.folder, PEOPLE)]
            ours, gateway_s = _ours(world, uids, taps)
            world.gateway.stop()
            onss = gateway_config.load(world.folder / "gateway.toml").onss
            # Each employer's calls are made apart; half of the people are of either.
            calls = onss.concurrency * len(onss.credentials)
            bare = _bare(world, calls, taps)
        finally:
            world.close()
    yield Figure(
        "entries to outcomes",
        ours / bare,
        "times",
        0.9,
        f"bare requests POSTs, {calls} at once, ONSS answering in {LATENCY_S * 1000:.0f} ms:"
        f" {ours:.0f}/s against {bare:.0f}/s",
        at_least=True,
    )
    way = "custody, identifying, forwarding"
    yield Figure("CPU an outcome, gateway", gateway_s / taps * 1e6, "µs", None, way)


def slow_world(folder: Path) -> World:
    """The demo's world, with an ONSS stand-in that takes its time."""
    world = World(folder, lambda _text: None)
    words = [*world._sandbox_words(), "--latency", str(LATENCY_S)]
    assert words[0] == script("ciao-gateway")
    world.sandbox = Process("sandbox", words, folder / "logs" / "sandbox.log")
    return world


def _ours(world: World, uids: list[bytes], taps: int) -> tuple[float, float]:
    """Return outcomes a second over the middle of the backlog, and the gateway's CPU seconds."""
    wall = Wall(world)
    wall.be_bound()
    for number, uid in enumerate(islice(cycle(uids), taps)):
        wall.tap(uid, tuple(Direction)[number // len(uids) % 2])
    before_s = cpu_s(world.gateway.pid)
    wall.connect()
    wall.until_settled()
    wall.link.stop()
    look = threading.Event()
    while _accepted(world.ledger) < taps:
        # Seldom: counting takes the processor from what is measured.
        look.wait(0.5)
    gateway_s = cpu_s(world.gateway.pid) - before_s
    return rate(_times(world.sandbox_db)), gateway_s


def _bare(world: World, at_once: int, count: int) -> float:
    """Post the newest registrations again, as many at once, with nothing kept and nothing read."""
    bodies: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
    before = len(_times(world.sandbox_db))
    for client, item in _items(world.sandbox_db, count):
        bodies.put((client, json.dumps({"items": [item]}).encode()))
    config = gateway_config.load(world.folder / "gateway.toml")
    credentials = gateway_config.onss_configs(config.onss, world.folder).values()
    tokens = {one.client_id: _token(one) for one in credentials}
    url = next(iter(credentials)).register_url

    def post() -> None:
        session = requests.Session()
        session.trust_env = False
        while True:
            try:
                client, body = bodies.get_nowait()
            except queue.Empty:
                return
            headers = {
                "Authorization": f"Bearer {tokens[client].text}",
                "Content-Type": "application/json",
                "BelGov-Trace-Id": str(uuid.uuid4()),
            }
            session.post(url, data=body, headers=headers, timeout=TIMEOUT_S).raise_for_status()

    with ThreadPoolExecutor(at_once) as pool:
        for work in [pool.submit(post) for _ in range(at_once)]:
            work.result()
    return rate(_times(world.sandbox_db)[before:])


def _token(config: OnssConfig) -> Token:
    sources = Sources(time.time, time.monotonic, lambda: str(uuid.uuid4()))
    token = Tokens(config, Transport(config, time.monotonic), sources).get()
    assert isinstance(token, Token)
    return token


def rate(times: list[float]) -> float:
    """Registrations a second, without the first and the last tenth."""
    edge = len(times) // 10
    middle = times[edge : len(times) - edge]
    return (len(middle) - 1) / (middle[-1] - middle[0])


def _times(sandbox: Path) -> list[float]:
    select = "SELECT received_ms / 1e3 FROM registration ORDER BY received_ms"
    return [row[0] for row in _rows(sandbox, select)]


def _items(sandbox: Path, count: int) -> list[tuple[str, Any]]:
    rows = _rows(sandbox, f"SELECT client, item FROM registration ORDER BY id DESC LIMIT {count}")
    return [(client, json.loads(item)) for client, item in rows]


def _accepted(ledger: Path) -> int:
    states = "('accepted', 'valid', 'remarked')"
    return int(_rows(ledger, f"SELECT count(*) FROM tap WHERE state IN {states}")[0][0])


def _rows(path: Path, select: str) -> list[tuple[Any, ...]]:
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        return db.execute(select).fetchall()
    finally:
        db.close()
