"""One run: terminals, a gateway, an ONSS, people, and everything that can go wrong, by its plan."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from ciao.reading import Reading, rfc3339
from gateway.forwarding.submitting import Limits
from tests.sim import office
from tests.sim.agenda import Agenda
from tests.sim.checks import CHECKS
from tests.sim.clocks import BEGIN
from tests.sim.evidence import Evidence, Outside, Watched, canonical, gather
from tests.sim.faults import ClockStep, DiskFull, LostSync, OnssDown, Setting
from tests.sim.gateway_machine import GatewayMachine
from tests.sim.machine import Machine
from tests.sim.network import Broker, Weather
from tests.sim.onss import Moods, Onss
from tests.sim.plan import FAULTS_MS, Plan
from tests.sim.reading import ledger_taps, rows, segments
from tests.sim.terminal_machine import TerminalMachine
from tests.sim.truth import Scene, Truth, Wrong

# Retries wait up to 15 minutes, and a hold-up of 10 is allowed (DESIGN 3.10): then it is over.
SETTLING_MS = 3 * 3_600_000
SLICE_MS = 10_000
QUIET_MS = 20_000
_OPEN = "SELECT count(*) FROM tap WHERE state IN ('recorded', 'submitted', 'unknown')"
# What can't be searched for (no trusted time, nobody's badge) is looked at again every 10 minutes.
_LOOKED_AT_MS = 25 * 60_000
_BUT_NOBODYS = " AND NOT (state = 'unknown' AND reason = 'restored' AND worker IS NULL)"


@dataclass(frozen=True, slots=True)
class Violation:
    """What a checker found."""

    check: str
    words: str

    def __str__(self) -> str:
        return f"{self.check}: {self.words}"


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to; `tally` counts what it was worth."""

    seed: int
    violations: tuple[Violation, ...]
    digest: str
    tally: Mapping[str, int] = field(default_factory=dict)


class World:
    """Everything of one run, in one folder."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.folder = folder
        self.agenda = agenda = Agenda()
        self.truth = truth = Truth()
        office.copy_to(folder)
        self.broker = broker = Broker(agenda, plan.rng("broker"))
        self.onss = Onss(agenda, plan.rng("onss"))
        self.gateway = GatewayMachine(folder, agenda, plan.rng("gateway"), broker, self.onss, truth)
        if plan.items_a_call > 1:
            self.gateway.limits = Limits(items_max=plan.items_a_call, in_order=True)
        self.terminals = {
            name: TerminalMachine(
                name, folder / name, agenda, plan.rng(name), broker, truth, plan.rng(f"{name} eyes")
            )
            for name in plan.terminals
        }

    def run(self) -> Result:
        """Live through faults, then through calm, then look."""
        for item in self.plan.items:
            item.put(self)
        rng = self.plan.rng("starts")
        for machine in self._machines():
            self.agenda.after(rng.randint(0, 500), machine.start)
        self.agenda.run_until(FAULTS_MS)
        self._calm()
        settled = self._settle()
        self.close()
        evidence = self._evidence(settled)
        violations = tuple(
            Violation(name, words) for name, check in CHECKS.items() for words in check(evidence)
        )
        digest = hashlib.sha256(canonical(evidence).encode()).hexdigest()[:16]
        return Result(self.plan.seed, violations, digest, self._tally(evidence))

    def machine(self, name: str) -> Machine:
        """Return a host by its name."""
        return self.gateway if name == self.gateway.name else self.terminals[name]

    def sense(self, terminal: str, now: Reading, ssin: str | None) -> None:
        """Note what lay at a terminal at a moment, beside what was noted of it before."""
        key = (terminal, now.boot, now.up_ms)
        true_at = BEGIN + timedelta(milliseconds=self.agenda.now_ms)
        before = self.truth.scenes.get(key)
        there = before.ssins if before else frozenset()
        there |= {ssin} if ssin else frozenset()
        self.truth.scenes[key] = Scene(rfc3339(now.at), true_at, there)

    def close(self) -> None:
        """End every program, and let all files go."""
        for machine in self._machines():
            machine.end()
        self.gateway.registry.close()

    def _calm(self) -> None:
        """The faults stop; what was begun (a partition, a full disk) ends as well."""
        self.broker.weather = Weather()
        self.onss.moods = Moods()
        for machine in self._machines():
            machine.fate.spare()
            machine.clock.put_right()

    def _settle(self) -> bool:
        """Let calm time pass until nothing is under way any more, or it is too late to be."""
        for end_ms in range(FAULTS_MS, FAULTS_MS + SETTLING_MS, SLICE_MS):
            self.agenda.run_until(end_ms + SLICE_MS)
            if self._nothing_open():
                self.agenda.run_until(self.agenda.now_ms + QUIET_MS)
                return True
        return False

    def _nothing_open(self) -> bool:
        if any(terminal.settled is None for terminal in self.terminals.values()):
            return False
        path = self.gateway.ledger_path
        held = dict(rows(path, "SELECT origin, size FROM log"))
        if any(held.get(one.origin) != one.settled for one in self.terminals.values()):
            return False
        promised = self.truth.promises.keys() - self.truth.lost.keys()
        long = self.agenda.now_ms >= FAULTS_MS + _LOOKED_AT_MS
        still = _OPEN + _BUT_NOBODYS if long else _OPEN
        return rows(path, still) == [(0,)] and promised <= ledger_taps(path).keys()

    def _machines(self) -> list[Machine]:
        return [self.gateway, *self.terminals.values()]

    def _evidence(self, settled: bool) -> Evidence:
        return gather(
            self.truth,
            {name: terminal.state for name, terminal in self.terminals.items()},
            self.gateway.ledger_path,
            self.onss,
            self.gateway.cosigners,
            settled,
            self._watched(),
            self._outside(),
        )

    def _outside(self) -> Outside:
        """Gather what failed around the terminals, and who ran when."""
        items = self.plan.items
        unsynced = [
            Wrong(one.machine, "clock_untrusted", "submit", one.at_ms, _over(one))
            for one in items
            if isinstance(one, LostSync)
        ]
        stepped = {one.machine for one in items if isinstance(one, ClockStep)}
        full: dict[str, list[tuple[int, int]]] = {}
        for one in items:
            if isinstance(one, DiskFull):
                full.setdefault(one.machine, []).append((one.at_ms, one.at_ms + one.length_ms))
        return Outside(
            wrong=[*self.truth.wrong, *unsynced],
            boots={
                boot: began_ms
                for machine in self._machines()
                for boot, began_ms in machine.clock.boots.items()
            },
            lives={machine.name: machine.lives for machine in self._machines()},
            full=full,
            unclear=frozenset(self.truth.rolled_back | stepped),
            lossy=any(isinstance(one, Setting) and _loses(one) for one in items),
            gateway=self.gateway.name,
            end_ms=self.agenda.now_ms,
        )

    def _watched(self) -> Watched:
        """Gather the gateway's own journal, and the truth that it was about."""
        items, gateway = self.plan.items, self.gateway
        downs = [one for one in items if isinstance(one, OnssDown)]
        fulls = [one for one in items if isinstance(one, DiskFull) and one.machine == gateway.name]
        return Watched(
            segments=list(segments(gateway.name, gateway.state)),
            down=[(one.how, one.at_ms, one.at_ms + one.length_ms) for one in downs],
            failed_ms=self.onss.failed_ms,
            lives=gateway.lives,
            full=[(one.at_ms, one.at_ms + one.length_ms) for one in fulls],
            asked=[one.outage for one in gateway.asked],
        )

    def _tally(self, evidence: Evidence) -> dict[str, int]:
        tally = {
            "taps": len(self.truth.promises),
            "crashes": sum(machine.crashes for machine in self._machines()),
            "registered": len(evidence.onss),
            "restored": int(self.truth.restored),
            "keys rolled": int(self.truth.rolled),
            "rolled back": len(self.truth.rolled_back),
        }
        for why in self.truth.lost.values():
            tally[why] = tally.get(why, 0) + 1
        for tap in evidence.taps.values():
            tally[tap.state] = tally.get(tap.state, 0) + 1
        return tally


def _over(one: LostSync) -> int:
    """Say when a clock is right again: when the faults stop, at the latest."""
    return min(one.at_ms + one.length_ms, FAULTS_MS)


def _loses(one: Setting) -> bool:
    """Say whether the network loses messages, or delivers old news after newer ones."""
    return one.name in ("lost", "garbled") or (one.name == "delay_ms_max" and one.value > 1_000)
