"""The gateway of the simulation: the production program, its ledger, its calls to the ONSS."""

from __future__ import annotations

import json
import random
import sqlite3
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from ciao.journal import Owner
from ciao.link import Publish
from ciao.names import GATEWAY_PREFIX, cosigner_name
from ciao.notes import COSIGNATURE_V1, Signer, VerifierKey
from ciao.sealing import key_id
from gateway.core import SUBSCRIPTIONS, Edges, Gateway, Settings
from gateway.events import Announced, Answered, Consult, Consulted, Event, Submit
from gateway.forwarding.submitting import Limits
from gateway.ledger import Ledger
from gateway.retention.rules import DAY_MS
from gateway.retention.rules import Settings as Retention
from gateway.watch import building
from gateway.watch.diary import Diary
from gateway.watch.events import Look, Looked
from gateway.watch.watch import Asked, Surroundings, Watch
from provisioning.registry.registry import Registry
from tests.sim.agenda import Agenda
from tests.sim.disaster import MortalJournal, MortalLedger
from tests.sim.machine import Machine
from tests.sim.network import Broker, Session
from tests.sim.office import DOMAIN, GATEWAY, sealing_key, signing_key, template
from tests.sim.onss import Onss
from tests.sim.sealing import PlainSealer, twin_open
from tests.sim.truth import Truth

ANSWER_MS = (20, 400)
SETTLING_S = 8.0
# What is over in half a minute is deleted in the same run, and must be known all the same.
RETENTION = Retention(
    payload_days=30_000 / DAY_MS,
    segment_days=100,
    correction_ms=10_000,
    look_ms=5_000,
    steady_ms=5_000,
)
_HELD = "SELECT size FROM log WHERE origin = ?"


class GatewayMachine(Machine):
    """One gateway; its registry is the office's, and outlives its crashes."""

    def __init__(
        self,
        folder: Path,
        agenda: Agenda,
        rng: random.Random,
        broker: Broker,
        onss: Onss,
        truth: Truth,
    ) -> None:
        super().__init__(GATEWAY_PREFIX + GATEWAY, agenda, rng, broker)
        self.state = folder / "gateway-state"
        self.ledger_path = folder / "ledger.db"
        # What people asked it to journal.
        self.asked: list[Asked] = []
        self.annotated: dict[str, tuple[str, int]] = {}
        self.limits = Limits()
        self._onss = onss
        self._truth = truth
        keys = template() / "gateway"
        hpke = sealing_key(keys / "hpke.pem").public_key().public_bytes_raw()
        self._edges = Edges(
            cosigner=Signer(cosigner_name(DOMAIN, GATEWAY), signing_key(keys / "cosigner.pem")),
            openers={key_id(hpke): partial(twin_open, hpke)},
            sealer=PlainSealer(),
            new_uuid=lambda: str(uuid.UUID(bytes=rng.randbytes(16), version=4)),
        )
        # Every key that it ever cosigned with.
        self.cosigners = [self._edges.cosigner.verifier().public]
        self.registry = Registry.open(folder / "registry.db", folder / "registry.key")
        self._program: Gateway | None = None
        self._watch: Watch | None = None
        self._random = random.Random(f"{rng.random()} watch")
        self._witness: sqlite3.Connection | None = None
        self._files: list[Callable[[], None]] = []

    def succeed(self, hpke: bytes, cosigner: Signer) -> None:
        """Another pair of keys is in its settings; it takes them when it is started again."""
        before = self._edges
        self._edges = replace(
            before,
            cosigner=cosigner,
            openers={**before.openers, key_id(hpke): partial(twin_open, hpke)},
            retired=(*before.retired, before.cosigner.verifier(COSIGNATURE_V1)),
        )
        self.cosigners.append(cosigner.verifier().public)

    def happens(self, event: Event) -> None:
        """Something arrives."""
        self.attempt(lambda: self._step([event]))

    def _begin(self) -> None:
        ledger = MortalLedger.open(self.ledger_path)
        ledger.fate = self.fate
        # Closed last, and read-only: so the write-ahead log stays, as after a SIGKILL.
        witness = self._witness = sqlite3.connect(f"file:{self.ledger_path}?mode=ro", uri=True)
        witness.execute("SELECT 1 FROM log").fetchone()
        self._files = [ledger.close, witness.close]
        settings = Settings(GATEWAY, self.limits, settling_s=SETTLING_S, retention=RETENTION)
        program = self._program = Gateway(ledger, self.registry, self._edges, settings)
        self._watch = self._watching(ledger)
        self._look(self._watch.start(self.clock.read(), building.known(ledger)))
        will = program.presence(self.clock.read(), online=False)
        self.session = Session(self.name, self.happens, SUBSCRIPTIONS, will)
        self.broker.join(self.session)

    def _idle(self) -> bool:
        return self._step([])

    def _farewell(self) -> None:
        program, session = self._program, self.session
        assert program is not None and session is not None
        program.drain()
        self.broker.publish(session, program.presence(self.clock.read(), online=False))
        assert self._watch is not None
        self._watch.stop(self.clock.read())

    def _end(self) -> None:
        for close in self._files:
            close()
        self._files = []
        self._program = self._witness = self._watch = None

    def _step(self, events: list[Event]) -> bool:
        program = self._program
        assert program is not None
        acted = self._carry_out(program, events)
        while program.busy:
            acted |= self._carry_out(program, [])
        return acted

    def _carry_out(self, program: Gateway, events: list[Event]) -> bool:
        session = self.session
        assert session is not None
        now = self.clock.read()
        effects = program.step(now, events)
        for effect in effects:
            match effect:
                case Publish():
                    if effect.topic.endswith("/receipt"):
                        self._receipted(effect)
                    self.broker.publish(session, effect)
                case Submit() | Consult():
                    self._call(session, effect)
        assert self._watch is not None
        self._look(self._watch.step(now, events, effects))
        return bool(effects)

    def _watching(self, ledger: Ledger) -> Watch:
        """Build the watch over the gateway's own journal, as the program does."""
        former = [VerifierKey(key.name, key.public) for key in self._edges.retired]
        owner = Owner(DOMAIN, self.name, self._edges.cosigner, former)
        journal = MortalJournal(self.fate, self.state / "journal", owner, self._random.randbytes)
        diary = Diary(journal, self._edges.cosigner)
        self._files.append(diary.close)
        around = Surroundings(
            sites=lambda: {one.id: one.id for one in self.registry.terminals()},
            has_room=lambda: not self.fate.full,
            annotations=lambda: [one for one in self.asked if one.id not in self.annotated],
            annotated=lambda name, origin, seq: self.annotated.update({name: (origin, seq)}),
        )
        return Watch(diary, around, self._random.randbytes)

    def _look(self, told: Sequence[object]) -> None:
        """Look around where the watch asks for it, and hand on what it wrote of deletions.

        Nobody reads its reports here.
        """
        session = self.session
        for one in told:
            if isinstance(one, Look):
                looked = partial(self._looked, session)
                self.agenda.after(self._random.randint(5, 200), looked)
            elif isinstance(one, Announced):
                self.agenda.after(self._random.randint(0, 50), partial(self._told, session, one))

    def _told(self, session: Session | None, event: Event) -> None:
        if self.session is session and session is not None:
            self.happens(event)

    def _looked(self, session: Session | None) -> None:
        if self.session is session and session is not None:
            self.happens(Looked({**self._onss.look(), "broker": self._broker_word}))

    @property
    def _broker_word(self) -> str:
        return "refused" if self.broker.is_stopped else "ok"

    def _receipted(self, message: Publish) -> None:
        """A receipt goes out: look whether what it covers is committed."""
        assert self._witness is not None
        note = json.loads(message.payload)["checkpoint"]
        origin, size = note.split("\n")[:2]
        found = self._witness.execute(_HELD, [origin]).fetchone()
        if found is not None and found[0] >= int(size):
            self._truth.receipts.add(note)
        elif note not in self._truth.receipts:
            # What was held once, before a backup was put back, may be said again.
            words = f"a receipt of {size} of {origin} went out before its commit"
            self._truth.early.append(("receipt", words))

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

    def mark_restored(self) -> None:
        """The operator says that a backup was put back (`ciao-gateway acknowledge`)."""
        with closing(Ledger.open(self.ledger_path)) as ledger, ledger.transaction():
            ledger.care.decide("restored", [""], "put back", self.agenda.now_ms)
