"""A bare receipt: paho, mutual TLS and one durable row at each point, and nothing else.

`python -m bench.echo FOLDER` is the far end, with the gateway's certificate; `Echo` the near one.
"""

from __future__ import annotations

import queue
import sqlite3
import sys
import threading
import time
from pathlib import Path

from ciao.link import Connected, LinkEvent, Message, Publish
from ciao.mqtt import BrokerSettings, Link, tls_context
from gateway import config as gateway_config
from terminal import config as terminal_config
from tests.demo.people import TERMINAL

THERE, BACK = f"ciao/1/{TERMINAL}/journal", f"ciao/1/{TERMINAL}/receipt"
ENTRY_BYTES, RECEIPT_BYTES = 1_500, 700
TIMEOUT_S = 10.0


class Rows:
    """One durable row a time, as the journal and the ledger have it."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, row BLOB)")

    def add(self, row: bytes) -> None:
        """Commit one."""
        self._db.execute("INSERT INTO bare (row) VALUES (?)", (row,))


class End:
    """One end: a session and its inbox."""

    def __init__(self, broker: BrokerSettings, base: Path, name: str, topic: str) -> None:
        self.inbox: queue.SimpleQueue[LinkEvent] = queue.SimpleQueue()
        will = Publish(f"{topic.rpartition('/')[0]}/online", b"", retain=False)
        self.link = Link(broker, tls_context(broker, base), name, will, [topic], self.inbox.put)
        self.link.start()
        while self.inbox.get(timeout=TIMEOUT_S) != Connected():
            pass

    def next(self) -> bytes:
        """Wait for the next message."""
        while True:
            event = self.inbox.get(timeout=TIMEOUT_S)
            if isinstance(event, Message):
                return event.payload


class Echo:
    """The near end."""

    def __init__(self, folder: Path) -> None:
        config = terminal_config.load(folder / "terminal.toml")
        self._end = End(config.settings.broker, config.base, TERMINAL, BACK)
        self._rows = Rows(folder / "echo-near.db")

    def round_trips(self, count: int) -> list[float]:
        """Return the seconds of each round trip."""
        # Let what the broker retained arrive first.
        threading.Event().wait(0.5)
        while not self._end.inbox.empty():
            self._end.inbox.get()
        times = []
        for number in range(count):
            began_s = time.perf_counter()
            sent = bytes([number % 256]) * ENTRY_BYTES
            self._rows.add(sent)
            self._end.link.publish(Publish(THERE, sent, retain=False))
            self._rows.add(self._end.next())
            times.append(time.perf_counter() - began_s)
        self._end.link.stop()
        return times


def main() -> int:
    """Be the far end until killed."""
    folder = Path(sys.argv[1])
    config = gateway_config.load(folder / "gateway.toml")
    end = End(config.broker, folder, f"gateway-{config.gateway}", THERE)
    rows = Rows(folder / "echo-far.db")
    print("ready", flush=True)
    while True:
        try:
            rows.add(end.next())
        except queue.Empty:
            continue
        end.link.publish(Publish(BACK, b"r" * RECEIPT_BYTES, retain=False))


if __name__ == "__main__":
    sys.exit(main())
