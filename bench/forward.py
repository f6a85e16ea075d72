"""Gateway: entries → outcomes, with the ONSS answering in 20 ms, against bare requests POSTs."""

from __future__ import annotations

import json
import queue
import sqlite3
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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

ROUNDS = 5
ROUNDS_QUICK = 3
TAPS = 1_000
TAPS_QUICK = 500
PEOPLE = 100
LATENCY_S = 0.02


def run(options: Options) -> Iterator[Figure]:
    """Let a backlog flow through the gateway, then post the same registrations without it; in
    turn, so that a machine that slows down slows both.
    """
    taps, rounds = (TAPS_QUICK, ROUNDS_QUICK) if options.quick else (TAPS, ROUNDS)
    with tempfile.TemporaryDirectory(prefix="ciao-") as name:
        world = slow_world(Path(name))
        try:
            world.open((), with_terminal=False)
            pairs = list(_rounds(world, taps, rounds))
            onss = gateway_config.load(world.folder / "gateway.toml").onss
        finally:
            world.close()
    # Each employer's calls are made apart; half of the people are of either.
    calls = onss.concurrency * len(onss.credentials)
    ratios = ", ".join(f"{ours.rate / bare.rate:.2f}" for ours, bare in pairs)
    yield Figure(
        "entries to outcomes",
        statistics.median(ours.rate / bare.rate for ours, bare in pairs),
        "times",
        0.9,
        f"bare requests POSTs, {calls} at once, ONSS answering in {LATENCY_S * 1000:.0f} ms, in"
        f" turn: {ratios}; {pairs[-1][0].rate:.0f}/s against {pairs[-1][1].rate:.0f}/s in the last",
        at_least=True,
    )
    ours_us, bare_us = (
        statistics.median(pair[side].cpu_s for pair in pairs) / taps * 1e6 for side in (0, 1)
    )
    way = f"custody, identifying, forwarding, outcome; the bare client's own call: {bare_us:.0f} µs"
    yield Figure("CPU an outcome, gateway", ours_us, "µs", None, way)


@dataclass(frozen=True, slots=True)
class _Ran:
    """Registrations a second over the middle of a run, and the client's processor time."""

    rate: float
    cpu_s: float


def _rounds(world: World, taps: int, rounds: int) -> Iterator[tuple[_Ran, _Ran]]:
    """Measure the gateway and the bare client, in turn."""
    uids = [bytes.fromhex(one.uid) for one in enrol(world.folder, PEOPLE)]
    wall = Wall(world)
    wall.be_bound()
    # Everybody in, everybody out: the same direction twice within seconds would be refused.
    people = cycle([(uid, direction) for direction in Direction for uid in uids])
    for _ in range(rounds):
        yield _ours(world, wall, islice(people, taps), taps), _bare(world, taps)


def slow_world(folder: Path) -> World:
    """The demo's world, with an ONSS stand-in that takes its time."""
    world = World(folder, lambda _text: None)
    words = [*world._sandbox_words(), "--latency", str(LATENCY_S)]
    assert words[0] == script("ciao-gateway")
    world.sandbox = Process("sandbox", words, folder / "logs" / "sandbox.log")
    return world


def _ours(world: World, wall: Wall, people: Iterable[tuple[bytes, Direction]], taps: int) -> _Ran:
    """Let so many taps made offline become outcomes."""
    for uid, direction in people:
        wall.tap(uid, direction)
    accepted, sent = _accepted(world.ledger), len(_times(world.sandbox_db))
    before_s = cpu_s(world.gateway.pid)
    wall.connect()
    wall.until_settled()
    look = threading.Event()
    while _accepted(world.ledger) < accepted + taps:
        # Seldom: counting takes the processor from what is measured.
        look.wait(0.5)
    spent_s = cpu_s(world.gateway.pid) - before_s
    wall.link.stop()
    wall.program.turn()
    return _Ran(rate(_times(world.sandbox_db)[sent:]), spent_s)


def _bare(world: World, count: int) -> _Ran:
    """Post the newest registrations again, as many at once, with nothing kept and nothing read."""
    config = gateway_config.load(world.folder / "gateway.toml")
    credentials = gateway_config.onss_configs(config.onss, world.folder).values()
    at_once = config.onss.concurrency * len(credentials)
    tokens = {one.client_id: _token(one) for one in credentials}
    url = next(iter(credentials)).register_url
    before = len(_times(world.sandbox_db))
    bodies: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
    for client, item in _items(world.sandbox_db, count):
        bodies.put((client, json.dumps({"items": [item]}).encode()))

    def post() -> None:
        session = requests.Session()
        session.trust_env = False
        while True:
            try:
                client, body = bodies.get_nowait()
            except queue.Empty:
                return
            headers = {
                "Accept": "application/json",
                "Authorization": f"Bearer {tokens[client].text}",
                "Content-Type": "application/json",
                "BelGov-Trace-Id": str(uuid.uuid4()),
            }
            session.post(url, data=body, headers=headers, timeout=TIMEOUT_S).raise_for_status()

    before_s = time.process_time()
    with ThreadPoolExecutor(at_once) as pool:
        for work in [pool.submit(post) for _ in range(at_once)]:
            work.result()
    spent_s = time.process_time() - before_s
    return _Ran(rate(_times(world.sandbox_db)[before:]), spent_s)


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
