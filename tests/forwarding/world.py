"""A gateway, two employers, two terminals, six people and an ONSS: what runs of it are made of."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from joserfc.jwk import RSAKey

from ciao.link import Connected
from gateway.core import Edges, Gateway, Settings
from gateway.events import Answered, Consult, Consulted, Effect, Event, Submit, Tick
from gateway.forwarding.submitting import Limits
from gateway.ledger import Ledger, migrate
from tests.forwarding.way import Way
from tests.forwarding.wire import Peer
from tests.gateway import twins
from tests.gateway.sealer import SEALER
from tests.gateway.twins import Badge, Journal

EMPLOYERS = ("shiny", "sparkle")
TERMINALS = ("hall-3", "hall-9")
# Made up; valid by their check digits only.
PEOPLE = {f"{n:09d}{97 - n % 97:02d}": EMPLOYERS[n % 2] for n in range(1, 7)}
COMPANIES = (twins.COMPANY, "0000000196")
SETTLING_S = 60.0
# Retries wait up to 15 minutes, validity is asked for again for 11 days.
REST_S = 120
RESTS_MAX = 400

# A gateway that is killed here loses no power, so a disk would only cost time.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@cache
def keys() -> dict[str, RSAKey]:
    return {employer: RSAKey.generate_key(2048) for employer in EMPLOYERS}


@cache
def empty_ledger() -> bytes:
    with tempfile.TemporaryDirectory(prefix="ciao-") as folder:
        path = Path(folder) / "ledger.db"
        migrate(path)
        return path.read_bytes()


class World:
    """One run's programs and files. The ONSS is real, over a `way`; time is moved."""

    def __init__(self, way: Way, limits: Limits) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ciao-", dir=MEMORY))
        self.ledger_path = self.folder / "ledger.db"
        self.ledger_path.write_bytes(empty_ledger())
        self.second = 0.0
        self.peer = Peer(way, self.folder, self.now, keys())
        self.people = twins.TwinPeople()
        # Badges that changed hands: their taps go from one worker's line to another's.
        self.corrected: set[bytes] = set()
        self.journals = {terminal: Journal(terminal) for terminal in TERMINALS}
        for terminal in TERMINALS:
            self.people.add_terminal(terminal)
        for ssin in PEOPLE:
            self.enrol(ssin)
        self.reader = sqlite3.connect(f"file:{self.ledger_path}?mode=ro", uri=True)
        self.limits = limits
        self.starts = 0
        self.open()

    def now(self) -> float:
        return twins.at(self.second).at.timestamp()

    def pass_time(self, seconds: float) -> None:
        """Let time go by; what the service works on late is done in time."""
        self.peer.late.arrive(self.now() + seconds)
        self.second += seconds

    def open(self) -> None:
        """Start the gateway."""
        self.starts += 1
        self.calls: list[Submit | Consult] = []
        self.arrived: list[Event] = []
        self.peer.connect()
        edges = Edges(
            twins.COSIGNER,
            twins.OPENERS,
            SEALER,
            twins.uuids(str(self.starts)),
        )
        self.ledger = Ledger.open(self.ledger_path)
        settings = Settings(twins.GATEWAY, self.limits, SETTLING_S)
        self.gateway = Gateway(self.ledger, self.people, edges, settings)
        self.step(Connected())
        self.pass_time(2)
        self.step(Tick())

    def step(self, *events: Event) -> list[Effect]:
        effects = self.gateway.step(twins.at(self.second), events)
        self.calls += [one for one in effects if isinstance(one, Submit | Consult)]
        return effects

    def tick(self, seconds: float) -> None:
        """Let time go by, and the gateway work."""
        self.pass_time(seconds)
        self.step(Tick())

    def bring(self, terminal: str) -> None:
        """A terminal sends all that it has; what is held already comes again."""
        if self.journals[terminal].size:
            self.step(self.journals[terminal].message())
        while self.gateway.busy:
            self.step()

    def make(self, call: Submit | Consult) -> None:
        """A worker makes a call; its answer is not heard yet."""
        client = self.peer.clients[call.employer]
        if isinstance(call, Submit):
            self.arrived.append(Answered(call.attempt, client.register(call.items, call.trace_id)))
        else:
            self.arrived.append(Consulted(call.tap, client.search(call.query, call.trace_id)))

    def call(self, many: int) -> None:
        for _ in range(min(many, len(self.calls))):
            self.make(self.calls.pop(0))

    def hear(self) -> None:
        arrived, self.arrived = self.arrived, []
        self.step(*arrived)

    def kill(self) -> None:
        """The gateway dies: what it had begun and what it had not heard yet is gone."""
        self.ledger.close()
        self.open()

    def enrol(self, ssin: str, revoked: bool = False) -> None:
        """Make a badge somebody's."""
        worker = worker_of(ssin)
        badge = Badge(worker, ssin, employer=PEOPLE[ssin], revoked=revoked)
        self.people.enrol(uid(ssin), badge)

    def correct(self, badge: str, holder: str, company: str) -> None:
        """Find that a badge always was another's; of whose taps the order is not known then."""
        whose = Badge(worker_of(holder), holder, employer=PEOPLE[holder], company=company)
        self.people.enrol(uid(badge), whose)
        self.corrected.add(self.people.badge_hmac(uid(badge)))

    def decide(self, what: Any, tap: int) -> None:
        """A person decides on a tap, by the command."""
        with self.ledger.transaction():
            self.ledger.care.decide(what, [str(tap)], "a test", round(self.now() * 1000))

    def come_to_rest(self, refused: Sequence[str] = ()) -> bool:
        """Everything works again; hours go by. Say whether nothing is under way any more."""
        self.peer.calm(refused)
        for terminal in TERMINALS:
            self.bring(terminal)
        for _ in range(RESTS_MAX):
            while self.calls or self.arrived or self.gateway.busy:
                self.call(len(self.calls))
                self.hear()
            if not self.under_way():
                return True
            self.tick(REST_S)
        return False

    def under_way(self) -> int:
        """Count taps that are on their way still."""
        under_way = "SELECT count(*) FROM tap WHERE state IN ('recorded', 'submitted', 'unknown')"
        return int(self.rows(under_way)[0][0])

    def rows(self, select: str) -> list[tuple[Any, ...]]:
        """Read what is committed in the ledger, by other code than the product's."""
        return self.reader.execute(select).fetchall()

    def close(self) -> None:
        self.ledger.close()
        self.reader.close()
        shutil.rmtree(self.folder)


def uid(ssin: str) -> bytes:
    """A badge of one person."""
    return b"\x04" + int(ssin).to_bytes(6, "big")


def worker_of(ssin: str) -> str:
    return f"w{sorted(PEOPLE).index(ssin)}"
