"""The terminal as one plain call: `step(now, events) -> effects`. No thread, clock or socket here.

The edges (SQLite, files, sealing, randomness) come in; what the panel shows and what is
published goes out as values. The same object runs on the wall and in the simulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from ciao import entries
from ciao.journal import Journal, StoreFailed
from ciao.journal.store import note_digest
from ciao.link import Connected, Disconnected, LinkEvent, Message, Publish
from ciao.notes import Signer
from ciao.reading import Reading
from ciao.registration import State
from hardware.events import HardwareEvent
from hardware.panel import View
from terminal.door import Door
from terminal.exchange import Exchange
from terminal.held import Held
from terminal.recent import Recent
from terminal.stamp import Sealing

HEARTBEAT_MS = 60_000
REASONS_MAX = 16

Event = HardwareEvent | LinkEvent
Effect = View | Publish


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
    """All of it: the door, the exchange with the gateway, and the heartbeat."""

    def __init__(
        self, identity: Identity, journal: Journal, held: Held, recent: Recent, sealing: Sealing
    ) -> None:
        self._journal = journal
        self._held = held
        self._recent = recent
        self._door = Door(
            journal, held, recent, sealing, identity.readers, identity.language, identity.zone
        )
        self.exchange = Exchange(
            identity.terminal, identity.enrolled, identity.firmware, journal, held
        )
        self._beat_up_ms = 0

    def start(self, now: Reading) -> list[Effect]:
        """Open what is on the disk, say in the journal that we are back, show that we are here."""
        self.exchange.refused["held"] += len(self._held.load())
        self._journal.open(now)
        newest = next(self._journal.rows(self._journal.size - 1, self._journal.size))
        clean = b'"kind":"shutdown"' in newest.leaf
        self._journal.append(entries.Boot(**self._common(now), clean=clean))
        self.exchange.begin(now)
        self._beat_up_ms = now.up_ms
        return self.step(now, [])

    def step(self, now: Reading, events: Sequence[Event]) -> list[Effect]:
        """Take what happened, in order; return what is to be shown and sent, in order.

        Whatever a returned view promises is on the disk. Call again at once while `has_more`:
        one batch a step, so that no tap waits behind a backlog.
        """
        effects: list[Effect] = []
        for event in events:
            if isinstance(event, Connected | Disconnected | Message):
                effects += self._link(now, event)
            else:
                effects += self._door.step(now, event)
        effects += self._rebind(now)
        effects += self._door.tick(now)
        self._heartbeat(now)
        return effects + self.exchange.send(now)

    def has_more(self, now: Reading) -> bool:
        """Say whether another batch could be sent right away."""
        return self.exchange.has_more(now)

    def stop(self, now: Reading) -> Publish:
        """Say in the journal that we were asked to stop; return the farewell to publish."""
        self._append(entries.Shutdown(**self._common(now)))
        return self.exchange.presence(online=False)

    def _link(self, now: Reading, event: LinkEvent) -> list[Effect]:
        told = self.exchange.take(now, event)
        self._door.online = self.exchange.uplink.gateway_there
        effects: list[Effect] = []
        if isinstance(event, Connected):
            effects.append(self.exchange.presence(online=True))
        if told.settled:
            effects += self._door.received(self._journal.origin, self._journal.settled)
        if told.rebound:
            effects += self._door.rebound(now)
        for outcome in told.outcomes:
            self._recent.outcome(outcome.origin, outcome.seq, outcome.state, outcome.reason)
            if outcome.state in (State.ACCEPTED, State.VALID):
                effects += self._door.confirmed(outcome.origin, outcome.seq)
        return effects

    def _rebind(self, now: Reading) -> list[View]:
        due = self._held.due(now)
        if due is None:
            return []
        entry = entries.BindingChanged(
            **self._common(now), serial=due.binding.serial, binding=due.sha256
        )
        if not self._append(entry):
            return []
        try:
            self._held.enforce(due)
        except StoreFailed:
            self.exchange.refused["disk"] += 1
        return self._door.rebound(now)

    def _heartbeat(self, now: Reading) -> None:
        if now.up_ms - self._beat_up_ms < HEARTBEAT_MS:
            return
        self._beat_up_ms = now.up_ms
        uplink = self.exchange.uplink
        newest = self._journal.newest_note()
        works: dict[entries.Part, bool] = {
            "reader": self._door.readers_work,
            "panel": True,
            "disk": self._door.works.get("disk", True),
            "link": uplink.connected,
            "broker": uplink.connected,
            "gateway": uplink.gateway_there,
        }
        beat = entries.Heartbeat(
            **self._common(now),
            works=works,
            note=note_digest(newest) if newest else None,
            refused=dict((+self.exchange.refused).most_common(REASONS_MAX)),
        )
        if self._append(beat):
            self.exchange.refused.clear()

    def _common(self, now: Reading) -> dict[str, Any]:
        return entries.common(now, self._journal.size)

    def _append(self, entry: entries.Entry) -> bool:
        """Append what no person waits for; a disk that refuses is counted, shown and retried."""
        try:
            self._journal.append(entry)
        except StoreFailed:
            self.exchange.refused["disk"] += 1
            self._door.works["disk"] = False
            return False
        self._door.works["disk"] = True
        return True
