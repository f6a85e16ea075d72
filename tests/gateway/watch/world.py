"""A watch over a real journal, on a clock that moves when told to; what lies around it is said."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from ciao import entries, wire
from ciao.entries import Entry
from ciao.journal import Journal, Owner
from ciao.journal.spoken import spoken
from ciao.link import Connected, Disconnected, Publish
from ciao.names import topic
from ciao.notes import Signer, VerifierKey
from ciao.reading import rfc3339
from gateway.events import Answered, Effect, Event, Submit
from gateway.onss.answers import Answer, NoAnswer, Outcome, Silence
from gateway.watch.diary import Diary
from gateway.watch.events import Look, Looked
from gateway.watch.watch import Asked, Known, Surroundings, Watch
from hardware.clock import VirtualClock
from tests.gateway.twins import COSIGNER, DOMAIN

WELL = {
    **dict.fromkeys(("onss-dns", "onss-tcp", "onss-tls", "onss-http"), "ok"),
    "onss-token:shiny": "ok",
    "broker": "ok",
}
ANCHORS = {"anchor-1": "ok", "anchor-2": "ok"}
K = TypeVar("K")


def numbers() -> Any:
    """Randomness that counts."""
    counted = iter(range(1, 10_000))

    def drawn(size: int) -> bytes:
        return hashlib.sha512(str(next(counted)).encode()).digest()[:size]

    return drawn


@dataclass
class WatchWorld:
    """`around` answers each round of probes; `asked` are annotations that people left."""

    folder: Path
    sites: dict[str, str] = field(default_factory=dict)
    around: Mapping[str, str] = field(default_factory=lambda: {**WELL, **ANCHORS})
    asked: list[Asked] = field(default_factory=list)
    annotated: dict[str, tuple[str, int]] = field(default_factory=dict)
    known: list[Known] = field(default_factory=list)
    journal: type[Journal] = Journal
    cosigner: Signer = COSIGNER
    before: tuple[VerifierKey, ...] = ()

    def __post_init__(self) -> None:
        self.clock = VirtualClock(datetime(2026, 3, 2, 6, 0, tzinfo=UTC), up_ms=1_000_000)
        self.random_bytes = numbers()
        self.attempts = 0
        self.notes: dict[str, int] = {}
        self.begin()

    def begin(self) -> None:
        """Start a watch on what is on the disk."""
        owner = Owner(DOMAIN, "gateway-north", self.cosigner, self.before)
        journal = self.journal(self.folder, owner, self.random_bytes, "test")
        pending = lambda: [one for one in self.asked if one.id not in self.annotated]  # noqa: E731
        around = Surroundings(
            sites=lambda: self.sites,
            has_room=lambda: True,
            annotations=pending,
            annotated=lambda name, origin, seq: self.annotated.update({name: (origin, seq)}),
        )
        self.watch = Watch(Diary(journal, self.cosigner), around, self.random_bytes)
        self.reports = self.watch.start(self.clock(), self.known)

    def restart(self, *, politely: bool = False, away_s: int = 60) -> None:
        """Stop, by SIGKILL or in order, and start again later."""
        if politely:
            self.watch.stop(self.clock())
        self.watch.diary.close()
        self.clock.advance(away_s * 1000)
        self.begin()

    def step(self, events: Sequence[Event] = (), effects: Sequence[Effect] = ()) -> None:
        """One step; a round of probes that it asks for is answered in the next."""
        told = self.watch.step(self.clock(), events, effects)
        for one in told:
            if isinstance(one, Look):
                self.watch.step(self.clock(), [Looked(self.around)], [])
            else:
                self.reports.append(one)

    def connect(self) -> None:
        self.step([Connected()])

    def disconnect(self) -> None:
        self.step([Disconnected("gone")])

    def wait(self, seconds: int, speaking: Sequence[str] = ()) -> None:
        """Let time pass, a second at a time; these terminals bring a heartbeat each minute."""
        for second in range(seconds):
            self.clock.advance(1000)
            beats = [self.receipt(one) for one in speaking] if second % 60 == 0 else []
            self.step([], beats)

    def receipt(self, terminal: str) -> Publish:
        """A receipt, over one entry more than the last."""
        size = self.notes[terminal] = self.notes.get(terminal, 0) + 1
        body = wire.Receipt(f"{terminal} {size}", "")
        return Publish(topic(terminal, "receipt"), wire.encode(body), retain=True)

    def digest(self, terminal: str) -> str:
        return hashlib.sha256(f"{terminal} {self.notes[terminal]}".encode()).hexdigest()

    def called(self, answer: Outcome, employer: str = "shiny") -> None:
        """A call was made, and ended so."""
        self.attempts += 1
        self.step([], [Submit(self.attempts, employer, (), "trace")])
        self.step([Answered(self.attempts, answer)])

    def every(self) -> list[Entry]:
        """Every entry, in order."""
        return [entry for _, entry in spoken(self.folder, "")]

    def said(self, kind: type[K]) -> list[K]:
        """Every entry of a kind, in order."""
        return [entry for entry in self.every() if isinstance(entry, kind)]

    def causes(self, terminal: str | None = None) -> list[str]:
        """What outages began with, and became, leaving out our own absence."""
        return [
            entry.cause
            for entry in self.said(entries.OutageBegin)
            if entry.terminal == terminal and entry.cause != "gateway_down"
        ]

    def now(self) -> str:
        return rfc3339(self.clock().at)


def answer(status: int) -> Answer:
    return Answer(status, {}, b"", "trace")


def silence(reason: Silence) -> NoAnswer:
    return NoAnswer(reason, False, "trace")
