"""The watch as one plain call: what the gateway saw goes in, its own journal is written.

It runs after each of the gateway's steps, on what that step committed: the ledger first, then the
journal, which names what the ledger holds. A crash between the two leaves a journal that says
less, and catches up; never one that names what is not there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ciao import wire
from ciao.entries import (
    NOTES_MAX,
    Annotation,
    Deletion,
    Entry,
    Heartbeat,
    OutageEnd,
    Part,
    SeqRange,
    Shutdown,
)
from ciao.keys import RandomBytes
from ciao.link import Connected, Disconnected, Publish
from ciao.names import split_topic
from ciao.outages import Change, Outages
from ciao.reading import Reading, rfc3339
from gateway.events import Announce, Announced, Answered, Effect, Event, Report
from gateway.timestamping.stamping import Stamping
from gateway.watch.credentials import Credentials, fails
from gateway.watch.diary import SAID_AGAIN_MS, Diary
from gateway.watch.events import Look, Looked, Stamp, Stamped, Witnessed
from gateway.watch.pace import Pace
from gateway.watch.service import Service, line, state
from gateway.watch.silence import Silences

HEARTBEAT_MS = 60_000
ASKED_EVERY_MS = 1_000
# A stop shorter than this is no outage: a session outlives it.
STOPPED_MS = 5_000


@dataclass(frozen=True, slots=True)
class Known:
    """At a start: when a terminal last brought something, and the newest note of it."""

    terminal: str
    heard_at: str
    note: str


@dataclass(frozen=True, slots=True)
class Asked:
    """An annotation that a person left: its number, and what its entry says."""

    id: str
    outage: str
    document: str | None
    text: str | None


# What a step of the watch asks for, or tells.
Told = Report | Look | Stamp | Announced
# What a deletion says: the ranges, and why.
Gone = tuple[tuple[tuple[str, int, int], ...], str]
# What an annotation says: the outage, and its two hashes.
Said = tuple[str, str | None, str | None]


@dataclass(slots=True)
class Surroundings:
    """What the watch asks when it needs it; each answers at once, from this machine.

    `sites`: the terminals that should be heard, each with its site. `annotations`: those that are
    not in the journal yet; `annotated` says that one is, and where.
    """

    sites: Callable[[], Mapping[str, str]]
    has_room: Callable[[], bool]
    annotations: Callable[[], Sequence[Asked]]
    annotated: Callable[[str, str, int], None]


@dataclass(slots=True)
class Watch:
    """Everything that the gateway journals of itself and of what lies around it.

    `ledger_works` is told from outside: whether the step before could be written. `stamping` is
    None where no time stamping authority is configured.
    """

    diary: Diary
    around: Surroundings
    random_bytes: RandomBytes
    ledger_works: bool = True
    stamping: Stamping | None = None
    service: Service = field(default_factory=Service)
    outages: Outages = field(init=False)
    silences: Silences = field(init=False)
    credentials: Credentials = field(init=False)
    _pace: Pace = field(default_factory=Pace)
    _connected: bool = False
    _begun_up_ms: int = 0
    _beat_up_ms: int = 0
    _employers: dict[int, str] = field(default_factory=dict)
    _newest: dict[str, str] = field(default_factory=dict)
    _named: dict[str, str] = field(default_factory=dict)
    _annotated: dict[Said, tuple[str, int]] = field(default_factory=dict)
    _deleted: dict[Gone, tuple[str, int]] = field(default_factory=dict)
    _asked_up_ms: int | None = None
    _sites: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with nothing known."""
        self.outages = Outages(self.random_bytes)
        self.silences = Silences(self.random_bytes)
        self.credentials = Credentials(self.random_bytes)

    def start(self, now: Reading, known: Sequence[Known]) -> list[Report]:
        """Open the journal; `known` is what the ledger says of each terminal."""
        self._begun_up_ms = self._beat_up_ms = now.up_ms
        for one in known:
            self._newest[one.terminal] = one.note
            self.silences.known(one.terminal, now.up_ms, one.heard_at)
        reports = self._mend(now)
        for one in known:
            self.silences.known(one.terminal, now.up_ms, one.heard_at)
        return reports

    def step(self, now: Reading, events: Sequence[Event], effects: Sequence[Effect]) -> list[Told]:
        """Take what happened in a step, and what it let out; write what is to be written."""
        told: list[Told] = [*self._mend(now)]
        self.diary.keep_time(now)
        for event in events:
            self._take(now, event)
        for effect in effects:
            if isinstance(effect, Publish):
                self._receipted(now, effect)
            elif isinstance(effect, Announce):
                told += self._announce(now, effect)
        self._remember_calls(effects)
        probes, own = self._probes(now), self.service.credentials(now.up_ms)
        told += self._watch(now, probes, own)
        self._annotate(now)
        if now.up_ms - self._beat_up_ms >= HEARTBEAT_MS:
            self._beat(now, probes, own)
        stamp = self.stamping.ask(now) if self.stamping is not None else None
        told += [stamp] if stamp is not None else []
        # One good look is no end: until it is told, it is looked at as often as while it failed.
        suspect = not (self.outages.quiet and self.credentials.quiet)
        return [*told, Look()] if self._pace.due(now.up_ms, suspect) else told

    def stop(self, now: Reading) -> None:
        """Say that the gateway was asked to stop; name what it cosigned and has not named yet."""
        if named := self._to_name():
            # What works is not said: the link was let go already.
            note = self.diary.newest_note()
            self.diary.write(now, Heartbeat, works={}, note=note, notes=named)
        if self.diary.write(now, Shutdown):
            self.diary.cosign(now)

    def _take(self, now: Reading, event: Event) -> None:
        match event:
            case Connected():
                self._connected = True
                self.silences.linked(now.up_ms)
            case Disconnected():
                self._connected = False
                self.silences.linked(None)
            case Answered(attempt, answer):
                employer = self._employers.pop(attempt, "")
                self.service.called(employer, answer, now.up_ms)
            case Looked(words):
                self._pace.done()
                self.service.looked(words, now.up_ms)
            case Stamped() if self.stamping is not None:
                kind, fields = self.stamping.took(now, event)
                self.diary.write(now, kind, **fields)
            case Witnessed(note, size):
                self.diary.settle(note, size)
            case _:
                pass

    def _remember_calls(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            attempt = getattr(effect, "attempt", None)
            if attempt is not None:
                self._employers[attempt] = getattr(effect, "employer", "")

    def _receipted(self, now: Reading, message: Publish) -> None:
        """A receipt went out: its terminal was heard, if it is a new one."""
        terminal, channel = _topic(message.topic)
        if channel != "receipt":
            return
        receipt = wire.decode(wire.Receipt, message.payload)
        digest = hashlib.sha256(receipt.checkpoint.encode()).hexdigest()
        if self._newest.get(terminal) != digest:
            self._newest[terminal] = digest
            self.silences.heard(terminal, now.up_ms, rfc3339(now.at))

    def _probes(self, now: Reading) -> dict[str, str]:
        """Say all that is known, as the table of causes reads it."""
        probes = self.service.probes(now.up_ms)
        probes["mqtt"] = "ok" if self._connected else "down"
        if self._connected:
            probes["broker"] = "ok"
        elif "broker" not in probes and now.up_ms - self._begun_up_ms < HEARTBEAT_MS:
            # It is still being connected for the first time.
            probes.pop("mqtt")
        probes["clock"] = "ok" if now.clock.synced else "unsynced"
        return probes

    def _watch(
        self, now: Reading, probes: Mapping[str, str], own: Mapping[str, Mapping[str, str]]
    ) -> list[Report]:
        reports = []
        for change in self.outages.observe(now, probes):
            if self.diary.write(now, change.kind, **change.fields):
                self.outages.noted(now, change)
                reports.append(_report(change))
                self._ended(change)
        for one in self.credentials.step(now, probes, own, SAID_AGAIN_MS):
            if self.diary.write(now, one.change.kind, **one.fields):
                self.credentials.noted(now, one)
                reports.append(_report(one.change, employer=one.employer))
                self._ended(one.change)
        for found in self.silences.step(now.up_ms, self._sites, line(probes), SAID_AGAIN_MS):
            if self.diary.write(now, found.change.kind, **found.fields):
                self.silences.noted(found, now.up_ms)
                reports.append(_report(found.change, terminal=found.terminal))
                self._ended(found.change)
        return reports

    def _ended(self, change: Change) -> None:
        """What was written of an outage is to be dated by somebody else, too."""
        if self.stamping is not None and change.kind is OutageEnd:
            self.stamping.due.outage_ended()

    def _beat(
        self, now: Reading, probes: Mapping[str, str], own: Mapping[str, Mapping[str, str]]
    ) -> None:
        """Each minute: what works, and the newest note of each terminal that has a new one."""
        self._beat_up_ms = now.up_ms
        self.diary.begin_yearly(now)
        self._sites = self.around.sites()
        works: dict[Part, bool] = {
            "broker": self._connected,
            "disk": self.ledger_works and self.around.has_room(),
        }
        onss = state(probes)
        if onss != "unknown":
            # Where it takes nobody's credential, it might as well not be there.
            works["onss"] = onss == "up" and (not own or len(fails(own, probes)) < len(own))
        named = self._to_name()
        note = self.diary.newest_note()
        said = {"works": works, "note": note, "notes": named, "outages": self.outages.open}
        if self.diary.write(now, Heartbeat, **said):
            # Those named longest ago come first the next time.
            for terminal, digest in named.items():
                self._named.pop(terminal, None)
                self._named[terminal] = digest
            self.diary.cosign(now)

    def _to_name(self) -> dict[str, str]:
        """Choose the notes that the next heartbeat names: the longest unnamed first."""
        order = {terminal: place for place, terminal in enumerate(self._named)}
        fresh = [one for one, note in self._newest.items() if self._named.get(one) != note]
        fresh.sort(key=lambda terminal: (order.get(terminal, -1), terminal))
        return {terminal: self._newest[terminal] for terminal in fresh[:NOTES_MAX]}

    def _annotate(self, now: Reading) -> None:
        """Write what people left; one that is there already, from before a crash, is only told."""
        if self._asked_up_ms is not None and now.up_ms - self._asked_up_ms < ASKED_EVERY_MS:
            return
        self._asked_up_ms = now.up_ms
        for asked in self.around.annotations() if self.diary.is_open else ():
            said = (asked.outage, asked.document, asked.text)
            place = self.diary.place
            fields = {"outage": asked.outage, "document": asked.document, "text": asked.text}
            if said not in self._annotated:
                if not self.diary.write(now, Annotation, **fields):
                    return
                self._annotated[said] = place
            self.around.annotated(asked.id, *self._annotated[said])

    def _announce(self, now: Reading, asked: Announce) -> list[Announced]:
        """Write what is about to be deleted; one that is there, from before a crash, is told."""
        gone = (asked.parts, asked.why)
        if gone not in self._deleted:
            place = self.diary.place if self.diary.is_open else ("", 0)
            ranges = [SeqRange(*part) for part in asked.parts]
            if not self.diary.write(now, Deletion, ranges=ranges, why=asked.why):
                return []
            # The newest alone: there is never more than one whose writing could be forgotten.
            self._deleted = {gone: place}
            self.diary.cosign(now)
        return [Announced(asked.deletion, *self._deleted[gone])]

    def _mend(self, now: Reading) -> list[Report]:
        """Open the journal if it is not; then say how long nobody wrote, and why."""
        if not self.diary.mend(now):
            return []
        before = self.diary.before
        self._sites = self.around.sites()
        self.outages.resume(entry for entry in before if not _is_somebodys(entry))
        self.silences.resume(before)
        self.credentials.resume(before)
        for entry in before:
            if isinstance(entry, Annotation):
                said = (entry.outage, entry.document, entry.text)
                self._annotated[said] = (self.diary.place[0], entry.seq)
            elif isinstance(entry, Deletion):
                parts = tuple((part.origin, part.first, part.last) for part in entry.ranges)
                self._deleted = {(parts, entry.why): (self.diary.place[0], entry.seq)}
            elif isinstance(entry, Heartbeat):
                self._named |= entry.notes
        return self._stopped(now)

    def _stopped(self, now: Reading) -> list[Report]:
        """Say of the time before this start that the gateway was not there."""
        newest = self.diary.before[-1] if self.diary.before else None
        if newest is None:
            return []
        stop = "clean" if isinstance(newest, Shutdown) else "unclean"
        if newest.boot == now.boot and now.up_ms - newest.up_ms < STOPPED_MS:
            return []
        self.outages.silent(newest.at, {"gateway-stop": stop})
        return [Report("was_away", {"since": newest.at, "stop": stop})]


def _topic(text: str) -> tuple[str, str]:
    try:
        return split_topic(text)
    except ValueError:
        return "", ""


def _is_somebodys(entry: Entry) -> bool:
    """Whether an entry is about one terminal or one employer alone."""
    return any(getattr(entry, name, None) is not None for name in ("terminal", "employer"))


def _report(change: Change, **whose: str) -> Report:
    fields = {"outage": change.outage, "cause": str(change.cause), **whose}
    return Report(str(change.kind.__struct_config__.tag), fields)
