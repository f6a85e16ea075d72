"""Taps made offline → the last receipt on the terminal's disk, against bare QoS 1 publishes."""

from __future__ import annotations

import queue
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from bench.figures import Figure, Options
from bench.machine import cpu_s
from bench.wall import TIMEOUT_S, Wall
from ciao.mqtt import IN_FLIGHT_MAX, tls_context
from ciao.registration import Direction
from tests.demo.people import TERMINAL
from tests.demo.world import World
from tests.fire.people import enrol
from tests.support.waiting import wait_for

TAPS = 10_000
TAPS_QUICK = 2_000
PEOPLE = 100
# An entry and its payload as they travel in a batch.
ENTRY_BYTES = 1_000


def run(options: Options) -> Iterator[Figure]:
    """Make taps offline, connect, and wait for the last receipt."""
    taps = TAPS_QUICK if options.quick else TAPS
    with tempfile.TemporaryDirectory(prefix="ciao-") as name:
        world = World(Path(name), lambda _text: None)
        try:
            world.open((), with_terminal=False)
            uids = [bytes.fromhex(one.uid) for one in enrol(world.folder, PEOPLE)]
            wall = Wall(world)
            wall.be_bound()
            ours_s, here_s, there_s = _drain(world, wall, uids, taps)
            world.gateway.stop()
            bare_s = _publishes(wall, taps)
        finally:
            world.close()
    yield Figure(
        f"{taps:,} offline taps to the last receipt",
        ours_s / bare_s,
        "times",
        1.0,
        f"{taps:,} bare paho QoS 1 publishes of {ENTRY_BYTES} B, the same broker and TLS:"
        f" {ours_s:.2f} s against {bare_s:.2f} s",
    )
    yield Figure("the same, a second", taps / ours_s, "entries/s", None, "FULL on both ends")
    yield Figure("CPU an entry, terminal", here_s / taps * 1e6, "µs", None, "from mend to settled")
    way = "the same time; it identifies and forwards too"
    yield Figure("CPU an entry, gateway", there_s / taps * 1e6, "µs", None, way)


def _drain(world: World, wall: Wall, uids: list[bytes], taps: int) -> tuple[float, float, float]:
    """Return seconds from connecting to the last receipt, and each side's processor time."""
    before = wall.journal.size
    for number, uid in enumerate(islice(cycle(uids), taps)):
        wall.tap(uid, tuple(Direction)[number // len(uids) % 2])
    assert wall.journal.size >= before + taps, "a tap was refused"
    began_s, here_s, there_s = time.perf_counter(), time.process_time(), cpu_s(world.gateway.pid)
    wall.connect()
    wall.until_settled()
    taken_s = time.perf_counter() - began_s
    here_s, there_s = time.process_time() - here_s, cpu_s(world.gateway.pid) - there_s
    wall.link.stop()
    return taken_s, here_s, there_s


def _publishes(wall: Wall, count: int) -> float:
    """Return the seconds from connecting to the last PUBACK, with a window as ours."""
    broker = wall.config.settings.broker
    client = paho.Client(
        CallbackAPIVersion.VERSION2, client_id=TERMINAL, protocol=MQTTProtocolVersion.MQTTv5
    )
    client.max_inflight_messages_set(IN_FLIGHT_MAX)
    context = tls_context(broker, wall.config.base)
    if context is not None:
        client.tls_set_context(context)
    acknowledged: queue.SimpleQueue[int] = queue.SimpleQueue()
    client.on_publish = lambda *about: acknowledged.put(about[2])
    began_s = time.perf_counter()
    client.connect(broker.host, broker.port)
    client.loop_start()
    wait_for(client.is_connected, "the broker")
    for _ in range(count):
        client.publish(f"ciao/1/{TERMINAL}/journal", b"x" * ENTRY_BYTES, qos=1)
    for _ in range(count):
        acknowledged.get(timeout=TIMEOUT_S)
    taken_s = time.perf_counter() - began_s
    client.disconnect()
    client.loop_stop()
    return taken_s
