"""`python -m bench.peers`: the same work, ours beside a mosquitto bridge with persistence.

10,000 events made while the other side can't be reached, SIGKILL of the program that holds them,
start, drain: how many are lost, doubled, and how many a second come through. Ours is a terminal
process and its gateway, counted at the ledger; the bridge is two mosquittos on the loopback, both
with persistence, counted by a subscriber at the far one.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from paho.mqtt import client as paho

from bench import thingsboard
from bench.brokers import DRAIN_S_MAX, QUIET_S, Peer, broker, listener, publish
from tests.fire.offline import tap_offline
from tests.fire.people import enrol
from tests.fire.world import FireWorld
from tests.support.ports import free_port, listens
from tests.support.waiting import wait_for

EVENTS = 10_000
AUTOSAVED_MAX = 1_000
EVENT_BYTES = 1_000
TOPIC = "events"


def main() -> int:
    """Do the work with each, and print one line of JSON for it."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument(
        "--thingsboard", type=Path, metavar="VENV", help="one with thingsboard-gateway installed"
    )
    options = parser.parse_args()
    events = options.events
    works: list[Callable[[Path, int], Peer]] = [ours, bridge, autosaving_bridge]
    if options.thingsboard:
        works = [partial(thingsboard.run, venv=options.thingsboard.absolute())]
    for work in works:
        folder = Path(tempfile.mkdtemp(prefix="ciao-"))
        try:
            print(json.dumps(asdict(work(folder, events))), flush=True)
        finally:
            shutil.rmtree(folder)
    return 0


def ours(folder: Path, events: int) -> Peer:
    """A terminal and its gateway: taps offline, SIGKILL of the terminal, start, receipts."""
    world = FireWorld(folder, lambda _text: None)
    try:
        world.open((), with_terminal=False)
        people = enrol(folder, 100)
        world.start_terminal()
        wait_for(lambda: world.tap_fast(people[:1]) and world.promises.read(), "a first stamp")
        world.wire.cut()
        tap_offline(world, people, events)
        world.terminal.kill()
        world.wire.mend()
        began_s = time.monotonic()
        world.start_terminal()
        promised = world.promises.identities
        wait_for(lambda: promised <= set(world.custody()), "every receipt", DRAIN_S_MAX)
        taken_s = time.monotonic() - began_s
        held = world.custody()
    finally:
        world.close()
    came = Counter(held)
    doubled = sum(count - 1 for count in came.values())
    return Peer("ours", len(promised), len(promised - came.keys()), doubled, events / taken_s)


def bridge(folder: Path, events: int) -> Peer:
    """Two mosquittos with persistence as it is by default: saved at an orderly end."""
    return _bridged(folder, events, "mosquitto bridge", "")


def autosaving_bridge(folder: Path, events: int) -> Peer:
    """The same, saving everything after each change: as careful as it can be told to be.

    Each save writes the whole store again, so 10,000 would take hours to be acknowledged.
    """
    more = "autosave_interval 1\nautosave_on_changes true\n"
    name = "mosquitto bridge, autosave after each change"
    return _bridged(folder, min(events, AUTOSAVED_MAX), name, more)


def _bridged(folder: Path, events: int, name: str, more: str) -> Peer:
    near_port, far_port = free_port(), free_port()
    common = f"allow_anonymous true\npersistence true\nmax_queued_messages 0\n{more}"
    bridged = (
        f"connection up\naddress 127.0.0.1:{far_port}\ntopic {TOPIC} out 1\ncleansession false\n"
        "restart_timeout 1\n"
    )
    near = broker(folder / "near", near_port, common + bridged)
    far = broker(folder / "far", far_port, common)
    came: Counter[int] = Counter()
    last_s = 0.0

    def arrived(_client: object, _data: object, message: paho.MQTTMessage) -> None:
        nonlocal last_s
        came[int(message.payload[:10])] += 1
        last_s = time.monotonic()

    try:
        # Met once, so that the near one knows that there is a bridge to keep messages for.
        far.start(lambda: listens(far_port))
        near.start(lambda: listens(near_port))
        _met(folder / "far" / "log")
        far.stop()
        publish(near_port, events, _event)
        near.kill()
        far.start(lambda: listens(far_port))
        heard = listener(far_port, TOPIC, arrived)
        began_s = time.monotonic()
        near.start(lambda: listens(near_port))
        wait_for(
            lambda: len(came) == events or time.monotonic() - max(last_s, began_s) > QUIET_S,
            "the bridge to drain",
            DRAIN_S_MAX,
        )
        heard.disconnect()
        heard.loop_stop()
    finally:
        near.stop()
        far.stop()
    doubled = sum(count - 1 for count in came.values())
    rate = len(came) / (last_s - began_s) if came else 0.0
    return Peer(name, events, events - len(came), doubled, rate)


def _event(number: int) -> tuple[str, bytes]:
    return TOPIC, f"{number:010d}".encode().ljust(EVENT_BYTES, b"x")


def _met(log: Path) -> None:
    wait_for(lambda: ".up" in log.read_text(), "the bridge to connect")


if __name__ == "__main__":
    sys.exit(main())
