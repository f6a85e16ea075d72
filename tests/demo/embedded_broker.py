"""A broker in a wheel, for a demo on a machine without mosquitto: never for production.

It asks for no client certificates and keeps nothing over a restart, so it listens on 127.0.0.1
only, and says so. It speaks MQTT 3.1.1; a version 5 client gets no answer from it.
"""

from __future__ import annotations

import argparse
import logging
import os
import socket
import stat
import sys
import threading

from iotcore.iotcore import IotCoreBroker

PAYLOAD_BYTES_MAX = 524_288  # a batch is at most 256 KiB, in base64 and JSON at most twice that
LISTEN = "127.0.0.1"
START_TIMEOUT_S = 10.0

WARNING = (
    "embedded broker on {listen}:{port}: asks for no client certificates, keeps nothing over a"
    " restart; for this demo only (production: mosquitto with mutual TLS)"
)


def main() -> int:
    """Run the broker until standard input ends or the process is terminated."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.demo.embedded_broker", description=__doc__
    )
    parser.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
    port = parser.parse_args().port
    # rumqttd reports every packet as an error, through Python's logging
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    broker = IotCoreBroker(listen=LISTEN, port=port, max_payload_size=PAYLOAD_BYTES_MAX)
    try:
        broker.check_ports()
    except OSError as error:
        print(f"error: port {port} can't be used: {error}", file=sys.stderr)
        print("hint: choose another with --port", file=sys.stderr)
        return 2
    threading.Thread(target=broker.run_forever, daemon=True).start()
    if not answer_without_delay(port):
        print(f"error: the broker does not listen on port {port}", file=sys.stderr)
        print("hint: start it again, or install mosquitto", file=sys.stderr)
        return 1
    print(WARNING.format(listen=LISTEN, port=port), file=sys.stderr)
    print("ready", flush=True)
    sys.stdin.read()  # whoever started us holds the other end: no broker outlives its demo
    return 0


def answer_without_delay(port: int) -> bool:
    """Set TCP_NODELAY on the listening socket once there is one; what it accepts inherits it.

    rumqttd has no setting for it, and a round trip through it then takes 44 ms instead of 1.
    """
    tick = threading.Event()
    for _ in range(int(START_TIMEOUT_S / 0.02)):
        for descriptor in _own_sockets():
            with socket.socket(fileno=os.dup(descriptor)) as candidate:
                if _listens_on(candidate, port):
                    candidate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    return True
        tick.wait(0.02)
    return False


def _own_sockets() -> list[int]:
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                found.append(int(name))
        except OSError:  # closed meanwhile: the directory listing's own descriptor always is
            continue
    return found


def _listens_on(candidate: socket.socket, port: int) -> bool:
    if candidate.family != socket.AF_INET:
        return False
    listening = candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    return bool(listening) and candidate.getsockname()[1] == port


if __name__ == "__main__":
    sys.exit(main())
