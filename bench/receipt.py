"""Tap → receipt kept at the terminal: real mosquitto with mutual TLS, a real gateway process.

Beside it, in the same world, a bare echo: a row committed here, a message, a row committed there,
a message back, a row committed here.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.echo import Echo
from bench.figures import Figure, Options
from bench.wall import Wall
from ciao.registration import Direction
from tests.demo.people import PEOPLE
from tests.demo.processes import Process
from tests.demo.world import World

TAPS = 600


def run(options: Options) -> Iterator[Figure]:
    """Tap again and again, each time until the receipt is on the terminal's disk."""
    taps = TAPS // 4 if options.quick else TAPS
    with tempfile.TemporaryDirectory(prefix="ciao-") as name:
        world = World(Path(name), lambda _text: None)
        try:
            world.open(PEOPLE, with_terminal=False)
            ours = _round_trips(world, taps)
            world.gateway.stop()
            bare = _echoes(world, taps)
        finally:
            world.close()
    way = "tap → disk → broker → ledger → receipt → disk; 40 would be Nagle"
    yield Figure("receipt round trip, median", statistics.median(ours) * 1000, "ms", None, way)
    yield Figure("receipt round trip, p99", _p99(ours) * 1000, "ms", None, way)
    yield Figure("bare echo, median", statistics.median(bare) * 1000, "ms", None, "see receipt.py")
    yield Figure(
        "receipt round trip, against the echo",
        statistics.median(ours) / statistics.median(bare),
        "times",
        None,
        "the same broker and TLS, one commit at each of the three points, medians",
    )


def _round_trips(world: World, count: int) -> list[float]:
    wall = Wall(world)
    wall.connect()
    wall.until_settled()
    uids = [bytes.fromhex(person.uid) for person in PEOPLE]
    times = []
    for number in range(count):
        began_s = time.perf_counter()
        wall.tap(uids[number % len(uids)], tuple(Direction)[number // len(uids) % 2])
        wall.until_settled()
        times.append(time.perf_counter() - began_s)
    wall.link.stop()
    return times


def _echoes(world: World, count: int) -> list[float]:
    words = [sys.executable, "-m", "bench.echo", str(world.folder)]
    other = Process("echo", words, world.folder / "logs" / "echo.log")
    other.start(lambda: b"ready" in other.log.read_bytes())
    try:
        return Echo(world.folder).round_trips(count)
    finally:
        other.kill()


def _p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[98]
