"""Forwarding against the sandbox, every fault in any order, killed between any two steps.

At the end each registration is at the ONSS once, or rejected, or held for a person with a reason;
the ledger equals the sandbox; no attempt was ever changed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from joserfc.jwk import RSAKey

from ciao.link import Connected
from gateway.core import Edges, Gateway, Settings
from gateway.events import Answered, Consult, Consulted, Effect, Event, Submit, Tick
from gateway.forwarding.submitting import Limits
from gateway.ledger import Ledger, migrate
from gateway.sandbox.store import registrations
from tests.forwarding.wire import Peer
from tests.gateway import twins
from tests.gateway.twins import Badge, Journal

EMPLOYERS = ("shiny", "sparkle")
TERMINALS = ("hall-3", "hall-9")
# Made up; valid by their check digits only.
PEOPLE = {f"{n:09d}{97 - n % 97:02d}": EMPLOYERS[n % 2] for n in range(1, 7)}
SETTLING_S = 60.0
STEPS_A_RUN = 40

# A status answered after storing would be the service's lie: what it refuses in its own words is
# certainly not stored (docs/protocol/onss.md). What isn't its own word may come after storing.
REFUSALS = ("401", "403", "404", "413", "429", "503")
UNCLEAR = (
    "500",
    "502",
    "504",
    "drop_before",
    "drop_after_storing",
    "malformed",
    "html",
    "redirect",
)


@st.composite
def faults(draw: st.DrawFn) -> dict[str, Any]:
    on = draw(st.sampled_from(["register", "register", "register", "search", "token"]))
    name = draw(st.sampled_from((*REFUSALS, *UNCLEAR)))
    stored = name in UNCLEAR and name != "drop_before" and draw(st.booleans())
    return {
        "fault": name,
        "on": on,
        "count": draw(st.integers(1, 4)),
        "seconds": draw(st.sampled_from([0, 1, 40])),
        "stored": stored,
    }


@cache
def keys() -> dict[str, RSAKey]:
    return {employer: RSAKey.generate_key(2048) for employer in EMPLOYERS}


@cache
def empty_ledger() -> Path:
    path = Path(tempfile.mkdtemp(prefix="ciao-")) / "ledger.db"
    migrate(path)
    return path


# A gateway that is killed here loses no power, so a disk would only cost time.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class Forwarding(RuleBasedStateMachine):
    """One gateway, two employers, two terminals, six people, and everything that goes wrong."""

    # Over all runs: in which states taps ended, and how calls did.
    reached: ClassVar[Counter[str]] = Counter()
    answers: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="ciao-", dir=MEMORY))
        shutil.copy(empty_ledger(), self.folder / "ledger.db")
        self.second = 0.0
        self.peer = Peer(self.folder, self._now, keys())
        self.people = twins.TwinPeople()
        self.journals = {terminal: Journal(terminal) for terminal in TERMINALS}
        for terminal in TERMINALS:
            self.people.add_terminal(terminal)
        for number, (ssin, employer) in enumerate(PEOPLE.items()):
            self.people.enrol(uid(ssin), Badge(f"w{number}", ssin, employer=employer))
        self.refused: set[str] = set()
        self.starts = 0
        self.attempts: dict[str, dict[Any, Any]] = {}
        self.ledger: Ledger | None = None

    @initialize(
        calls=st.integers(1, 4),
        items=st.sampled_from([1, 1, 3]),
        in_order=st.booleans(),
        some=st.lists(faults(), min_size=2, max_size=8),
        refused=st.sets(st.sampled_from(sorted(PEOPLE)), max_size=2),
    )
    def start(
        self, calls: int, items: int, in_order: bool, some: list[dict[str, Any]], refused: set[str]
    ) -> None:
        """A morning in which things are broken already."""
        self.limits = Limits(calls, items, in_order, ahead_max=calls)
        self._open()
        for fault in some:
            self.peer.fault(fault)
        self.refused = refused
        self.peer.refuse(sorted(refused))
        for terminal in TERMINALS:
            self.tap(sorted(PEOPLE), terminal, "in", True)
        self.serve(1)

    def _now(self) -> float:
        return twins.at(self.second).at.timestamp()

    def _pass(self, seconds: float) -> None:
        """Let time go by; what the service works on late is done in time."""
        self.peer.late.arrive(self._now() + seconds)
        self.second += seconds

    def _open(self) -> None:
        self.starts += 1
        self.calls: list[Submit | Consult] = []
        self.arrived: list[Event] = []
        self.peer.connect()
        edges = Edges(
            twins.COSIGNER, twins.OPENERS, twins.seal_answer, twins.uuids(str(self.starts))
        )
        self.ledger = Ledger.open(self.folder / "ledger.db")
        settings = Settings(twins.GATEWAY, self.limits, SETTLING_S, polls=False)
        self.gateway = Gateway(self.ledger, self.people, edges, settings)
        self._step(Connected())
        self._pass(2)
        self._step(Tick())

    def _step(self, *events: Event) -> list[Effect]:
        effects = self.gateway.step(twins.at(self.second), events)
        self.calls += [one for one in effects if isinstance(one, Submit | Consult)]
        return effects

    # --- what happens ---------------------------------------------------------------------------

    @rule(
        who=st.lists(st.sampled_from(sorted(PEOPLE)), min_size=1, max_size=6),
        terminal=st.sampled_from(TERMINALS),
        direction=st.sampled_from(["in", "out"]),
        sent=st.booleans(),
    )
    def tap(self, who: list[str], terminal: str, direction: str, sent: bool) -> None:
        """Some people tap; what the terminal has comes now, or later."""
        for ssin in who:
            self._pass(10)
            self.journals[terminal].tap(uid(ssin), self.second, direction)
        if sent:
            self.bring(terminal)

    @rule(terminal=st.sampled_from(TERMINALS))
    def bring(self, terminal: str) -> None:
        """A terminal sends all that it has; what is held already comes again."""
        if self.journals[terminal].size:
            self._step(self.journals[terminal].message())
        while self.gateway.busy:
            self._step()

    @rule(some=st.lists(faults(), min_size=1, max_size=4), then=st.integers(0, 3))
    def break_something(self, some: list[dict[str, Any]], then: int) -> None:
        """Faults are switched on, and work goes on in them."""
        for fault in some:
            self.peer.fault(fault)
        self.serve(then)

    @rule(
        said=st.lists(st.sampled_from(["refused", "cut", "late"]), min_size=1, max_size=6),
        then=st.integers(0, 3),
    )
    def weather(self, said: list[str], then: int) -> None:
        """The line is broken for the next calls."""
        self.peer.weather += said
        self.serve(then)

    @rule(ssin=st.sampled_from(sorted(PEOPLE)))
    def refuse(self, ssin: str) -> None:
        """The ONSS doesn't know one of them for a while."""
        self.refused ^= {ssin}
        self.peer.refuse(sorted(self.refused))
        self.serve(1)

    @rule(many=st.integers(1, 6))
    def call(self, many: int) -> None:
        """Workers make some of the calls that were begun; their answers are not heard yet."""
        for _ in range(min(many, len(self.calls))):
            self._make(self.calls.pop(0))

    def _make(self, call: Submit | Consult) -> None:
        client = self.peer.clients[call.employer]
        if isinstance(call, Submit):
            self.arrived.append(Answered(call.attempt, client.register(call.items, call.trace_id)))
        else:
            self.arrived.append(Consulted(call.tap, client.search(call.query, call.trace_id)))

    @rule()
    def hear(self) -> None:
        """The gateway takes what has been answered."""
        arrived, self.arrived = self.arrived, []
        self._step(*arrived)

    @rule(times=st.integers(1, 3))
    def serve(self, times: int) -> None:
        """Everything that is begun is called and heard, as in an ordinary second."""
        for _ in range(times):
            self.call(len(self.calls))
            self.hear()
        self._pass(1)
        self._step(Tick())

    @rule(seconds=st.sampled_from([1, 5, 30, 120, 900]))
    def time_goes_by(self, seconds: int) -> None:
        self._pass(seconds)
        self._step(Tick())

    @rule()
    def kill(self) -> None:
        """The gateway dies: what it had begun and what it had not heard yet is gone."""
        assert self.ledger is not None
        self.ledger.close()
        self._open()

    @rule()
    def kill_while_calling(self) -> None:
        """It dies after its calls have reached the service, and before it heard anything."""
        self.call(6)
        self.kill()

    # --- what must hold -------------------------------------------------------------------------

    @invariant()
    def no_attempt_is_ever_changed(self) -> None:
        if self.ledger is None:
            return
        for table in ("attempt_begun", "attempt_item", "attempt_ended"):
            rows = self.ledger._connection.execute(f"SELECT * FROM {table}").fetchall()
            width = 2 if table == "attempt_item" else 1
            now = {row[:width]: row for row in rows}
            for key, row in self.attempts.get(table, {}).items():
                assert now.get(key) == row, f"{table} {key} was {row}, is {now.get(key)}"
            self.attempts[table] = now

    def teardown(self) -> None:
        try:
            if self.ledger is not None:
                self._come_to_rest()
                self._compare()
                self.ledger.close()
        finally:
            shutil.rmtree(self.folder)

    def _come_to_rest(self) -> None:
        """Everything works again; a few hours go by."""
        self.peer.calm()
        for terminal in TERMINALS:
            self.bring(terminal)
        for _ in range(400):
            while self.calls or self.arrived or self.gateway.busy:
                self.call(len(self.calls))
                self.hear()
            if not self._open_states():
                return
            self.time_goes_by(120)
        raise AssertionError(f"never came to rest: {self._open_states()}")

    def _open_states(self) -> list[Any]:
        assert self.ledger is not None
        return self.ledger._connection.execute(
            "SELECT id, state, reason, due_ms FROM tap"
            " WHERE state IN ('recorded', 'submitted', 'unknown')"
        ).fetchall()

    def _compare(self) -> None:
        """Each tap against the sandbox's own rows, and they against the taps."""
        assert self.ledger is not None
        stored = {str(row["id"]): row for row in registrations(self.folder / "sandbox.db")}
        claimed: set[str] = set()
        for (
            worker,
            employer,
            at_ms,
            direction,
            state,
            reason,
            onss_id,
        ) in self.ledger._connection.execute(
            "SELECT worker, employer, at_ms, direction, state, reason, onss_id FROM tap"
        ):
            self.reached[state] += 1
            if state != "accepted":
                assert state in ("rejected", "held"), state
                assert reason and onss_id is None, (state, reason, onss_id)
                continue
            row = stored[onss_id]
            assert onss_id not in claimed, f"two taps claim {onss_id}"
            claimed.add(onss_id)
            at = datetime.fromisoformat(row["item"]["registrationDate"])
            said = (f"w{sorted(PEOPLE).index(row['ssin'])}", row["client"], row["type"])
            assert said == (worker, employer, direction)
            assert round(at.timestamp() * 1000) == at_ms
        assert claimed == set(stored), f"registered and claimed by no tap: {set(stored) - claimed}"
        self.answers.update(
            row[0] for row in self.ledger._connection.execute("SELECT what FROM attempt_ended")
        )
        taps = sum(len(journal.payloads) for journal in self.journals.values())
        (held,) = self.ledger._connection.execute("SELECT count(*) FROM tap").fetchone()
        assert held == taps


def uid(ssin: str) -> bytes:
    """A badge of one person."""
    return b"\x04" + int(ssin).to_bytes(6, "big")
