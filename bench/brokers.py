"""What peers are put between: a mosquitto, a publisher that waits, a listener; what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.demo.processes import Process
from tests.support.broker import mosquitto
from tests.support.waiting import wait_for

WINDOW = 200
# A peer is done when nothing more has come for so long.
QUIET_S = 10.0
DRAIN_S_MAX = 120.0


@dataclass(frozen=True, slots=True)
class Peer:
    """What became of the events; a second, over those that came, until the last one."""

    name: str
    events: int
    lost: int
    doubled: int
    a_second: float


def broker(folder: Path, port: int, settings: str) -> Process:
    """Make a mosquitto in a folder of its own."""
    folder.mkdir()
    conf = folder / "mosquitto.conf"
    # As root, mosquitto would drop to an account that can't write here.
    user = "user root\n"
    place = f"persistence_location {folder}/\n"
    conf.write_text(f"listener {port} 127.0.0.1\nset_tcp_nodelay true\n{user}{place}{settings}")
    return Process(folder.name, [mosquitto(), "-v", "-c", str(conf)], folder / "log")


def listener(
    port: int, topic: str, arrived: Callable[..., None], name: str = "far-end"
) -> paho.Client:
    """Hear what comes on a topic."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name)
    client.on_message = arrived
    client.on_connect = lambda *about: about[0].subscribe(topic, 1)
    subscribed: list[object] = []
    client.on_subscribe = lambda *about: subscribed.append(about)
    client.connect("127.0.0.1", port)
    client.loop_start()
    wait_for(lambda: subscribed, "the far subscription")
    return client


def publish(port: int, events: int, event: Callable[[int], tuple[str, bytes]]) -> None:
    """Publish at QoS 1, and wait for every PUBACK: the broker says that it has them."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(WINDOW)
    acknowledged: list[int] = []
    client.on_publish = lambda *about: acknowledged.append(about[2])
    client.connect("127.0.0.1", port)
    client.loop_start()
    wait_for(client.is_connected, "the broker")
    for number in range(events):
        topic, payload = event(number)
        client.publish(topic, payload, qos=1)
    wait_for(lambda: len(acknowledged) == events, "every PUBACK", DRAIN_S_MAX)
    client.disconnect()
    client.loop_stop()
