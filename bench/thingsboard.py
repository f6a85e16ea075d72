"""thingsboard-gateway on the work of `bench.peers`, where one is installed; never a dependency.

Its SQLite storage between two mosquittos: the near one hands it the events by its MQTT connector,
the far one, with a client that answers for the session's limits, stands where a ThingsBoard server
would take its telemetry. An event is made when the
gateway has acknowledged it to the near broker. What comes is counted at the far one.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

from paho.mqtt import client as paho

from bench.brokers import QUIET_S, Peer, broker, listener, publish
from tests.demo.processes import Process
from tests.support.ports import free_port, listens
from tests.support.waiting import wait_for

TOPIC, TELEMETRY = "events", "v1/gateway/telemetry"
ASKED, ANSWERED = "v1/devices/me/rpc/request/", "v1/devices/me/rpc/response/"
TOKEN = "bench"
# It hears answers and not its own questions, which a broker alone would send back to it.
_ACL = f"topic readwrite #\n\nuser {TOKEN}\ntopic write #\ntopic read {ANSWERED}+\n"
_LIMITS = {"maxInflightMessages": 100, "rateLimits": {"messages": ""}}
NAME = "thingsboard-gateway"
EPOCH_MS = 1_772_427_600_000
START_S, HAND_OVER_S, DRAIN_S_MAX = 60.0, 300.0, 300.0
_UNLIMITED = dict.fromkeys(
    (
        "rateLimits",
        "dpRateLimits",
        "messagesRateLimits",
        "deviceMessagesRateLimits",
        "deviceRateLimits",
        "deviceDpRateLimits",
    ),
    "0:0",
)


def run(folder: Path, events: int, venv: Path) -> Peer:
    """Make events while the far side is away, SIGKILL, start, drain, count."""
    near_port, far_port = free_port(), free_port()
    common = "allow_anonymous true\nmax_queued_messages 0\n"
    near = broker(folder / "near", near_port, common)
    (folder / "acl").write_text(_ACL)
    far = broker(folder / "far", far_port, f"{common}acl_file {folder}/acl\n")
    ours = _gateway(folder / "gateway", venv, near_port, far_port)
    came: Counter[int] = Counter()
    last_s = 0.0

    def arrived(_client: object, _data: object, message: paho.MQTTMessage) -> None:
        nonlocal last_s
        for readings in json.loads(message.payload).values():
            came.update(int(one["values"]["n"]) for one in readings)
        last_s = time.monotonic()

    try:
        far.start(lambda: listens(far_port))
        near.start(lambda: listens(near_port))
        platform = listener(far_port, f"{ASKED}+", _answer, "platform")
        ours.start(lambda: True)
        log = folder / "near" / "log"
        wait_for(lambda: f"Received SUBSCRIBE from {NAME}" in log.read_text(), "it", START_S)
        wait_for(lambda: "Gateway started." in ours.log.read_text(), "it", START_S)
        far.stop()
        platform.loop_stop()
        publish(near_port, events, _event)
        _wait_for_all(log, events)
        ours.kill()
        near.stop()
        near.start(lambda: listens(near_port))
        far.start(lambda: listens(far_port))
        platform = listener(far_port, f"{ASKED}+", _answer, "platform")
        heard = listener(far_port, TELEMETRY, arrived)
        began_s = time.monotonic()
        ours.start(lambda: True)
        wait_for(
            lambda: (
                len(came) == events or time.monotonic() - max(last_s, began_s + START_S) > QUIET_S
            ),
            "it to drain",
            DRAIN_S_MAX,
        )
        for client in (heard, platform):
            client.disconnect()
            client.loop_stop()
    finally:
        for process in (ours, near, far):
            process.stop()
    doubled = sum(count - 1 for count in came.values())
    rate = len(came) / (last_s - began_s) if came else 0.0
    return Peer(f"{NAME} {_version(venv)}, SQLite", events, events - len(came), doubled, rate)


def _event(number: int) -> tuple[str, bytes]:
    # Each at a time of its own: what a device says at one millisecond is one reading to it.
    return TOPIC, json.dumps({"n": number, "ts": EPOCH_MS + number}).encode()


def _answer(client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
    number = message.topic.removeprefix(ASKED)
    client.publish(f"{ANSWERED}{number}", json.dumps(_LIMITS), qos=1)


def _wait_for_all(log: Path, events: int) -> None:
    taken = f"Received PUBACK from {NAME}"
    wait_for(lambda: log.read_text().count(taken) >= events, "every event taken", HAND_OVER_S)


def _gateway(folder: Path, venv: Path, near_port: int, far_port: int) -> Process:
    folder.mkdir()
    (package,) = venv.glob("lib/python3*/site-packages/thingsboard_gateway")
    (folder / "logs.json").write_bytes((package / "config" / "logs.json").read_bytes())
    _write(
        folder / "tb_gateway.json",
        {
            "thingsboard": {
                "host": "127.0.0.1",
                "port": far_port,
                "remoteShell": False,
                "remoteConfiguration": False,
                "statistics": {"enable": False},
                "checkConnectorsConfigurationInSeconds": 3600,
                "minPackSendDelayMS": 0,
                "security": {"type": "accessToken", "accessToken": TOKEN},
                "qos": 1,
                "reportStrategy": {"type": "ON_RECEIVED"},
                **_UNLIMITED,
            },
            "storage": {"type": "sqlite", "data_file_path": f"{folder}/data/"},
            "grpc": {"enabled": False},
            "connectors": [{"type": "mqtt", "name": "near", "configuration": "mqtt.json"}],
        },
    )
    _write(
        folder / "mqtt.json",
        {
            "broker": {
                "host": "127.0.0.1",
                "port": near_port,
                "clientId": NAME,
                "version": 5,
                "maxMessageNumberPerWorker": 10,
                "maxNumberOfWorkers": 100,
                "security": {"type": "anonymous"},
            },
            "mapping": [
                {
                    "topicFilter": TOPIC,
                    "subscriptionQos": 1,
                    "converter": {
                        "type": "json",
                        "deviceInfo": {
                            "deviceNameExpressionSource": "constant",
                            "deviceNameExpression": "door",
                            "deviceProfileExpressionSource": "constant",
                            "deviceProfileExpression": "default",
                        },
                        "timeout": 60000,
                        "attributes": [],
                        "timeseries": [{"type": "integer", "key": "n", "value": "${n}"}],
                    },
                }
            ],
        },
    )
    words = ["env", f"--chdir={folder}", f"TB_GW_CONFIG_DIR={folder}/", str(venv / "bin/python")]
    words += ["-c", "from thingsboard_gateway.tb_gateway import main; main()"]
    return Process("gateway", words, folder / "log")


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value))


def _version(venv: Path) -> str:
    (found,) = venv.glob("lib/python3*/site-packages/thingsboard_gateway-*.dist-info")
    return found.name.removesuffix(".dist-info").rpartition("-")[2]
