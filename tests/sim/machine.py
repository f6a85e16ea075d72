"""What every host of the simulation has: a clock, a session, a tick, and mortality."""

from __future__ import annotations

import random
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable

from ciao.journal import StoreFailed
from tests.sim.agenda import Agenda
from tests.sim.clocks import HostClock
from tests.sim.disaster import Crash, Fate
from tests.sim.network import Broker, Session

# A tick follows soon after whatever happened; where nothing does, ticks become rare.
TICK_MS_MIN = 400
TICK_MS_MAX = 6_400
RESTART_MS = (200, 5_000)


class Machine(ABC):
    """One host: started, crashed and started again on what is on its disk."""

    def __init__(self, name: str, agenda: Agenda, rng: random.Random, broker: Broker) -> None:
        self.name = name
        self.agenda = agenda
        self.rng = rng
        self.broker = broker
        self.clock = HostClock(agenda, self._boot())
        self.fate = Fate(random.Random(rng.random()))
        self.session: Session | None = None
        self.crashes = 0
        # When it ran, from and until, in true ms since the run began.
        self.lives: list[tuple[int, int]] = []
        self._began_ms = 0
        self._powerless = 0
        self._tick_ms = TICK_MS_MIN
        self._due_ms: int | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.session is not None

    def start(self) -> None:
        """Start the program on what is on its disk."""
        if self.alive or self._powerless:
            return
        self._began_ms = self.agenda.now_ms
        try:
            self._begin()
        except (Crash, StoreFailed):
            self._die()
            return
        self._due_ms = None
        self._soon()

    def crash(self) -> None:
        """SIGKILL, now; a restart comes by itself."""
        if self.alive:
            self._die()

    def leave(self) -> None:
        """SIGTERM, now: a farewell, then a restart by itself."""
        self.attempt(self._farewell)
        self.crash()

    def lose_power(self) -> None:
        """The power goes, until `power_back` was called as often."""
        self._powerless += 1
        if self.alive:
            self.crashes += 1
            self.end()

    def power_back(self) -> None:
        """The power is back: another boot."""
        self._powerless -= 1
        self.clock.reboot(self._boot())
        self.start()

    def attempt(self, work: Callable[[], object]) -> None:
        """Do something in the program, unless it is dead; it may die of it."""
        if not self.alive:
            return
        self._soon()
        try:
            work()
        except Crash:
            self._die()

    def end(self) -> None:
        """The simulation is over."""
        if self.session is not None:
            self.broker.leave(self.session)
            self.session = None
            self.lives.append((self._began_ms, self.agenda.now_ms))
        self._end()

    def _die(self) -> None:
        self.crashes += 1
        self.end()
        if self.rng.random() < 0.3:
            self.clock.reboot(self._boot())
        self.agenda.after(self.rng.randint(*RESTART_MS), self.start)

    def _soon(self) -> None:
        self._tick_ms = TICK_MS_MIN
        self._schedule()

    def _schedule(self) -> None:
        due_ms = self.agenda.now_ms + self._tick_ms
        if self._due_ms is None or due_ms < self._due_ms:
            self._due_ms = due_ms
            session = self.session
            self.agenda.at(due_ms, lambda: self._tick(session, due_ms))

    def _tick(self, session: Session | None, due_ms: int) -> None:
        if self.session is not session or session is None or self._due_ms != due_ms:
            return
        self._due_ms = None
        pace_ms = min(self._tick_ms * 2, TICK_MS_MAX)
        try:
            acted = self._idle()
        except Crash:
            self._die()
            return
        self._tick_ms = TICK_MS_MIN if acted else pace_ms
        self._schedule()

    def _boot(self) -> str:
        return str(uuid.UUID(bytes=self.rng.randbytes(16), version=4))

    @abstractmethod
    def _begin(self) -> None:
        """Build the program and its session."""

    @abstractmethod
    def _idle(self) -> bool:
        """Step without an event; say whether that had an effect."""

    @abstractmethod
    def _farewell(self) -> None:
        """Say goodbye."""

    @abstractmethod
    def _end(self) -> None:
        """Let its files go, as they are at that moment."""
