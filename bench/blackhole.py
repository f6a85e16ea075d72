"""A tap while every anchor is black-holed, against a tap without faults: nobody waits for a probe.

One terminal, its gateway and its broker at work, its probes looking at everything every second;
its anchors answer, or swallow what comes, in turn.
"""

from __future__ import annotations

import contextlib
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure, Options
from bench.wall import READER, Wall
from ciao.reaching.endpoint import Endpoint
from ciao.registration import Direction
from hardware.events import CardGone, CardRead, Pressed
from hardware.panel import View
from hardware.probes.settings import Targets
from hardware.probes.supervisor import Prober
from hardware.probes.surroundings import Surroundings
from tests.demo.people import PEOPLE
from tests.demo.world import World
from tests.support.waiting import wait_for

TURNS = 16
TURNS_QUICK = 6
TAPS_A_TURN = 60
BETWEEN_S = 0.02
ANCHORS = 3


def run(options: Options) -> Iterator[Figure]:
    """Tap in turns, with anchors that answer and with anchors that don't."""
    turns = TURNS_QUICK if options.quick else TURNS
    with tempfile.TemporaryDirectory(prefix="ciao-") as name, contextlib.ExitStack() as stack:
        world = World(Path(name), lambda _text: None)
        stack.callback(world.close)
        world.open(PEOPLE, with_terminal=False)
        lit = _Lit(world)
        answering = [stack.enter_context(_anchor(full=False)) for _ in range(ANCHORS)]
        swallowing = [stack.enter_context(_anchor(full=True)) for _ in range(ANCHORS)]
        well, swallowed = lit.run(turns, answering, swallowing)
    ratio = _p99(swallowed) / _p99(well)
    way = f"p99 of {len(swallowed)} taps against {len(well)} without faults, in turns, in one run"
    yield Figure("tap while every anchor is black-holed, p99", ratio, "times", 1.1, way)
    ratio = statistics.median(swallowed) / statistics.median(well)
    yield Figure("the same, median", ratio, "times", None, "likewise")
    yield Figure("tap without faults, p99", _p99(well) * 1000, "ms", None, "event to light")


class _Lit:
    """The terminal's program here, with a panel that notes when a stamp was shown."""

    def __init__(self, world: World) -> None:
        self._wall = Wall(world, self)
        self._shown = threading.Event()
        self._shown_s = 0.0
        self._stopping = threading.Event()
        self._failed: AssertionError | None = None

    def run(
        self, turns: int, answering: list[Endpoint], swallowing: list[Endpoint]
    ) -> tuple[list[float], list[float]]:
        """Serve in this thread, as the program does, while another one taps."""
        well, swallowed = list[float](), list[float]()

        def people() -> None:
            try:
                wait_for(lambda: self._wall.journal.settled > 0, "a first receipt", 30.0)
                self._taps(answering, TAPS_A_TURN)
                for _ in range(turns // 2):
                    well.extend(self._taps(answering, TAPS_A_TURN))
                    swallowed.extend(self._taps(swallowing, TAPS_A_TURN))
            except AssertionError as error:
                self._failed = error
            self._stopping.set()
            self._wall.inbox.wake()

        thread = threading.Thread(target=people)
        thread.start()
        self._wall.program.run(self._stopping)
        thread.join()
        if self._failed is not None:
            raise self._failed
        return well, swallowed

    def _taps(self, anchors: list[Endpoint], count: int) -> list[float]:
        wall, pause, times = self._wall, threading.Event(), list[float]()
        broker = wall.config.settings.broker
        targets = Targets(Endpoint(broker.host, broker.port), tuple(anchors), every_s=1)
        prober = Prober(Surroundings(targets, None, print), 1, wall.inbox.put, wall.read, print)
        try:
            for number in range(count):
                person = PEOPLE[number % len(PEOPLE)]
                direction = tuple(Direction)[number // len(PEOPLE) % 2]
                uid = bytes.fromhex(person.uid)
                prober.look()
                pause.wait(BETWEEN_S)
                self._shown.clear()
                now = wall.read()
                began_s = time.perf_counter()
                wall.inbox.put(Pressed(direction, now))
                wall.inbox.put(CardRead(READER, uid, now))
                assert self._shown.wait(10.0), "no light"
                times.append(self._shown_s - began_s)
                wall.inbox.put(CardGone(READER, uid))
        finally:
            prober.close()
        return times

    def show(self, view: View) -> None:
        """Note the moment a stamp is shown."""
        if view.stamp is not None and not self._shown.is_set():
            self._shown_s = time.perf_counter()
            self._shown.set()

    def close(self) -> None:
        """Nothing to darken."""


@contextlib.contextmanager
def _anchor(*, full: bool) -> Iterator[Endpoint]:
    """A host of the loopback; a `full` one has no room for another connection and says nothing."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0 if full else 4096)
        door = listener.getsockname()
        if full:
            # The kernel drops what comes beyond its queue, as a black hole does.
            for _ in range(4):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(door)
        yield Endpoint(*door)


def _p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[98]
