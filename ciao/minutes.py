"""What one journal says of every minute of a period, and of the outages in it. Pure.

A terminal's or a gateway's logs go in, each in the order of its entries; several in any order, and
an entry that was carried into another segment counts once. What is kept grows with the period,
not with the entries: a few bytes a minute, and the outages.

Times are the entries' own where their clock was synced, else derived from the next synced entry of
the same boot (DESIGN 3.8): the time since boot runs through a step of the wall clock. What an
outage's entry without any time says counts no longer than it must: its end from the last known
moment before, its begin or another cause from the next known one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ciao.entries import (
    Affected,
    Annotation,
    Boot,
    Entry,
    Heartbeat,
    MaintenanceBegin,
    MaintenanceEnd,
    OutageBegin,
    OutageEnd,
    OutageUpdate,
    Part,
    SeqRange,
    Tap,
)
from ciao.reading import parse_rfc3339

MINUTE_MS = 60_000
# A heartbeat each minute, and half as much for a busy moment: then the time between is told too.
BEAT_APART_MAX_MS = 90_000
FOREVER_MS = 2**62

# What is known of a minute, in bits.
HEARD = 1
WORKS: Mapping[Affected, int] = {"register": 2, "submit": 4}
FAILS: Mapping[Affected, int] = {"register": 8, "submit": 16}

# What must work, by whose journal it is, so that a stamp can be made, and handed on.
TERMINAL_PARTS: Mapping[Affected, Sequence[Part]] = {
    "register": ("reader", "disk"),
    "submit": ("link", "broker", "gateway"),
}

_OUTAGE = OutageBegin | OutageUpdate | OutageEnd


@dataclass(frozen=True, slots=True)
class Phase:
    """From a moment on, an outage's cause, by one of its entries."""

    at_ms: int
    cause: str
    probes: Mapping[str, str]
    entry: SeqRange


@dataclass(slots=True)
class Outage:
    """One outage as a journal tells it. `terminal`: whose, where a gateway's journal says so;
    `employer`: whose credential it is about, there likewise.

    `begin_ms` is None where only its later entries are there; `end_ms` None while none ended it.
    An entry may come twice, carried into another segment, where it may have no time of its own.
    """

    id: str
    affected: Affected
    terminal: str | None = None
    employer: str | None = None
    begin_ms: int | None = None
    end_ms: int | None = None
    phases: list[Phase] = field(default_factory=list)
    ended_by: SeqRange | None = None

    @property
    def span(self) -> tuple[int, int]:
        """From when to when, without an end where there is none in the journal."""
        begin_ms = -FOREVER_MS if self.begin_ms is None else self.begin_ms
        return begin_ms, FOREVER_MS if self.end_ms is None else max(begin_ms, self.end_ms)

    @property
    def spoke_of_a_stop(self) -> bool:
        """Whether it tells of a time in which nobody was there to write (seen at the start)."""
        return any("stop" in name for phase in self.phases for name in phase.probes)

    def failed(self, phase: Phase, *, begins: bool) -> None:
        """Take in a cause; of two times of one entry, the earlier is its own."""
        if begins:
            self.begin_ms = min(phase.at_ms, FOREVER_MS if self.begin_ms is None else self.begin_ms)
        phases = {one.entry: one for one in self.phases}
        known = phases.get(phase.entry, phase)
        phases[phase.entry] = min(known, phase, key=lambda one: one.at_ms)
        self.phases = sorted(phases.values(), key=lambda one: (one.at_ms, _order(one.entry)))

    def ended(self, end_ms: int, entry: SeqRange) -> None:
        """Take in its end; of two times of one entry, the later is its own."""
        if self.end_ms is None or end_ms >= self.end_ms:
            self.end_ms, self.ended_by = end_ms, entry


@dataclass(frozen=True, slots=True)
class Started:
    """The program started: it had not run before, for a while."""

    at_ms: int
    clean: bool
    entry: SeqRange


@dataclass(frozen=True, slots=True)
class Untimed:
    """Entries of a boot whose clock never was right: after a moment, and before the next known."""

    after_ms: int
    entries: SeqRange


@dataclass(frozen=True, slots=True)
class _Beat:
    """A heartbeat, or another entry, reduced to what counts here."""

    at_ms: int
    boot: str
    up_ms: int
    mark: int


class Minutes:
    """One journal over a period of `count` minutes from `begin_ms` (Unix time, a whole minute).

    `marks[m]` holds HEARD, WORKS and FAILS; `first[m]`, `last[m]` the entries it rests on, in
    `origins[origin[m]]`.
    """

    def __init__(self, begin_ms: int, count: int, parts: Mapping[Affected, Sequence[Part]]) -> None:
        self.begin_ms = begin_ms
        self.count = count
        self.marks = bytearray(count)
        self.origin = array("H", bytes(2 * count))
        self.first = array("q", bytes(8 * count))
        self.last = array("q", bytes(8 * count))
        self.origins: list[str] = []
        self.heard_before = False
        self.heard_after_ms = FOREVER_MS
        self.outages: dict[str, Outage] = {}
        self.started: dict[tuple[str, int], Started] = {}
        self.untimed: set[Untimed] = set()
        self.documents: dict[str, SeqRange] = {}
        self.maintenance: list[tuple[int, int, SeqRange]] = []
        self._parts = parts
        self._number: dict[str, int] = {}

    def read(self, origin: str, entries: Iterable[Entry]) -> None:
        """Take in one log, or a part of it, in the order of its entries."""
        _Reader(self, origin).read(entries)

    def minute(self, at_ms: int) -> int:
        """Return which minute of the period a moment is in; below 0 or beyond `count` outside."""
        return (at_ms - self.begin_ms) // MINUTE_MS

    def mark_of(self, works: Mapping[Part, bool]) -> int:
        """Say in bits what a heartbeat tells; a part that it does not name is unknown."""
        mark = HEARD
        for affected, parts in self._parts.items():
            said = [works.get(part) for part in parts]
            if False in said:
                mark |= FAILS[affected]
            elif None not in said and said:
                mark |= WORKS[affected]
        return mark

    def note(self, at_ms: int, mark: int, entry: SeqRange) -> None:
        """Say that an entry of a moment tells this of its minute."""
        index = self.minute(at_ms)
        if 0 <= index < self.count:
            self._rest(index, mark, entry)
        elif index < 0:
            self.heard_before = True
        else:
            self.heard_after_ms = min(self.heard_after_ms, at_ms)

    def bridge(self, from_ms: int, to_ms: int, mark: int, entry: SeqRange) -> None:
        """Say the same of the whole minutes between two moments."""
        for index in range(max(self.minute(from_ms) + 1, 0), min(self.minute(to_ms), self.count)):
            self._rest(index, mark, entry)

    def ranges(self, start: int, end: int) -> list[SeqRange]:
        """Return what minutes [start, end) rest on, one range an origin."""
        found: dict[int, tuple[int, int]] = {}
        for index in range(start, end):
            if self.marks[index] & HEARD:
                number, first, last = (
                    self.origin[index],
                    self.first[index],
                    self.last[index],
                )
                low, high = found.get(number, (first, last))
                found[number] = (min(low, first), max(high, last))
        ranges = (SeqRange(self.origins[number], *pair) for number, pair in found.items())
        return sorted(ranges, key=_order)

    def _rest(self, index: int, mark: int, entry: SeqRange) -> None:
        number = self._number.setdefault(entry.origin, len(self.origins))
        if number == len(self.origins):
            self.origins.append(entry.origin)
        if not self.marks[index] & HEARD or self.origins[self.origin[index]] > entry.origin:
            # One origin a minute is enough, and which must not hang on the order of reading.
            self.origin[index] = number
            self.first[index], self.last[index] = entry.first, entry.last
        elif self.origin[index] == number:
            self.first[index] = min(self.first[index], entry.first)
            self.last[index] = max(self.last[index], entry.last)
        self.marks[index] |= mark


class _Reader:
    """One log on its way into `Minutes`; entries without a time wait for one."""

    def __init__(self, minutes: Minutes, origin: str) -> None:
        self._into = minutes
        self._origin = origin
        self._boot = ""
        self._beat: _Beat | None = None
        self._synced_ms: int | None = None
        self._waiting: list[Entry] = []
        # Outages' entries that never get a time: they count from the next boot that has one.
        self._late: list[OutageBegin | OutageUpdate] = []
        # Heartbeats that wait, reduced: a year of them must not fill the memory.
        self._up, self._marks, self._seqs = array("q"), bytearray(), array("q")
        self._maintained: tuple[int, SeqRange] | None = None

    def read(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if entry.boot != self._boot:
                self._give_up(entry.boot)
            if not entry.clock.synced:
                self._wait(entry)
                continue
            at_ms = _ms(entry.at)
            self._derive(at_ms - entry.up_ms)
            self._place(entry, at_ms)
            self._synced_ms = at_ms
        self._give_up("")
        if self._maintained is not None:
            begin_ms, at = self._maintained
            self._into.maintenance.append((begin_ms, FOREVER_MS, at))

    def _wait(self, entry: Entry) -> None:
        if isinstance(entry, Heartbeat) and entry.carried is None:
            self._up.append(entry.up_ms)
            self._marks.append(self._into.mark_of(entry.works))
            self._seqs.append(entry.seq)
        else:
            self._waiting.append(entry)

    def _derive(self, booted_ms: int) -> None:
        """The clock is right now: when the boot was tells when everything since was."""
        for late in self._late:
            from_ms = booted_ms if self._synced_ms is None else max(booted_ms, self._synced_ms)
            self._fails(late, from_ms, self._place_of(late))
        self._late = []
        for up_ms, mark, seq in zip(self._up, self._marks, self._seqs, strict=True):
            entry = SeqRange(self._origin, seq, seq)
            self._beaten(_Beat(booted_ms + up_ms, self._boot, up_ms, mark), entry)
        for waiting in self._waiting:
            self._place(waiting, booted_ms + waiting.up_ms)
        self._forget()

    def _give_up(self, boot: str) -> None:
        """Another boot begins: what still waits never gets a time."""
        self._boot = boot
        places: dict[str, list[int]] = {self._origin: [*self._seqs[:1], *self._seqs[-1:]]}
        for entry in self._waiting:
            at = self._place_of(entry)
            places.setdefault(at.origin, []).append(at.first)
        for origin, seqs in places.items():
            if seqs and self._synced_ms is not None:
                entries = SeqRange(origin, min(seqs), max(seqs))
                self._into.untimed.add(Untimed(self._synced_ms, entries))
        for entry in self._waiting:
            if isinstance(entry, OutageEnd):
                self._late = [one for one in self._late if one.outage != entry.outage]
                known_ms = -FOREVER_MS if self._synced_ms is None else self._synced_ms
                self._known(entry).ended(known_ms, self._place_of(entry))
            elif isinstance(entry, OutageBegin | OutageUpdate):
                self._late.append(entry)
        self._forget()

    def _forget(self) -> None:
        self._waiting = []
        self._up, self._marks, self._seqs = array("q"), bytearray(), array("q")

    def _place(self, entry: Entry, at_ms: int) -> None:
        into, at = self._into, self._place_of(entry)
        match entry:
            case Heartbeat():
                beat = _Beat(at_ms, entry.boot, entry.up_ms, into.mark_of(entry.works))
                self._beaten(beat, at)
                return
            case Tap():
                into.note(at_ms, HEARD | WORKS["register"], at)
                return
            case Boot():
                into.started[(at.origin, at.first)] = Started(at_ms, entry.clean, at)
            case OutageBegin() | OutageUpdate() | OutageEnd():
                self._outage(entry, at_ms, at)
            case Annotation() if entry.document is not None:
                known = into.documents.get(entry.outage, at)
                into.documents[entry.outage] = min(known, at, key=_order)
            case MaintenanceBegin():
                self._maintained = self._maintained or (at_ms, at)
            case MaintenanceEnd() if self._maintained is not None:
                begin_ms, begun = self._maintained
                into.maintenance.append((begin_ms, at_ms, begun))
                self._maintained = None
            case _:
                pass
        into.note(at_ms, HEARD, at)

    def _beaten(self, beat: _Beat, at: SeqRange) -> None:
        """A heartbeat tells of its minute, and with the one before it of the time between."""
        self._into.note(beat.at_ms, beat.mark, at)
        before, self._beat = self._beat, beat
        if before is None or before.boot != beat.boot:
            return
        if 0 <= beat.up_ms - before.up_ms <= BEAT_APART_MAX_MS:
            fails = (before.mark | beat.mark) & (FAILS["register"] | FAILS["submit"])
            self._into.bridge(before.at_ms, beat.at_ms, before.mark & beat.mark | fails, at)

    def _outage(self, entry: _OUTAGE, at_ms: int, at: SeqRange) -> None:
        skew_ms = at_ms - _ms(entry.at)
        if isinstance(entry, OutageEnd):
            self._known(entry).ended(_ms(entry.well_since) + skew_ms, at)
        else:
            self._fails(entry, at_ms if entry.since is None else _ms(entry.since) + skew_ms, at)

    def _fails(self, entry: OutageBegin | OutageUpdate, from_ms: int, at: SeqRange) -> None:
        phase = Phase(from_ms, entry.cause, entry.probes, at)
        self._known(entry).failed(phase, begins=isinstance(entry, OutageBegin))

    def _known(self, entry: _OUTAGE) -> Outage:
        known = self._into.outages.setdefault(entry.outage, Outage(entry.outage, entry.affected))
        known.terminal = known.terminal or entry.terminal
        known.employer = known.employer or entry.employer
        return known

    def _place_of(self, entry: Entry) -> SeqRange:
        """Return where an entry was first written, which is its identity."""
        first = entry.carried
        origin, seq = (first.origin, first.seq) if first else (self._origin, entry.seq)
        return SeqRange(origin, seq, seq)


def _order(entry: SeqRange) -> tuple[str, int]:
    return entry.origin, entry.first


def _ms(text: str) -> int:
    return round(parse_rfc3339(text).timestamp() * 1000)


def touched(minutes: Minutes, from_ms: int, to_ms: int) -> range:
    """Say which minutes of the period an interval touches; a moment touches its own."""
    last_ms = max(from_ms, to_ms - 1)
    return range(max(minutes.minute(from_ms), 0), min(minutes.minute(last_ms) + 1, minutes.count))


def whole_minute_ms(moment: datetime) -> int:
    """Return a whole minute in Unix milliseconds; raise ValueError for any other moment."""
    ms = round(moment.astimezone(UTC).timestamp() * 1000)
    if ms % MINUTE_MS:
        raise ValueError(f"not a whole minute: {moment}")
    return ms
