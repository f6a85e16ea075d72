"""The watch at work in the terminal: signals gathered, changes committed, orders carried out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ciao import entries
from ciao.journal import Journal
from ciao.reading import Reading
from hardware.events import Probed
from terminal.disk import Disk
from terminal.door import Door
from terminal.exchange import Exchange
from terminal.watch import past
from terminal.watch.orders import Answer, Asked
from terminal.watch.signals import Signals
from terminal.watch.watch import Look, Watch

_READ_AT_ONCE = 100


@dataclass(slots=True)
class Keeper:
    """Between the watch, which decides, and the journal and the door, which it is about."""

    watch: Watch
    journal: Journal
    disk: Disk
    door: Door
    exchange: Exchange
    _beat_soon: bool = False

    def begin(self, now: Reading, before: int, watchdog: dict[str, str]) -> None:
        """The journal is open; what stood below `before` was written by another start."""
        self.watch.begin(now, past.read(self._newest_first(before)), watchdog)

    def take(self, now: Reading, event: Probed | Asked) -> list[Answer]:
        """Take what was seen, or an order; the order is carried out when this returns."""
        if isinstance(event, Probed):
            self._beat_soon |= self.watch.saw(event)
            return []
        if event.order == "state":
            return [Answer(event.number, self.watch.state(now))]
        return [self._maintain(now, event)]

    def step(self, now: Reading, *, busy: bool) -> Sequence[Look]:
        """Decide what is out, write it down; `busy`: somebody at the door waits for this step."""
        if not self.watch.due(now, busy=busy):
            return []
        for change in self.watch.observe(now, self._signals(now)):
            if self.disk.append(now, change.kind, **change.fields):
                self.watch.outages.noted(now, change)
        return self.watch.look(now)

    def told_to_beat(self) -> bool:
        """Whether a heartbeat is due at once: what feeds us changed, and later may be too late."""
        soon, self._beat_soon = self._beat_soon, False
        return soon

    def _signals(self, now: Reading) -> Signals:
        uplink = self.exchange.uplink
        return Signals(
            reader=self.door.readers_work,
            disk=self.disk.works,
            room=self.disk.room,
            session=uplink.session,
            gateway=uplink.gateway_there,
            unanswered_ms=uplink.unanswered_ms(now.up_ms),
        )

    def _maintain(self, now: Reading, asked: Asked) -> Answer:
        begins = asked.order == "maintenance begin"
        if self.watch.maintenance is begins:
            refused = "maintenance has begun already" if begins else "no maintenance has begun"
            hint = "end it first" if begins else "begin it first"
            return Answer(asked.number, "", refused, hint)
        kind = entries.MaintenanceBegin if begins else entries.MaintenanceEnd
        if not self.disk.append(now, kind):
            return Answer(asked.number, "", "the disk did not take it", "ask doctor what is wrong")
        self.watch.maintenance = begins
        return Answer(asked.number, "ok")

    def _newest_first(self, before: int) -> Iterator[entries.Entry]:
        """Read back, a portion at a time; what another version wrote is passed over."""
        for end in range(before, 0, -_READ_AT_ONCE):
            rows = list(self.journal.rows(max(end - _READ_AT_ONCE, 0), end))
            for row in reversed(rows):
                try:
                    yield entries.decode(row.leaf)
                except entries.NotUnderstood:
                    continue
