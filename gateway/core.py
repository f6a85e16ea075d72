"""The gateway as one plain call: what happened goes in, what is to be done comes out.

*Commit, then tell* (DESIGN 1): a step is one transaction on the ledger, and its effects are
returned only once that is on the disk. Nothing here reads a clock, draws randomness, waits or
starts a thread, so the same events make the same ledger, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ciao import wire
from ciao.link import Connected, Disconnected, Message, Publish
from ciao.names import split_topic
from ciao.notes import COSIGNATURE_V1, Signer, VerifierKey
from ciao.reading import Reading
from ciao.wire import Online, WireBroken
from gateway.admitting import Admitting, Rereading
from gateway.announcing import Papers, presence
from gateway.deciding import Deciding
from gateway.events import Announced, Answered, Consulted, Effect, Event, Report
from gateway.forwarding.answers import Sealer
from gateway.forwarding.consulting import Consulting
from gateway.forwarding.desk import Desk
from gateway.forwarding.identifying import Identifying
from gateway.forwarding.polling import Polling
from gateway.forwarding.services import Services
from gateway.forwarding.submitting import Limits, Submitting
from gateway.intake import epoch_ms
from gateway.ledger import Ledger
from gateway.ledger.rows import Moment, Tap
from gateway.outcomes import AGAIN_MS, Outcomes, messages
from gateway.people import Opener, People
from gateway.receipts import Receipts
from gateway.receiving import Receiving
from gateway.restoring import Restoring
from gateway.retention import rules
from gateway.retention.retaining import Retaining

SUBSCRIPTIONS = ("ciao/1/+/journal", "ciao/1/+/online", "ciao/1/+/receipt")
# How long a first session waits for the receipts that the broker retained.
RETAINED_WAIT_MS = 2_000
PRESENCE_MS = 60_000
# How many taps one step looks into, so that neither receipts nor calls wait long; fewer while
# terminals send their journals, since a receipt is owed before anything else is.
LOOKED_INTO_MAX = 32
LOOKED_INTO_WHILE_RECEIVING = 4

# A message on a terminal's `journal`, not read yet: whose, and its bytes.
Batch = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a gateway is told: its id, its limits, and how long the ONSS's search may lag.

    `searches`: whether it has a search at all; without one, a person says what became of a stamp
    whose answer was lost. `polls`: whether it is asked about what it accepted until that is final.
    """

    gateway: str
    limits: Limits = field(default_factory=Limits)
    settling_s: float = 120.0
    searches: bool = True
    polls: bool = True
    retention: rules.Settings = field(default_factory=rules.Settings)


@dataclass(frozen=True, slots=True)
class Edges:
    """What a gateway is given of keys and randomness. `openers` are by HPKE key id.

    `retired` are the keys that it cosigned with before, which still tell what it once said.
    """

    cosigner: Signer
    openers: Mapping[str, Opener]
    sealer: Sealer
    new_uuid: Callable[[], str]
    retired: Sequence[VerifierKey] = ()


class Gateway:
    """One gateway on one ledger. After a step that raised, make a new one: the ledger is whole."""

    def __init__(self, ledger: Ledger, people: People, edges: Edges, settings: Settings) -> None:
        self._ledger = ledger
        self._people = people
        self._settings = settings
        self._outcomes = Outcomes()
        cosigners = (edges.cosigner.verifier(COSIGNATURE_V1), *edges.retired)
        self._restoring = Restoring(ledger, cosigners)
        self._receipts = Receipts(ledger, edges.cosigner)
        admitting = Admitting(ledger, self._outcomes, self._restoring)
        self._rereading = Rereading(ledger, admitting)
        self._receiving = Receiving(ledger, people, self._receipts, self._restoring, admitting)
        desk = self._desk = Desk(ledger, people, self._outcomes, self._restoring)
        self._identifying = Identifying(desk, edges.openers)
        given = (edges.sealer, edges.new_uuid)
        self.services = Services(ledger, settings.limits.calls_max)
        self._submitting = Submitting(desk, self.services, settings.limits, *given)
        self._consulting = Consulting(desk, self.services, settings.settling_s, *given)
        self._polling = Polling(desk, self.services, *given)
        self._deciding = Deciding(ledger, desk, self._identifying, self._restoring)
        self._retaining = Retaining(ledger, settings.retention)
        self._papers = Papers(people)
        self._begun = False
        self._connected_ms: int | None = None
        self._awaited: set[str] = set()
        self._online = False
        self._present_ms: int | None = None
        self._has_read_receipts = False
        self._draining = False
        self.busy = False
        self.moves: Sequence[Tap] = ()

    def step(self, now: Reading, events: Sequence[Event]) -> list[Effect]:
        """Take what happened; return what is to be done, all of it committed.

        While `busy` is true there is more to do than one step takes: call again soon. `moves`
        are the changes of taps in the last step, for whoever counts.
        """
        moment = Moment(epoch_ms(now.at), now.boot, now.up_ms)
        effects: list[Effect] = []
        with self._ledger.transaction():
            self._desk.begin()
            if not self._begun:
                self._restoring.begin()
                self.services.begin()
                self._retaining.begin()
                effects += self._submitting.begin(moment)
            batches: list[Batch] = []
            for event in events:
                effects += self._take(event, now, moment, batches)
            effects += self._session(now, moment)
            effects += self._work(moment, batches)
            effects += self._restoring.ask()
            if self._has_read_receipts:
                effects += self._retaining.work(now, moment)
            effects += self._outcomes.take()
            self.moves = self._outcomes.moves()
            self._desk.settle(moment)
        self._begun = True
        self._retaining.tidy(now)
        return effects

    def _work(self, moment: Moment, batches: Sequence[Batch]) -> list[Effect]:
        """Do what there is to do, each part within its limits.

        Calls are begun before taps are looked into, so that the service never waits for us. What
        came in before is worked on first, so that no receipt waits for more than a few taps; what
        comes in now is worked on in the next step. Nothing is sent, and nothing new taken, before
        it is known what we said before: the ledger may be a restored backup.
        """
        again, effects = self._rereading.work(moment)
        self.busy = again or bool(batches)
        if self._has_read_receipts:
            # Before anything is sent: a person may have said that the ledger is an older one.
            decided = self._deciding.work(moment)
            self.busy |= bool(decided)
            effects += decided + self._forward(moment)
        few = LOOKED_INTO_WHILE_RECEIVING if batches else LOOKED_INTO_MAX
        self.busy |= self._identifying.work(moment, few)
        if not self._has_read_receipts:
            return effects
        return effects + self._submit(moment) + self._receiving.receive(batches, moment)

    def _forward(self, moment: Moment) -> list[Effect]:
        """Begin the calls and searches whose turn it is."""
        calls = self._submit(moment)
        if self._draining:
            return calls
        asked = self._consulting.work(moment) if self._settings.searches else []
        if self._settings.polls:
            asked += self._polling.work(moment)
        return calls + asked

    def _submit(self, moment: Moment) -> list[Effect]:
        if self._draining:
            return []
        calls = self._submitting.work(moment)
        self.busy |= self._submitting.more
        return calls

    def drain(self) -> None:
        """Begin no more calls: the program is about to stop, and waits for those under way."""
        self._draining = True

    def _take(
        self, event: Event, now: Reading, moment: Moment, batches: list[Batch]
    ) -> list[Effect]:
        match event:
            case Message():
                return self._message(event, moment, batches)
            case Answered():
                return self._submitting.answered(event, moment)
            case Consulted():
                effects = self._consulting.consulted(event, moment)
                return effects + self._polling.polled(event, moment)
            case Announced():
                self._retaining.announced(event, moment)
            case Connected():
                self._connected_ms = now.up_ms
                self._awaited = {terminal.id for terminal in self._people.terminals()}
                self._papers.forget()
            case Disconnected(why):
                self._connected_ms, self._online = None, False
                return [Report("disconnected", {"why": why})]
        return []

    def _message(self, message: Message, moment: Moment, batches: list[Batch]) -> list[Effect]:
        """Take a message: a batch for later in the step, a retained receipt, or who is online."""
        try:
            terminal, channel = split_topic(message.topic)
        except ValueError:
            self._ledger.custody.count_refused("", "topic", moment.at_ms)
            return []
        if channel == "journal":
            batches.append((terminal, message.payload))
            return []
        if channel == "receipt":
            self._awaited.discard(terminal)
            found = self._restoring.retained(terminal, message.payload, moment)
            if found is None:
                self._count(terminal, "receipt", moment)
            return found or []
        try:
            online = wire.decode(Online, message.payload)
        except WireBroken as error:
            self._count(terminal, error.reason, moment)
            return []
        if not online.online:
            return []
        recent = self._ledger.taps.recent(terminal, moment.at_ms - AGAIN_MS)
        return [*messages(recent), *self._restoring.ask_again(moment, terminal)]

    def _count(self, terminal: str, reason: str, moment: Moment) -> None:
        """Count a message that was refused; whoever is not known is counted as nobody."""
        known = terminal if self._people.terminal(terminal) is not None else ""
        self._ledger.custody.count_refused(known, reason, moment.at_ms)

    def _session(self, now: Reading, moment: Moment) -> list[Effect]:
        """Say that we are there, once it is known what we said before (DESIGN 3.5, 3.12)."""
        if self._connected_ms is None:
            return []
        waited_ms = now.up_ms - self._connected_ms
        if not self._has_read_receipts and self._awaited and waited_ms < RETAINED_WAIT_MS:
            return []
        effects: list[Effect] = []
        if not self._online:
            self._online = self._has_read_receipts = True
            effects += self._receipts.again(moment)
            effects.append(Report("online", {"gateway": self._settings.gateway}))
            self._present_ms = None
        if self._present_ms is None or now.up_ms - self._present_ms >= PRESENCE_MS:
            # Again each minute: a terminal that missed it would wait for ever (decision 6).
            self._present_ms = now.up_ms
            effects.append(self.presence(now, online=True))
        effects += self._restoring.ask_again(moment)
        return effects + list(self._papers.publish(now, self._desk.version))

    def presence(self, now: Reading, online: bool) -> Publish:
        """Write whether this gateway is there: retained, and `online=False` also as its will."""
        return presence(self._settings.gateway, online, now)
