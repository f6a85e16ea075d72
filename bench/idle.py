"""The terminal as a process: memory, what it costs while nobody comes, start to first tap."""

from __future__ import annotations

import compileall
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from bench.door import Door, place
from bench.figures import Figure, Options, timed
from bench.machine import cpu_s, memory
from tests.demo.people import ANNA, BRAM, PEOPLE
from tests.demo.world import World
from tests.support.waiting import wait_for

STARTS = 10
IDLE_S = 30.0
TAPS = 6
LIVED = 2_000


def run(options: Options) -> Iterator[Figure]:
    """Measure a terminal with its reader polled, connected to a gateway."""
    # In service its modules are compiled; not so where nothing may be written beside them.
    for package in ("ciao", "hardware", "terminal"):
        compileall.compile_dir(package, quiet=1)
    seconds = IDLE_S / 3 if options.quick else IDLE_S
    with tempfile.TemporaryDirectory(prefix="ciao-") as name:
        world = World(Path(name), lambda _text: None)
        try:
            world.open(PEOPLE)
            for number in range(TAPS):
                world.tap(PEOPLE[number % 3], ("in", "out")[number // 3 % 2])
            pid = world.terminal.pid
            found = memory(pid)
            idle = _idle(pid, seconds)
            starts = [_start(world, n) for n in range(STARTS // 3 if options.quick else STARTS)]
        finally:
            world.close()
    way = "resident, after some taps, connected; libraries shared with others count too"
    yield Figure("terminal's memory, without panel", found.resident_mb, "MB", 45, way)
    yield Figure("of that its own", found.private_mb, "MB", None, "private pages")
    way = f"what a journal's process grows by while it lives, {LIVED:,} entries"
    yield Figure("memory that living adds", _lived(), "MB", 0.5, way)
    way = f"of a core over {seconds:.0f} s, ten looks a second on the emulated PN532"
    yield Figure("idle CPU", idle * 100, "%", 3, way)
    way = f"median of {len(starts)}: from exec to the light of a tap by somebody who waits; killed"
    yield Figure("start to first tap", statistics.median(s for s, _ in starts), "s", 1, way)
    way = "`python -c pass`, taken in turn, medians"
    yield Figure(
        "start to first tap, against a bare Python",
        statistics.median(s for s, _ in starts) / statistics.median(bare for _, bare in starts),
        "times",
        None,
        way,
    )


def _lived() -> float:
    """Return how many MB more a process has after many entries than after few."""
    with place() as folder:
        door = Door(folder)
        for _ in range(LIVED // 10):
            door.live()
        before = memory(os.getpid()).resident_mb
        for _ in range(LIVED):
            door.live()
        return memory(os.getpid()).resident_mb - before


def _idle(pid: int, seconds: float) -> float:
    """Return the share of a core that the process uses while nobody comes."""
    threading.Event().wait(2.0)
    began_s, before_s = time.perf_counter(), cpu_s(pid)
    threading.Event().wait(seconds)
    return (cpu_s(pid) - before_s) / (time.perf_counter() - began_s)


def _start(world: World, number: int) -> tuple[float, float]:
    """Kill the terminal, start it, press and lay a badge as soon as it invites; return seconds.

    Until the light; and how long Python alone takes to start at this moment.
    """
    world.terminal.kill()
    bare_s = timed(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))
    before = len(world.promised())
    person, direction = (ANNA, BRAM)[number % 2], ("in", "out")[number // 2 % 2]
    began_s = time.perf_counter()
    world.start_terminal()
    world.press(direction)
    world.lay(person)
    wait_for(lambda: world.promised()[before:], "the first tap's light")
    taken_s = time.perf_counter() - began_s
    world.lift()
    return taken_s, bare_s
