"""A day at one door, played without a person: what `./dev demo --once` does before it counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from tests.demo.people import ANNA, BRAM, CARL, LATE, PEOPLE
from tests.demo.tally import Tally, count
from tests.demo.world import World
from tests.support.waiting import wait_for

SETTLE_TIMEOUT_S = 60.0


def play(world: World, say: Callable[[str], None]) -> Tally:
    """Open the world, live the day, end every process, and count."""
    try:
        world.open(PEOPLE)
        _live(world, say)
        say("waiting until every stamp is confirmed by the ONSS")
        wait_for(lambda: _settled(world), "every stamp to be accepted", SETTLE_TIMEOUT_S)
    finally:
        world.close()
    return count(world.terminal_folder, world.ledger, world.sandbox_db)


def _live(world: World, say: Callable[[str], None]) -> None:
    say("morning: three people of two companies come IN")
    for person in PEOPLE:
        world.tap(person, "in")
    say("break: Anna goes OUT and comes back IN")
    world.tap(ANNA, "out")
    world.tap(ANNA, "in")
    say("the network is cut; Bram and Carl take their break, stored on the terminal")
    world.wire.cut()
    world.tap(BRAM, "out")
    world.tap(CARL, "out")
    say("the network is back")
    world.wire.mend()
    world.tap(BRAM, "in")
    say("the gateway is killed; Carl comes back IN meanwhile")
    world.gateway.kill()
    world.tap(CARL, "in")
    world.start_gateway()
    say("the ONSS stores Anna's OUT, and its answer is lost")
    world.fault(fault="drop_after_storing", count=1)
    world.tap(ANNA, "out")
    say("the terminal is killed, and started again")
    world.terminal.kill()
    world.start_terminal()
    world.tap(BRAM, "out")
    say("Dana taps with a badge that nobody enrolled; it is enrolled afterwards")
    world.tap(LATE, "in")
    world.office.add_person(LATE)
    world.tap(CARL, "out")
    world.tap(LATE, "out")


def _settled(world: World) -> bool:
    """Whether the gateway says of every promised stamp that the ONSS has it."""
    promised = set(world.promised())
    return promised <= set(accepted(world.ledger))


def accepted(ledger: Path) -> list[tuple[str, int]]:
    """The identities a ledger says are at the ONSS; read-only, beside the gateway that writes."""
    db = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
    try:
        return db.execute(
            "SELECT first_origin, first_seq FROM tap"
            " WHERE state IN ('accepted', 'valid', 'remarked')"
        ).fetchall()
    finally:
        db.close()
