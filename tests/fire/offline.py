"""Two hours without a network at a busy door, and then it returns while people go on tapping.

The backlog is made at full speed by a terminal whose clock is behind, so that it is old; the
terminal is killed and starts again at the right time, still cut off. Then the wire is mended.
What is tapped from then on must be at the ONSS within seconds, long before the backlog's end.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from tests.demo.tally import Tally, count
from tests.fire.people import Cleaner, enrol
from tests.fire.world import FireWorld
from tests.support.waiting import wait_for

AGO_S = 7200.0
OLD_MS = 3_600_000
EARLIER = 100
FRESH = 50
FRESH_EVERY_S = 0.25
SAY_EVERY_S = 5.0
AT_ONCE = 20
# Handed to the terminal and not promised yet.
AHEAD_MAX = 100


@dataclass(frozen=True, slots=True)
class Drained:
    """`fresh` taps made while the backlog drained; how many of them came before its last one."""

    backlog: int
    fresh: int
    fresh_first: int
    fresh_s_median: float
    fresh_s_max: float
    backlog_s: float
    tally: Tally

    def line(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))


def drain(folder: Path, taps: int, say: Callable[[str], None]) -> Drained:
    """Make `taps` offline, mend the wire, tap on until the backlog is at the ONSS, and count."""
    world = FireWorld(folder, say)
    try:
        world.open((), with_terminal=False)
        people = enrol(folder, EARLIER + FRESH)
        earlier, fresh = people[:EARLIER], people[EARLIER:]
        _hear_who_is_who(world, fresh[0])
        world.wire.cut()
        world.set_clock_behind(AGO_S)
        world.start_terminal()
        say(f"{taps} taps are made without a network")
        tap_offline(world, earlier, taps)
        world.terminal.kill()
        world.set_clock_behind(0.0)
        world.start_terminal()
        say("the network is back, and people go on tapping")
        mended_s = time.time()
        world.wire.mend()
        _tap_on(world, fresh, taps, say)
        wait_for(
            lambda: world.accepted() >= world.promises.read(), "every stamp to be accepted", 60.0
        )
    finally:
        world.close()
    tally = count(world.terminal_folder, world.ledger, world.sandbox_db)
    return _drained(world.sandbox_db, mended_s, tally)


def _hear_who_is_who(world: FireWorld, person: Cleaner) -> None:
    """A first start with the network: binding and roster arrive, and are kept."""
    world.start_terminal()
    roster = world.terminal_folder / "state" / "roster.sealed"
    wait_for(roster.exists, "the roster to arrive")
    wait_for(lambda: world.tap_fast([person]) and world.promises.read(), "a first stamp")
    world.terminal.stop()


def tap_offline(world: FireWorld, people: list[Cleaner], taps: int) -> None:
    """Make so many taps as fast as they are promised."""
    around = cycle(people)
    before = world.promises.read()
    made = 0
    while made < taps:
        enough = before + made - AHEAD_MAX
        wait_for(partial(_promised, world, enough), "taps to be promised", 30.0)
        made += world.tap_fast(list(islice(around, min(AT_ONCE, taps - made))))
    wait_for(lambda: world.promises.read() >= before + taps, f"{taps} promises", 30.0)


def _promised(world: FireWorld, enough: int) -> bool:
    return world.promises.read() > enough


def _tap_on(
    world: FireWorld, people: list[Cleaner], backlog: int, say: Callable[[str], None]
) -> None:
    """Tap four times a second until the backlog is at the ONSS."""
    pause = threading.Event()
    around = cycle(people)
    told_s = time.monotonic()
    end_s = told_s + 60 + backlog / 30
    while (there := _backlog_there(world.sandbox_db)) < backlog:
        world.tap_fast([next(around)])
        pause.wait(FRESH_EVERY_S)
        if time.monotonic() - told_s > SAY_EVERY_S:
            told_s = time.monotonic()
            say(f"{there} of {backlog} at the ONSS")
        if time.monotonic() > end_s:
            raise AssertionError(f"only {there} of {backlog} at the ONSS")


def _backlog_there(sandbox: Path) -> int:
    db = sqlite3.connect(f"file:{sandbox}?mode=ro", uri=True)
    try:
        old = f"SELECT count(*) FROM registration WHERE received_ms - instant_us / 1000 > {OLD_MS}"
        return int(db.execute(old).fetchone()[0])
    finally:
        db.close()


def _rows(sandbox: Path) -> list[tuple[float, float]]:
    """Of each registration, oldest first: when the tap was, and when it was registered."""
    db = sqlite3.connect(f"file:{sandbox}?mode=ro", uri=True)
    try:
        select = "SELECT instant_us / 1e6, received_ms / 1e3 FROM registration ORDER BY id"
        return db.execute(select).fetchall()
    finally:
        db.close()


def _drained(sandbox: Path, mended_s: float, tally: Tally) -> Drained:
    rows = _rows(sandbox)
    old = {n for n, (at, received) in enumerate(rows) if (received - at) * 1000 > OLD_MS}
    last = max(old)
    fresh = [
        (index, received - at)
        for index, (at, received) in enumerate(rows)
        if mended_s < at < rows[last][1] and index not in old
    ]
    waits = [wait for _, wait in fresh]
    return Drained(
        backlog=len(old),
        fresh=len(fresh),
        fresh_first=sum(1 for index, _ in fresh if index < last),
        fresh_s_median=round(statistics.median(waits), 3),
        fresh_s_max=round(max(waits), 3),
        backlog_s=round(rows[last][1] - mended_s, 1),
        tally=tally,
    )
