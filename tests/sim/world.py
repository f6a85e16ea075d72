"""One run: two terminals, a gateway, an ONSS, people, and everything that can go wrong, by seed."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ciao.registration import Direction
from hardware.events import CardGone, CardRead, Pressed
from tests.sim import office
from tests.sim.agenda import Agenda
from tests.sim.checks import CHECKS, Evidence, Identity, rows
from tests.sim.machines import GatewayMachine, Machine, TerminalMachine
from tests.sim.network import Broker
from tests.sim.office import LATE, PEOPLE, TERMINALS, Office, Person
from tests.sim.onss import Onss

FAULTS_MS = 240_000
SETTLING_MS = 900_000
SLICE_MS = 30_000
VISIBLE_AFTER_MS = 3_000
TAPS_A_TERMINAL = 12


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to."""

    seed: int
    violations: tuple[str, ...]
    taps: int
    crashes: int
    digest: str


class World:
    """Everything of one seed."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.agenda = Agenda()
        self.folder = folder
        office.copy_to(folder)
        self.broker = Broker(self.agenda, random.Random(self.rng.random()))
        self.onss = Onss(self.agenda, random.Random(self.rng.random()), VISIBLE_AFTER_MS)
        self.gateway = GatewayMachine(folder, self.agenda, self._fork(), self.broker, self.onss)
        self.terminals = [
            TerminalMachine(name, folder / name, self.agenda, self._fork(), self.broker)
            for name in TERMINALS
        ]
        self.badges: dict[str, str] = {}

    def run(self) -> Result:
        """Live through faults, then through calm, then look."""
        self._begin_faults()
        for machine in self._machines():
            self.agenda.after(self.rng.randint(0, 500), machine.start)
        for terminal in self.terminals:
            for _ in range(self.rng.randint(1, TAPS_A_TERMINAL)):
                self._plan_tap(terminal, self.rng.randint(3_000, FAULTS_MS))
        self.agenda.after(
            self.rng.randint(0, FAULTS_MS),
            lambda: Office(self.folder, random.Random(self.seed)).enrol(LATE),
        )
        self.agenda.run_until(FAULTS_MS)
        self._end_faults()
        violations = self._settle()
        for machine in self._machines():
            machine.crash()
        evidence = self._evidence()
        return Result(
            seed=self.seed,
            violations=violations,
            taps=len(evidence.promised),
            crashes=sum(machine.crashes for machine in self._machines()) - 3,
            digest=_digest(evidence),
        )

    def _settle(self) -> tuple[str, ...]:
        """Let calm time pass until nothing is missing any more, or it is too late to be."""
        violations: tuple[str, ...] = ()
        for end_ms in range(FAULTS_MS, FAULTS_MS + SETTLING_MS, SLICE_MS):
            self.agenda.run_until(end_ms + SLICE_MS)
            evidence = self._evidence()
            violations = tuple(words for check in CHECKS for words in check(evidence))
            if not violations:
                break
        return violations

    # -- people -----------------------------------------------------------------------------------

    def _plan_tap(self, terminal: TerminalMachine, at_ms: int) -> None:
        rng = self.rng
        person = rng.choice((*PEOPLE, LATE))
        direction = rng.choice(tuple(Direction))
        first_press = rng.random() < 0.7
        pressed_ms = at_ms if first_press else at_ms + rng.randint(200, 900)
        laid_ms = at_ms + rng.randint(100, 800) if first_press else at_ms
        lifted_ms = max(pressed_ms, laid_ms) + rng.randint(300, 900)
        if rng.random() < 0.9:
            self.agenda.after(pressed_ms, lambda: self._press(terminal, direction))
        self.agenda.after(laid_ms, lambda: self._lay(terminal, person))
        gone = CardGone("main", bytes.fromhex(person.uid))
        self.agenda.after(lifted_ms, lambda: terminal.happens(gone))

    def _press(self, terminal: TerminalMachine, direction: Direction) -> None:
        terminal.happens(Pressed(direction, terminal.clock.read()))

    def _lay(self, terminal: TerminalMachine, person: Person) -> None:
        now = terminal.clock.read()
        at = now.at.isoformat(timespec="milliseconds")
        # Two badges at one moment would make the check of whose it was ambiguous: then none.
        self.badges[at] = person.ssin if at not in self.badges else ""
        terminal.happens(CardRead("main", bytes.fromhex(person.uid), now))

    # -- faults -----------------------------------------------------------------------------------

    def _begin_faults(self) -> None:
        rng = self.rng
        weather, moods = self.broker.weather, self.onss.moods
        weather.lost = rng.choice((0.0, 0.05, 0.3))
        weather.repeated = rng.choice((0.0, 0.1, 0.3))
        weather.delay_ms_max = rng.choice((20, 300, 3_000))
        for mood in ("stored_no_answer", "not_stored_no_answer", "unavailable", "too_many"):
            setattr(moods, mood, rng.choice((0.0, 0.0, 0.1, 0.4)))
        moods.broken = rng.choice((0.0, 0.1))
        moods.search_fails = rng.choice((0.0, 0.3))
        for machine in self._machines():
            machine.fate.before = rng.choice((0.0, 0.01, 0.05))
            machine.fate.after = rng.choice((0.0, 0.01, 0.05))
            for _ in range(rng.randint(0, 2)):
                self.agenda.after(rng.randint(0, FAULTS_MS), machine.crash)
            for _ in range(rng.randint(0, 2)):
                self._plan_partition(machine, rng.randint(0, FAULTS_MS))

    def _plan_partition(self, machine: Machine, at_ms: int) -> None:
        self.agenda.after(at_ms, lambda: self.broker.cut(machine.name))
        length_ms = self.rng.randint(1_000, 60_000)
        self.agenda.after(at_ms + length_ms, lambda: self.broker.mend(machine.name))

    def _end_faults(self) -> None:
        self.broker.weather.clear()
        self.onss.moods.clear()
        for machine in self._machines():
            machine.fate.spare()
            self.broker.mend(machine.name)

    # -- the end ----------------------------------------------------------------------------------

    def _machines(self) -> list[Machine]:
        return [self.gateway, *self.terminals]

    def _fork(self) -> random.Random:
        return random.Random(self.rng.random())

    def _evidence(self) -> Evidence:
        segments: dict[str, list[bytes]] = {}
        settled: dict[str, str] = {}
        journal: dict[Identity, dict[str, Any]] = {}
        for terminal in self.terminals:
            for path in sorted((terminal.folder / "state" / "journal").glob("*.db")):
                ((origin,),) = rows(path, "SELECT origin FROM segment")
                segments[origin] = [leaf for _, leaf in _leaves(path)]
                journal.update(_taps(origin, segments[origin]))
                newest = "SELECT note FROM note WHERE origin = '{}' ORDER BY size DESC LIMIT 1"
                for (note,) in rows(path, newest.format(origin)):
                    settled[origin] = note
        ledger_path = self.gateway.ledger_path
        logs = rows(ledger_path, "SELECT id, origin FROM log")
        leaves = "SELECT seq, leaf FROM entry WHERE log = {} ORDER BY seq"
        taps = "SELECT first_origin, first_seq, state, reason, onss_id FROM tap"
        return Evidence(
            promised={
                identity: direction
                for terminal in self.terminals
                for identity, direction in terminal.promised.items()
            },
            journal=journal,
            segments=segments,
            settled=settled,
            cosigner=self.gateway.cosigner,
            ledger={
                (origin, seq): (state, reason, onss_id)
                for origin, seq, state, reason, onss_id in rows(ledger_path, taps)
            },
            ledger_leaves={
                origin: [leaf for _, leaf in rows(ledger_path, leaves.format(log))]
                for log, origin in logs
            },
            onss=self.onss.rows,
            badges=self.badges,
        )


def _leaves(path: Path) -> list[tuple[Any, ...]]:
    return rows(path, "SELECT seq, leaf FROM entry ORDER BY seq")


def _taps(origin: str, leaves: list[bytes]) -> Iterator[tuple[Identity, dict[str, Any]]]:
    for leaf in map(json.loads, leaves):
        if leaf["kind"] == "tap":
            first = leaf.get("carried", {"origin": origin, "seq": leaf["seq"]})
            yield (first["origin"], first["seq"]), leaf


def _digest(evidence: Evidence) -> str:
    """A run in 16 hex digits: the same seed must give the same."""
    told = [
        sorted(evidence.promised.items()),
        sorted(evidence.segments.items()),
        sorted(evidence.ledger.items(), key=str),
        [row.item for row in evidence.onss],
    ]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]
