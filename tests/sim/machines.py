"""The machines: production programs over real SQLite, started, crashed and started again."""

from __future__ import annotations

import random
import tomllib
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from ciao.journal import Owner
from ciao.keys import load_sealing_key, load_signing_key
from ciao.link import LinkEvent, Publish
from ciao.names import GATEWAY_PREFIX, cosigner_name, enrolled_key_name
from ciao.notes import Signer, VerifierKey
from ciao.sealing import key_id
from gateway.core import SUBSCRIPTIONS, Edges, Gateway, Settings
from gateway.events import Answered, Consult, Consulted, Event, Submit
from gateway.ledger import migrate
from hardware.events import HardwareEvent
from hardware.panel import View
from provisioning.registry.registry import Registry
from terminal.core import Identity, Terminal
from terminal.held import Held, Trust
from terminal.recent import Recent
from terminal.stamp import Sealing
from tests.sim.agenda import Agenda
from tests.sim.clocks import HostClock
from tests.sim.disaster import Crash, Fate, MortalJournal, MortalLedger
from tests.sim.network import Broker, Session
from tests.sim.office import DOMAIN, GATEWAY
from tests.sim.onss import Onss
from tests.sim.sealing import twin_open, twin_sealer

TICK_MS = 500
RESTART_MS = (200, 5_000)
ANSWER_MS = (20, 400)
SETTLING_S = 8.0


class Machine(ABC):
    """What every host of the simulation has: a clock, a session, a tick, and mortality."""

    def __init__(self, name: str, agenda: Agenda, rng: random.Random, broker: Broker) -> None:
        self.name = name
        self.agenda = agenda
        self.rng = rng
        self.broker = broker
        self.clock = HostClock(agenda, self._boot())
        self.fate = Fate(random.Random(rng.random()))
        self.session: Session | None = None
        self.crashes = 0

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.session is not None

    def start(self) -> None:
        """Start the program on what is on its disk."""
        try:
            self._begin()
        except Crash:
            self._die()
            return
        generation = self.session
        self.agenda.after(TICK_MS, lambda: self._tick(generation))

    def crash(self) -> None:
        """SIGKILL, now; a restart comes by itself."""
        if self.alive:
            self._die()

    def attempt(self, work: Callable[[], None]) -> None:
        """Do something in the program, unless it is dead; it may die of it."""
        if not self.alive:
            return
        try:
            work()
        except Crash:
            self._die()

    def _die(self) -> None:
        self.crashes += 1
        if self.session is not None:
            self.broker.leave(self.session)
            self.session = None
        self._end()
        if self.rng.random() < 0.3:
            self.clock.reboot(self._boot())
        self.agenda.after(self.rng.randint(*RESTART_MS), self.start)

    def _tick(self, generation: Session | None) -> None:
        if self.session is generation and generation is not None:
            self.attempt(self._idle)
            self.agenda.after(TICK_MS, lambda: self._tick(generation))

    def _boot(self) -> str:
        return str(uuid.UUID(bytes=self.rng.randbytes(16), version=4))

    @abstractmethod
    def _begin(self) -> None:
        """Build the program and its session."""

    @abstractmethod
    def _idle(self) -> None:
        """Step without an event."""

    @abstractmethod
    def _end(self) -> None:
        """Let its files go."""


class TerminalMachine(Machine):
    """One terminal; `promised` is what its panel ever showed as recorded."""

    def __init__(
        self, name: str, folder: Path, agenda: Agenda, rng: random.Random, broker: Broker
    ) -> None:
        super().__init__(name, agenda, rng, broker)
        self.folder = folder
        self.promised: dict[tuple[str, int], str] = {}
        self._seal = twin_sealer(rng.randbytes)
        settings = tomllib.loads((folder / "terminal.toml").read_text())
        self._provisioning = VerifierKey.parse(settings["provisioning_key"])
        self._program: Terminal | None = None
        self._files: list[Callable[[], None]] = []

    def happens(self, event: HardwareEvent | LinkEvent) -> None:
        """Something happens at the door, or arrives."""
        self.attempt(lambda: self._step([event]))

    def _begin(self) -> None:
        enrolled = Signer(
            enrolled_key_name(DOMAIN, self.name), load_signing_key(self.folder / "enrolled.pem")
        )
        state = self.folder / "state"
        owner = Owner(DOMAIN, self.name, enrolled)
        journal = MortalJournal(self.fate, state / "journal", owner, self.rng.randbytes)
        state.mkdir(exist_ok=True)
        recent = Recent(state / "recent.db")
        self._files = [journal.close, recent.close]
        trust = Trust(self.name, self._provisioning, load_sealing_key(self.folder / "seal.pem"))
        identity = Identity(
            self.name, enrolled, ("main",), "fr", ZoneInfo("Europe/Brussels"), "sim"
        )
        sealing = Sealing(self._seal, self.rng.randbytes)
        program = self._program = Terminal(identity, journal, Held(state, trust), recent, sealing)
        effects = program.start(self.clock.read())
        exchange = program.exchange
        self.session = Session(
            self.name, self.happens, exchange.subscriptions(), exchange.presence(online=False)
        )
        self._carry_out(effects)
        self.broker.join(self.session)

    def _idle(self) -> None:
        self._step([])

    def _end(self) -> None:
        for close in self._files:
            close()
        self._files = []
        self._program = None

    def _step(self, events: list[HardwareEvent | LinkEvent]) -> None:
        program = self._program
        assert program is not None
        now = self.clock.read()
        self._carry_out(program.step(now, events))
        while program.has_more(now):
            self._carry_out(program.step(now, []))

    def _carry_out(self, effects: list[View | Publish]) -> None:
        assert self.session is not None
        for effect in effects:
            if isinstance(effect, View):
                stamp = effect.stamp
                if stamp is not None:
                    self.promised[stamp.origin, stamp.seq] = stamp.direction
            else:
                self.broker.publish(self.session, effect)


class GatewayMachine(Machine):
    """One gateway, with its calls to the ONSS."""

    def __init__(
        self, folder: Path, agenda: Agenda, rng: random.Random, broker: Broker, onss: Onss
    ) -> None:
        super().__init__(GATEWAY_PREFIX + GATEWAY, agenda, rng, broker)
        self.folder = folder
        self.ledger_path = folder / "ledger.db"
        self._onss = onss
        hpke = load_sealing_key(folder / "gateway" / "hpke.pem").public_key().public_bytes_raw()
        self._edges = Edges(
            cosigner=Signer(
                cosigner_name(DOMAIN, GATEWAY),
                load_signing_key(folder / "gateway" / "cosigner.pem"),
            ),
            openers={key_id(hpke): partial(twin_open, hpke)},
            seal_answer=lambda plaintext, _info: plaintext,
            new_uuid=lambda: str(uuid.UUID(bytes=rng.randbytes(16), version=4)),
        )
        self.cosigner = self._edges.cosigner.verifier().public
        self._program: Gateway | None = None
        self._files: list[Callable[[], None]] = []

    def happens(self, event: Event) -> None:
        """Something arrives."""
        self.attempt(lambda: self._step([event]))

    def _begin(self) -> None:
        migrate(self.ledger_path)
        registry = Registry.open(self.folder / "registry.db", self.folder / "registry.key")
        ledger = MortalLedger.open(self.ledger_path)
        ledger.fate = self.fate
        self._files = [ledger.close, registry.close]
        program = self._program = Gateway(
            ledger, registry, self._edges, Settings(GATEWAY, settling_s=SETTLING_S)
        )
        will = program.presence(self.clock.read(), online=False)
        self.session = Session(self.name, self.happens, SUBSCRIPTIONS, will)
        self.broker.join(self.session)

    def _idle(self) -> None:
        self._step([])

    def _end(self) -> None:
        for close in self._files:
            close()
        self._files = []
        self._program = None

    def _step(self, events: list[Event]) -> None:
        program = self._program
        assert program is not None
        self._carry_out(program, events)
        while program.busy:
            self._carry_out(program, [])

    def _carry_out(self, program: Gateway, events: list[Event]) -> None:
        session = self.session
        assert session is not None
        for effect in program.step(self.clock.read(), events):
            match effect:
                case Publish():
                    self.broker.publish(session, effect)
                case Submit() | Consult():
                    self._call(session, effect)

    def _call(self, session: Session, effect: Submit | Consult) -> None:
        """The call reaches the ONSS even where the gateway that made it dies meanwhile."""

        def arrive() -> None:
            event: Event
            if isinstance(effect, Submit):
                answer = self._onss.register(effect.items, effect.trace_id)
                event = Answered(effect.attempt, answer)
            else:
                answer = self._onss.search(effect.query, effect.trace_id)
                event = Consulted(effect.tap, answer)
            self.agenda.after(self.rng.randint(*ANSWER_MS), lambda: deliver(event))

        def deliver(event: Event) -> None:
            if self.session is session:
                self.happens(event)

        self.agenda.after(self.rng.randint(*ANSWER_MS), arrive)
