"""SIGKILL for the terminal, the gateway and the broker, at random moments and at full load."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.demo.people import LATE, PEOPLE
from tests.demo.tally import Tally, count
from tests.demo.world import BETWEEN_PEOPLE_S, serves
from tests.fire.crowd import Crowd
from tests.fire.people import enrol
from tests.fire.world import FireWorld
from tests.support.waiting import wait_for

CROWD = 60
# How long everything is left alone between two kills, and how long a killed one stays dead.
ALONE_S_MAX = 1.0
DEAD_S_MAX = 0.4
# Most kills wait until taps flow to the ONSS again; the others hit whoever is still getting up.
WHILE_GETTING_UP = 0.25
FLOWS_TIMEOUT_S = 60.0
SETTLE_TIMEOUT_S = 180.0


@dataclass(frozen=True, slots=True)
class Burnt:
    """What was done, and what it came to."""

    seed: int
    kills: int
    terminal: int
    gateway: int
    broker: int
    while_getting_up: int
    seconds: int
    tally: Tally

    def line(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))


def burn(folder: Path, kills: int, seed: int, say: Callable[[str], None]) -> Burnt:
    """Open a world, kill `kills` times, let it settle, end it, and count as the demo does."""
    world = FireWorld(folder, say)
    began_s = time.monotonic()
    try:
        world.open((*PEOPLE, LATE))
        crowd = Crowd(world, enrol(folder, CROWD))
        try:
            victims, early = _kill(world, crowd, kills, random.Random(seed), say)
        finally:
            crowd.stop()
        _last_words(world)
        say("waiting until every stamp is confirmed by the ONSS")
        wait_for(lambda: _settled(world), "every stamp to be accepted", SETTLE_TIMEOUT_S)
    finally:
        world.close()
    tally = count(world.terminal_folder, world.ledger, world.sandbox_db)
    return Burnt(
        seed=seed,
        kills=kills,
        terminal=victims["terminal"],
        gateway=victims["gateway"],
        broker=victims["broker"],
        while_getting_up=early,
        seconds=round(time.monotonic() - began_s),
        tally=tally,
    )


def _kill(
    world: FireWorld, crowd: Crowd, kills: int, dice: random.Random, say: Callable[[str], None]
) -> tuple[Counter[str], int]:
    pause = threading.Event()
    victims: Counter[str] = Counter()
    early = 0
    for number in range(1, kills + 1):
        if dice.random() < WHILE_GETTING_UP:
            early += 1
        else:
            _flows(crowd)
        pause.wait(dice.uniform(0, ALONE_S_MAX))
        victim = dice.choice((world.terminal, world.gateway, world.broker))
        if not victim.running:
            raise AssertionError(
                f"{victim.name} ended by itself:\n{victim.log.read_text()[-2000:]}"
            )
        victim.kill()
        victims[victim.name] += 1
        pause.wait(dice.uniform(0, DEAD_S_MAX))
        victim.start(lambda: True)
        say(
            f"{number}/{kills}: {victim.name} killed; "
            f"{crowd.promised} stamps promised, {crowd.accepted} at the ONSS"
        )
    return victims, early


def _flows(crowd: Crowd) -> None:
    """Wait until new stamps are promised and reach the ONSS."""
    promised, accepted = crowd.promised, crowd.accepted
    wait_for(
        lambda: crowd.promised > promised and crowd.accepted > accepted,
        f"taps to flow again beyond {promised} promised, {accepted} accepted",
        FLOWS_TIMEOUT_S,
    )


def _last_words(world: FireWorld) -> None:
    """After all that, the reader on its chip must have come back by itself."""
    quiet = threading.Event()
    wait_for(lambda: serves(world.buttons) and serves(world.door), "the terminal to serve", 30.0)
    for direction in ("in", "out", "in"):
        quiet.wait(BETWEEN_PEOPLE_S)
        world.tap(LATE, direction)


def _settled(world: FireWorld) -> bool:
    world.promises.read()
    return world.promises.identities <= world.accepted_identities()
