"""The terminal as one plain call: `step(now, events) -> effects`. No thread, clock or socket here.

The edges (SQLite, files, sealing, randomness) come in; what the panel shows and what is
published goes out as values. The same object runs on the wall and in the simulation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from ciao import entries
from ciao.journal import Journal, StoreFailed
from ciao.link import Connected, Disconnected, LinkEvent, Message, Publish
from ciao.notes import Signer
from ciao.reading import Reading, rfc3339
from ciao.registration import State
from ciao.timekeeper import Timekeeper
from hardware.events import HardwareEvent, Probed
from hardware.panel import View
from terminal.disk import Disk
from terminal.door import Door
from terminal.exchange import Exchange
from terminal.held import Held
from terminal.recent import Recent
from terminal.stamp import Sealing
from terminal.upkeep import Upkeep
from terminal.watch import Answer, Asked, Look, Watch
from terminal.watch.keeper import Keeper

# How often a disk that did not let us begin is asked again.
RETRY_MS = 1_000

Event = HardwareEvent | LinkEvent | Probed | Asked
Effect = View | Publish | Look | Answer


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this terminal is."""

    terminal: str
    enrolled: Signer
    readers: tuple[str, ...]
    language: str
    zone: ZoneInfo
    firmware: str


class Terminal:
    """All of it: the door, the exchange with the gateway, and the upkeep."""

    def __init__(
        self,
        identity: Identity,
        journal: Journal,
        held: Held,
        recent: Recent,
        sealing: Sealing,
        free_bytes: Callable[[], int | None] = lambda: None,
        watchdog: dict[str, str] | None = None,
    ) -> None:
        """`free_bytes` asks the journal's disk for its free space; None where nobody can say.

        `watchdog` is what `hardware.probes.power` read of the machine's start.
        """
        self._journal = journal
        self._held = held
        self._recent = recent
        self._disk = disk = Disk(journal)
        self._door = Door(
            journal, disk, held, recent, sealing, identity.readers, identity.language, identity.zone
        )
        self.exchange = Exchange(
            identity.terminal, identity.enrolled, identity.firmware, journal, held, disk
        )
        watch = Watch(sealing.random_bytes)
        self._keeper = Keeper(watch, journal, disk, self._door, self.exchange)
        self._watchdog = watchdog or {}
        self.upkeep = Upkeep(journal, disk, self._door, self.exchange, watch, free_bytes)
        self._time = Timekeeper()
        self._retry_up_ms = 0

    def start(self, now: Reading) -> list[Effect]:
        """Open what is on the disk, say in the journal that we are back, show that we are here.

        A disk that refuses ends nothing: it is shown, and asked again each second.
        """
        self._disk.refused["held"] += len(self._held.load())
        self._mend(now)
        return self.step(now, [])

    def step(self, now: Reading, events: Sequence[Event]) -> list[Effect]:
        """Take what happened, in order; return what is to be shown and sent, in order.

        Whatever a returned view promises is on the disk. Call again at once while `has_more`:
        one batch a step, so that no tap waits behind a backlog, and none beside a view, which is
        to be seen before a batch is made.
        """
        effects: list[Effect] = []
        busy = False
        self._mend(now)
        self._keep_time(now)
        for event in events:
            if isinstance(event, Connected | Disconnected | Message):
                effects += self._link(now, event)
            elif isinstance(event, Probed | Asked):
                effects += self._keeper.take(now, event)
            else:
                busy = True
                effects += self._door.step(now, event)
        self._rebind(now)
        if self._journal.is_open:
            effects += self._keeper.step(now, busy=busy)
            self.upkeep.step(now, soon=self._keeper.told_to_beat())
        effects += self._door.tick(now)
        if any(isinstance(effect, View) for effect in effects):
            return effects
        return effects + self.exchange.send(now)

    def has_more(self, now: Reading) -> bool:
        """Say whether another batch could be sent right away."""
        return self.exchange.has_more(now)

    def stop(self, now: Reading) -> Publish:
        """Say in the journal that we were asked to stop; return the farewell to publish."""
        self._disk.append(now, entries.Shutdown)
        return self.exchange.presence(online=False)

    def _mend(self, now: Reading) -> None:
        """Open the journal, or carry on in another segment, until the disk lets us."""
        if now.up_ms < self._retry_up_ms or (self._journal.is_open and not self._journal.damaged):
            return
        self._retry_up_ms = now.up_ms + RETRY_MS
        with self._disk.trying():
            if self._journal.damaged:
                self._journal.recover(now)
            else:
                self._open(now)
            self._disk.works = True
            self.exchange.begin(now)

    def _open(self, now: Reading) -> None:
        try:
            self._journal.open(now, self._held.predecessor)
            self._keeper.begin(now, self._journal.size, self._watchdog)
            before = self._newest()
            clean = before is not None and _ended_in_order(before)
            boot = entries.Boot(**entries.common(now, self._journal.size), clean=clean)
            self._journal.append(boot)
        except StoreFailed:
            self._journal.close()
            raise
        if before is not None:
            self._time.went_on(entries.reading_of(before))
        self.upkeep.begin(now)

    def _newest(self) -> entries.Entry | None:
        """Read the newest entry; None where another version of this program wrote it."""
        (newest,) = self._journal.rows(self._journal.size - 1, self._journal.size)
        try:
            return entries.decode(newest.leaf)
        except entries.NotUnderstood:
            return None

    def _keep_time(self, now: Reading) -> None:
        """Say in the journal that the wall clock was set, before anything else is said."""
        step = self._time.look(now)
        if step is not None:
            before, after = rfc3339(step.before), rfc3339(step.after)
            if not self._disk.append(now, entries.ClockStep, before=before, after=after):
                return
        self._time.went_on(now)

    def _link(self, now: Reading, event: LinkEvent) -> list[Effect]:
        told = self.exchange.take(now, event)
        self._door.online = self.exchange.uplink.gateway_there
        effects: list[Effect] = []
        if isinstance(event, Connected):
            effects.append(self.exchange.presence(online=True))
        if told.settled:
            effects += self._door.received(self._journal.origin, self._journal.settled)
        for outcome in told.outcomes:
            self._recent.outcome(outcome.origin, outcome.seq, outcome.state, outcome.reason)
            if outcome.state in (State.ACCEPTED, State.VALID):
                effects += self._door.confirmed(outcome.origin, outcome.seq)
        return effects

    def _rebind(self, now: Reading) -> None:
        """Bring the bundle that is due into force: its entry first."""
        due = self._held.due(now)
        if due is None or not self._journal.is_open:
            return
        serial, digest = due.binding.serial, due.sha256
        if self._disk.append(now, entries.BindingChanged, serial=serial, binding=digest):
            with self._disk.trying():
                self._held.enforce(due)


def _ended_in_order(newest: entries.Entry) -> bool:
    """Say whether the stop before was journalled, or there was nothing before to be stopped."""
    if isinstance(newest, entries.Segment):
        return newest.why in ("new", "replaced")
    return isinstance(newest, entries.Shutdown)
