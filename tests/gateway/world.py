"""A gateway on a real ledger, driven step by step: no sockets, no threads, no clock of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ciao import names, wire
from ciao.link import Connected, Message, Publish
from ciao.notes import VerifierKey
from ciao.registration import State
from gateway.core import Edges, Gateway, Settings
from gateway.events import Answered, Consult, Consulted, Effect, Event, Report, Submit, Tick
from gateway.forwarding.submitting import Limits
from gateway.ledger import Ledger, migrate
from gateway.ledger.rows import Tap
from gateway.retention import rules
from tests.gateway import twins
from tests.gateway.sealer import SEALER
from tests.gateway.twins import Badge, Journal, TwinOnss, TwinPeople

TERMINAL = "hall-3"


class World:
    """One gateway, with what it published, submitted and consulted so far."""

    def __init__(
        self,
        folder: Path,
        limits: Limits | None = None,
        settling_s: float = 60,
        retired: Sequence[VerifierKey] = (),
    ) -> None:
        self.path = folder / "ledger.db"
        # Its clock leaps by years, which is believed here at once.
        believed = rules.Settings(steady_ms=0)
        self.settings = Settings(twins.GATEWAY, limits or Limits(), settling_s, retention=believed)
        self.retired = retired
        self.cosigner = twins.COSIGNER
        self.people = TwinPeople()
        self.people.add_terminal(TERMINAL)
        self.people.enrol(twins.UID_ANN, Badge("worker-ann", twins.ANN))
        self.people.enrol(twins.UID_BEN, Badge("worker-ben", twins.BEN))
        self.onss = TwinOnss()
        self.second = 0.0
        self.boot = "gateway-boot"
        self.published: list[Publish] = []
        self.submitted: list[Submit] = []
        self.consults: list[Consult] = []
        self.reports: list[Report] = []
        self.starts = 0
        migrate(self.path)
        self._open()

    def _open(self) -> None:
        self.starts += 1
        edges = Edges(
            self.cosigner,
            twins.OPENERS,
            SEALER,
            twins.uuids(str(self.starts)),
            self.retired,
        )
        self.ledger = Ledger.open(self.path)
        self.gateway = Gateway(self.ledger, self.people, edges, self.settings)

    def restart(self) -> None:
        """Kill the gateway between two steps and start another on what is on the disk."""
        self.ledger.close()
        self._open()

    def online(self) -> World:
        """Connect, and wait until the gateway has read what is retained."""
        self.step(Connected())
        self.second += 2
        self.step(Tick())
        return self

    def step(self, *events: Event) -> list[Effect]:
        """One step; its effects are also kept by kind."""
        effects = self.gateway.step(twins.at(self.second, self.boot), events)
        for effect in effects:
            match effect:
                case Publish():
                    self.published.append(effect)
                case Submit():
                    self.submitted.append(effect)
                case Consult():
                    self.consults.append(effect)
                case Report():
                    self.reports.append(effect)
        return effects

    def settle(self, *events: Event) -> None:
        """Step until nothing more is to do at once, without answering any call."""
        self.step(*events)
        while self.gateway.busy:
            self.step()

    def run(self, *events: Event, seconds: float = 0, every: float = 1) -> None:
        """Step, let the ONSS twin answer each call at once, and let time go by."""
        until = self.second + seconds
        self.settle(*events)
        while True:
            while answers := self.answers():
                self.settle(*answers)
            if self.second >= until:
                return
            self.second += every
            self.settle(Tick())

    def answers(self) -> list[Event]:
        """What the ONSS twin says to the calls that are under way."""
        calls, self.submitted = self.submitted, []
        searches, self.consults = self.consults, []
        answered: list[Event] = [
            Answered(call.attempt, self.onss.register(call.items)) for call in calls
        ]
        return answered + [Consulted(one.tap, self.onss.search(one.query)) for one in searches]

    def on(self, channel: str, terminal: str = TERMINAL) -> list[Any]:
        """What was published on a terminal's channel, decoded."""
        kinds = {"receipt": wire.Receipt, "hint": wire.Hint, "outcome": wire.Outcomes}
        wanted = names.topic(terminal, channel)
        payloads = [one.payload for one in self.published if one.topic == wanted]
        kind: Any = kinds.get(channel)
        return [wire.decode(kind, one) if kind else one for one in payloads]

    def outcomes(self) -> list[tuple[int, str, str | None]]:
        """What was told of taps: (seq, state, reason), in order."""
        return [(o.seq, o.state, o.reason) for m in self.on("outcome") for o in m.outcomes]

    def taps(self) -> list[Tap]:
        """Every tap of the ledger."""
        rows = self.ledger._connection.execute("SELECT id FROM tap ORDER BY id").fetchall()
        return [self.ledger.taps.get(row[0]) for row in rows]

    def states(self) -> list[State]:
        return [tap.state for tap in self.taps()]

    def query(self, sql: str) -> list[Any]:
        """Look into the ledger's file."""
        return self.ledger._connection.execute(sql).fetchall()

    def dump(self) -> dict[str, Any]:
        """Custody and taps, without the times at which they came: the same for the same entries."""
        return {
            "log": self.query("SELECT origin, terminal, key, certificate, size FROM log"),
            "entry": self.query("SELECT seq, leaf, hashes, payload, flag FROM entry ORDER BY 1"),
            "tap": self.query("SELECT terminal, payload, seq, at, direction FROM tap ORDER BY 3"),
        }


def online_message(terminal: str = TERMINAL, online: bool = True) -> Message:
    told = wire.Online(online, "2026-03-02T06:00:00.000+01:00", 0, 0, "0.1.0")
    return Message(names.topic(terminal, "online"), wire.encode(told))


def retained_receipt(payload: bytes, terminal: str = TERMINAL) -> Message:
    return Message(names.topic(terminal, "receipt"), payload)


def morning(taps: Sequence[tuple[bytes, float, str]] = ()) -> Journal:
    """A journal that begins with a heartbeat, and these taps."""
    journal = Journal(TERMINAL)
    journal.heartbeat()
    for uid, second, direction in taps:
        journal.tap(uid, second, direction)
    return journal
