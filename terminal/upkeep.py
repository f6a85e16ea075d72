"""What a terminal does once a minute, whoever comes or not: heartbeat, checks, retention.

Nothing here may end the process: a disk that refuses is counted, shown and asked again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ciao import entries
from ciao.journal import Journal
from ciao.journal.chain import FORGOTTEN_MAX
from ciao.journal.store import note_digest
from ciao.reading import Reading
from terminal import due
from terminal.disk import Disk
from terminal.door import Door
from terminal.exchange import Exchange
from terminal.watch import Watch

REASONS_MAX = 16
# Entries checked a minute: a few ms. A year's journal is gone through in some two days.
CHECKED_AT_ONCE = 200
RETENTION_MS = 24 * 3600 * 1000


@dataclass(slots=True)
class Upkeep:
    """`free_bytes` asks the journal's disk for its free space; None where nobody can say.

    `messages_lost` is how many never got in since the program began: there were too many.
    """

    journal: Journal
    disk: Disk
    door: Door
    exchange: Exchange
    watch: Watch
    free_bytes: Callable[[], int | None]
    panel_works: bool = True
    messages_lost: int = 0
    _due_up_ms: int = 0
    _retention_up_ms: int = 0
    _checked: int = 0
    _lost_told: int = 0

    def begin(self, now: Reading) -> None:
        """The journal is open: the first minute begins."""
        self._due_up_ms = now.up_ms + due.HEARTBEAT_MS
        self._look_at_room()

    def step(self, now: Reading, *, soon: bool = False) -> None:
        """Do all of it, if a minute has passed, or if it should be `soon`."""
        if now.up_ms < self._due_up_ms and not soon:
            return
        self._due_up_ms = now.up_ms + due.HEARTBEAT_MS
        self._look_at_room()
        with self.disk.trying():
            self._begin_planned(now)
        with self.disk.trying():
            self._check()
        with self.disk.trying():
            self._beat(now)
        with self.disk.trying():
            self._forget(now)
        with self.disk.trying():
            self.journal.current.tidy()

    def _look_at_room(self) -> None:
        free = self.free_bytes()
        self.disk.room = free is None or due.has_room(free)

    def _begin_planned(self, now: Reading) -> None:
        if self.journal.settled < self.journal.size:
            return
        (first,) = self.journal.rows(0, 1)
        try:
            began = entries.reading_of(entries.decode(first.leaf))
        except entries.NotUnderstood:
            # Another version of this program began it.
            return
        if due.yearly(began, now, self.journal.settled, self.journal.size):
            self.journal.begin("yearly", now)
            self.exchange.begin(now)
            self._checked = 0

    def _check(self) -> None:
        """Go through the segment again and again, a portion at a time; damage is noticed."""
        if self._checked >= self.journal.size:
            self._checked = 0
        end = min(self._checked + CHECKED_AT_ONCE, self.journal.size)
        start, self._checked = self._checked, end
        self.journal.check(start, end)

    def _beat(self, now: Reading) -> None:
        uplink, refused = self.exchange.uplink, self.disk.refused
        newest = self.journal.newest_note()
        works: dict[entries.Part, bool] = {
            "reader": self.door.readers_work,
            "panel": self.panel_works,
            "disk": self.disk.works and self.disk.room,
            "link": uplink.connected,
            "broker": uplink.connected,
            "gateway": uplink.gateway_there,
            **self.watch.works,
        }
        refused["overrun"] += self.messages_lost - self._lost_told
        self._lost_told = self.messages_lost
        told = dict((+refused).most_common(REASONS_MAX))
        note = note_digest(newest) if newest else None
        beat = {"works": works, "note": note, "refused": told, "outages": self.watch.open}
        if self.disk.append(now, entries.Heartbeat, maintenance=self.watch.maintenance, **beat):
            refused.clear()

    def _forget(self, now: Reading) -> None:
        """Delete payloads that were in custody for 30 days: said first, then done."""
        if now.up_ms < self._retention_up_ms or not now.clock.synced:
            return
        ranges = self.journal.forgettable(now.at)
        if ranges and self.disk.append(now, entries.Deletion, ranges=ranges, why="retention"):
            self.journal.forget(ranges)
        # A full portion is not the last one.
        if sum(part.last + 1 - part.first for part in ranges) < FORGOTTEN_MAX:
            self._retention_up_ms = now.up_ms + RETENTION_MS
