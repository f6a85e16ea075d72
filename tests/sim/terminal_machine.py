"""One terminal of the simulation: the production program over its real files."""

from __future__ import annotations

import json
import random
import sqlite3
import tomllib
from collections.abc import Callable
from pathlib import Path

from ciao.journal import Owner
from ciao.link import Publish
from ciao.names import enrolled_key_name
from ciao.notes import Signer, VerifierKey
from hardware.panel import StampShown, View
from terminal.core import Effect, Event, Identity, Terminal
from terminal.held import Trust
from terminal.recent import Recent
from terminal.stamp import Sealing
from terminal.watch import Look
from tests.sim.agenda import Agenda
from tests.sim.clocks import ZONE
from tests.sim.disaster import MortalHeld, MortalJournal
from tests.sim.machine import Machine
from tests.sim.network import Broker, Session
from tests.sim.office import DOMAIN, TERMINALS, sealing_key, signing_key, template
from tests.sim.prober import Around, Prober
from tests.sim.reading import rows
from tests.sim.sealing import twin_sealer
from tests.sim.truth import Promise, Truth


class TerminalMachine(Machine):
    """One terminal; what its panel ever showed as recorded goes into the truth."""

    def __init__(
        self,
        name: str,
        folder: Path,
        agenda: Agenda,
        rng: random.Random,
        broker: Broker,
        truth: Truth,
        eyes: random.Random,
    ) -> None:
        super().__init__(name, agenda, rng, broker)
        self.state = folder / "state"
        self.lanes = TERMINALS[name] == "lanes"
        self.in_field: dict[str, str] = {}
        self.around = Around(lambda: broker.is_stopped)
        self._eyes = eyes
        self._prober: Prober | None = None
        self._truth = truth
        self._seal = twin_sealer(rng.randbytes)
        home = template() / name
        settings = tomllib.loads((home / "terminal.toml").read_text())
        self._provisioning = VerifierKey.parse(settings["provisioning_key"])
        self._enrolled = Signer(enrolled_key_name(DOMAIN, name), signing_key(home / "enrolled.pem"))
        self._seal_key = sealing_key(home / "seal.pem")
        self._program: Terminal | None = None
        self._journal: MortalJournal | None = None
        self._files: list[Callable[[], None]] = []

    def happens(self, event: Event) -> None:
        """Something happens at the door, or arrives."""
        self.attempt(lambda: self._step([event]))

    @property
    def settled(self) -> int | None:
        """Return how much it wrote, if a receipt covers all of it; else None."""
        journal = self._journal
        if not self.alive or journal is None or journal.settled != journal.size:
            return None
        return journal.size

    @property
    def origin(self) -> str:
        """Return the name of the segment that it writes."""
        assert self._journal is not None
        return self._journal.origin

    def _begin(self) -> None:
        owner = Owner(DOMAIN, self.name, self._enrolled)
        journal = MortalJournal(self.fate, self.state / "journal", owner, self.rng.randbytes)
        recent = Recent(self.state / "recent.db")
        self._files = [journal.close, recent.close]
        trust = Trust(self.name, self._provisioning, self._seal_key)
        readers = ("in", "out") if self.lanes else ("main",)
        identity = Identity(self.name, self._enrolled, readers, "fr", ZONE, "sim")
        sealing = Sealing(self._seal, self.rng.randbytes)
        held = MortalHeld(self.fate, self.state, trust)
        program = self._program = Terminal(identity, journal, held, recent, sealing)
        self._journal = journal
        effects = program.start(self.clock.read())
        exchange = program.exchange
        self.session = Session(
            self.name, self.happens, exchange.subscriptions(), exchange.presence(online=False)
        )
        self._prober = Prober(self.agenda, self._eyes, self.around, self.happens, self.clock.read)
        self._carry_out(effects)
        self.broker.join(self.session)

    def _idle(self) -> bool:
        return self._step([])

    def _farewell(self) -> None:
        assert self._program is not None
        self._carry_out([self._program.stop(self.clock.read())])

    def _end(self) -> None:
        if self._prober is not None:
            self._prober.close()
            self._prober = None
        for close in self._files:
            close()
        self._files = []
        self._program = self._journal = None

    def _step(self, events: list[Event]) -> bool:
        program = self._program
        assert program is not None
        now = self.clock.read()
        acted = self._carry_out(program.step(now, events))
        while program.has_more(now):
            acted |= self._carry_out(program.step(now, []))
        return acted

    def _carry_out(self, effects: list[Effect]) -> bool:
        assert self.session is not None
        for effect in effects:
            if isinstance(effect, View) and effect.stamp is not None:
                self._promised(effect.stamp)
            elif isinstance(effect, Publish):
                self.broker.publish(self.session, effect)
            elif isinstance(effect, Look) and self._prober is not None:
                self._prober.look()
        return bool(effects)

    def _promised(self, stamp: StampShown) -> None:
        """A light went on: look whether what it says is committed, as another process sees it."""
        found = self._committed(stamp.origin, stamp.seq)
        leaf = json.loads(found) if found else {}
        if leaf.get("kind") != "tap":
            words = f"{stamp.origin} {stamp.seq} was shown and is not on the disk"
            self._truth.early.append(("shown", words))
            return
        made = Promise(
            self.name, stamp.origin, stamp.seq, stamp.direction, len(self._truth.promises)
        )
        self._truth.promises.setdefault(leaf["payload"], made)

    def _committed(self, origin: str, seq: int) -> bytes | None:
        for path in (self.state / "journal").glob(f"*-{origin.rpartition('/')[2]}.db"):
            try:
                found = rows(path, "SELECT leaf FROM entry WHERE seq = ?", seq)
            except sqlite3.DatabaseError:
                continue
            if found:
                return bytes(found[0][0])
        return None
