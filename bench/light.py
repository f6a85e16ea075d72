"""Badge in the field → light on: nfcpy on an emulated PN532 at 115200 baud, the real program.

The driver's own time is what the chip, the wire and nfcpy take until the look that finds the
badge returns; the figure is what comes after it: debounce, stamp, seal, commit, light.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure, Options
from bench.wall import Wall
from ciao.registration import Direction
from hardware.console import ConsolePanel
from hardware.events import Pressed
from hardware.panel import View
from hardware.reader.port import Port
from hardware.reader.presence import Look
from hardware.reader.supervisor import Supervisor
from hardware.reader.thread import Reader
from tests.demo.people import ANNA, BRAM, CARL
from tests.demo.processes import Process, script
from tests.demo.world import World
from tests.support.waiting import wait_for

TAPS = 200
TAPS_QUICK = 60
PEOPLE = (ANNA, BRAM, CARL)
GONE_S = 0.5
# A badge is laid at any moment between two looks.
PHASES_S = tuple(n * 0.0137 for n in range(8))


def run(options: Options) -> Iterator[Figure]:
    """Lay badges, with the gateway and the broker there, and see how long the light takes."""
    taps = TAPS_QUICK if options.quick else TAPS
    with tempfile.TemporaryDirectory(prefix="ciao-") as name:
        world = World(Path(name), lambda _text: None)
        words = [script("ciao-emulator"), "pn532", f"--link={world.port}"]
        words += [f"--control={world.field}", "--wire=115200"]
        world.emulator = Process("emulator", words, world.folder / "logs" / "emulator.log")
        try:
            world.open(PEOPLE, with_terminal=False)
            lit = _Lit(world)
            lit.run(taps)
        finally:
            world.close()
    way = f"{taps} taps; the driver's own read time taken off; gateway and ONSS at work"
    yield Figure("light after the driver's read, p99", _p99(lit.after_s) * 1000, "ms", 10.0, way)
    median = statistics.median(lit.after_s) * 1000
    yield Figure("light after the driver's read, median", median, "ms", None, way)
    way = "the commits' own time taken off as well: what another program's flushes cost"
    rest = [after - commit for after, commit in zip(lit.after_s, lit.commit_s, strict=True)]
    yield Figure("the same, less the commit, p99", _p99(rest) * 1000, "ms", None, way)
    way = "the look that found the badge, 115200 baud"
    yield Figure("the driver's own read, p99", _p99(lit.read_s) * 1000, "ms", None, way)
    way = "with the wait for the next of ten looks a second"
    yield Figure("badge in field to light, p99", _p99(lit.whole_s) * 1000, "ms", None, way)


class _Lit:
    """The terminal's program here, with a port and a panel that note the time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.after_s: list[float] = []
        self.read_s: list[float] = []
        self.whole_s: list[float] = []
        self.commit_s: list[float] = []
        self._found: list[tuple[float, float]] = []
        self._shown_s = 0.0
        self._wall = wall = Wall(world, self)
        self._log = ConsolePanel(world.panel_log, wall.read)
        self._stopping = threading.Event()
        stop = threading.Event()
        supervisor = Supervisor(
            "main", lambda: _Port(world.port, self), wall.inbox.put, wall.read, stop
        )
        self._reader = Reader(supervisor.run, stop, "main")
        self._failed: AssertionError | None = None

    def run(self, count: int) -> None:
        """Serve, in this thread as the program does, while somebody lays badges in another."""
        people = threading.Thread(target=self._people, args=(count,))
        people.start()
        wall = self._wall
        wall.program.run(self._stopping)
        people.join()
        self._reader.close()
        self.close()
        if self._failed is not None:
            raise self._failed

    def _people(self, count: int) -> None:
        try:
            wait_for(lambda: self._wall.journal.settled > 0, "a first receipt", 30.0)
            self._taps(count)
        except AssertionError as error:
            self._failed = error
        self._stopping.set()
        self._wall.inbox.wake()

    def _taps(self, count: int) -> None:
        pause = threading.Event()
        for number in range(count):
            person = PEOPLE[number % len(PEOPLE)]
            direction = tuple(Direction)[number // len(PEOPLE) % 2]
            pause.wait(GONE_S + PHASES_S[number % len(PHASES_S)])
            self._wall.inbox.put(Pressed(direction, self._wall.read()))
            self._found.clear()
            self._shown_s = 0.0
            laid_s = time.perf_counter()
            self._world.lay(person)
            wait_for(lambda: self._shown_s, "a light")
            began_s, found_s = self._found[0]
            self.after_s.append(self._shown_s - found_s)
            self.commit_s.append(self._wall.commit_s)
            self.read_s.append(found_s - began_s)
            self.whole_s.append(self._shown_s - laid_s)
            self._world.lift()

    def found(self, began_s: float, ended_s: float) -> None:
        """A look saw a badge; the first of a tap counts."""
        self._found.append((began_s, ended_s))

    def show(self, view: View) -> None:
        """The panel: as the console's, and then note the moment."""
        self._log.show(view)
        if view.stamp is not None and not self._shown_s:
            self._shown_s = time.perf_counter()

    def close(self) -> None:
        """The panel goes dark."""
        self._log.close()


class _Port(Port):
    """The real port, which notes how long the look that found a badge took."""

    def __init__(self, path: Path, lit: _Lit) -> None:
        super().__init__(path)
        self._lit = lit

    def look(self) -> Look:
        """Look, and note it."""
        began_s = time.perf_counter()
        seen = super().look()
        if seen.seen:
            self._lit.found(began_s, time.perf_counter())
        return seen


def _p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[98]
