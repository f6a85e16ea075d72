"""Tap → receipt kept at the terminal: real mosquitto with mutual TLS, a real gateway process."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.figures import Figure
from ciao.link import Publish
from ciao.mqtt import Link, tls_context
from ciao.registration import Direction
from ciao.running import Inbox
from hardware.clock import system_clock
from hardware.events import CardGone, CardRead, Pressed
from terminal import config as configuration
from terminal.__main__ import assemble
from terminal.core import Event
from tests.demo.people import PEOPLE
from tests.demo.world import World

TAPS = 300
TIMEOUT_S = 30.0


def run(*, quick: bool) -> Iterator[Figure]:
    """Tap again and again, each time until the receipt is on the terminal's disk."""
    with tempfile.TemporaryDirectory(prefix="ciao-") as name:
        world = World(Path(name), lambda _text: None)
        try:
            world.open(PEOPLE, with_terminal=False)
            times = _Wall(world).taps(TAPS // 4 if quick else TAPS)
        finally:
            world.close()
    for label, value in (
        ("receipt round trip, median", statistics.median(times)),
        ("receipt round trip, p99", statistics.quantiles(times, n=100)[98]),
    ):
        yield Figure(
            label,
            value * 1000,
            "ms",
            None,
            "tap → disk → broker → ledger → receipt → disk; 40 would be Nagle",
        )


class _Wall:
    """The terminal's program in this process, so that its clock is ours."""

    def __init__(self, world: World) -> None:
        config = configuration.load(world.terminal_folder / "terminal.toml")
        self._read = system_clock(config.zone, 1000)
        config.state.mkdir()
        self._terminal, self._journal, _ = assemble(config)
        self._inbox: Inbox[Event] = Inbox()
        effects = self._terminal.start(self._read())
        self._link = Link(
            config.settings.broker,
            tls_context(config.settings.broker, config.base),
            config.settings.terminal,
            self._terminal.exchange.presence(online=False),
            self._terminal.exchange.subscriptions(),
            self._inbox.put,
        )
        self._link.start()
        self._publish(effects)

    def taps(self, count: int) -> list[float]:
        """Return the seconds of each tap's round trip."""
        self._until_settled()
        times = []
        uids = [bytes.fromhex(person.uid) for person in PEOPLE]
        for number in range(count):
            uid = uids[number % len(uids)]
            direction = tuple(Direction)[number // len(uids) % 2]
            now = self._read()
            began_s = time.perf_counter()
            self._step([Pressed(direction, now), CardRead("main", uid, now), CardGone("main", uid)])
            self._until_settled()
            times.append(time.perf_counter() - began_s)
        self._link.stop()
        return times

    def _until_settled(self) -> None:
        deadline_s = time.monotonic() + TIMEOUT_S
        while self._journal.settled < self._journal.size:
            self._step(self._inbox.take(0.05))
            if time.monotonic() > deadline_s:
                raise AssertionError(f"settled {self._journal.settled} of {self._journal.size}")

    def _step(self, events: list[Event]) -> None:
        self._publish(self._terminal.step(self._read(), events))

    def _publish(self, effects: Sequence[object]) -> None:
        for effect in effects:
            if isinstance(effect, Publish):
                self._link.publish(effect)
