"""Forwarding against the sandbox, every fault in any order, killed between any two steps.

What must hold at the end is in `checks.py`; that no attempt is ever changed, after every step.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.forwarding.submitting import Limits
from tests.forwarding.checks import NEVER_CHANGED, Broken, judge, look
from tests.forwarding.way import Memory, Sockets, Way
from tests.forwarding.world import COMPANIES, PEOPLE, TERMINALS, World, uid

STEPS_A_RUN = 40
A_DAY_S = 25 * 3600
# By how much a clock is wrong before it is set.
WRONG_S = -7000

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
SOMEBODY = st.sampled_from(sorted(PEOPLE))
SOMEWHERE = st.sampled_from(TERMINALS)
WEATHER = st.lists(st.sampled_from(["refused", "cut", "late"]), max_size=6)
# Whose badge the office enters late, if at all before the end.
LATECOMER = max(PEOPLE)
# Of whom the ONSS remarks something.
REMARKED = min(PEOPLE)


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
def memory() -> Way:
    return Memory()


@cache
def sockets() -> Way:
    return Sockets()


class Forwarding(RuleBasedStateMachine):
    """One gateway, two employers, two terminals, six people, and everything that goes wrong."""

    # Over all runs: in which states taps ended, how calls did, and how many runs there were.
    reached: ClassVar[Counter[str]] = Counter()
    answers: ClassVar[Counter[str]] = Counter()
    runs: ClassVar[int] = 0
    way = staticmethod(memory)

    def __init__(self) -> None:
        super().__init__()
        self.world: World | None = None
        self.refused: set[str] = set()
        self.attempts: dict[str, dict[Any, Any]] = {}

    @initialize(
        calls=st.integers(1, 4),
        items=st.sampled_from([1, 1, 3]),
        in_order=st.booleans(),
        some=st.lists(faults(), min_size=0, max_size=8),
        said=WEATHER,
        refused=st.sets(SOMEBODY, max_size=2),
        final_s=st.sampled_from([None, 0, 3600]),
    )
    def start(
        self,
        calls: int,
        items: int,
        in_order: bool,
        some: list[dict[str, Any]],
        said: list[str],
        refused: set[str],
        final_s: float | None,
    ) -> None:
        """A morning in which things are broken already."""
        self.world = World(self.way(), Limits(calls, items, in_order, ahead_max=calls))
        self.world.people.badges.pop(self.world.people.badge_hmac(uid(LATECOMER)))
        self.world.peer.validity(final_s, [REMARKED])
        for fault in some:
            self.world.peer.fault(fault)
        self.world.peer.weather.add(said, tokens=False)
        self.refused = refused
        self.world.peer.refuse(sorted(refused))
        for terminal in TERMINALS:
            self.tap(sorted(PEOPLE), terminal, "in", "synced", True)
        self.serve(1)

    @property
    def live(self) -> World:
        assert self.world is not None
        return self.world

    # --- what happens ---------------------------------------------------------------------------

    @rule(
        who=st.lists(SOMEBODY, min_size=1, max_size=6),
        terminal=SOMEWHERE,
        direction=st.sampled_from(["in", "out"]),
        clock=st.sampled_from(["synced", "synced", "synced", "wrong"]),
        sent=st.booleans(),
    )
    def tap(self, who: list[str], terminal: str, direction: str, clock: str, sent: bool) -> None:
        """Some people tap; what the terminal has comes now, or later."""
        synced, wrong_s = (True, 0) if clock == "synced" else (False, WRONG_S)
        for ssin in who:
            self.live.pass_time(10)
            self.live.journals[terminal].tap(
                uid(ssin), self.live.second, direction, synced=synced, wrong_s=wrong_s
            )
        if sent:
            self.bring(terminal)

    @rule(terminal=SOMEWHERE)
    def bring(self, terminal: str) -> None:
        """A terminal sends all that it has; what is held already comes again."""
        self.live.bring(terminal)

    @rule(terminal=SOMEWHERE)
    def set_clock(self, terminal: str) -> None:
        """A terminal's clock is set right: what waited for that may go."""
        self.live.journals[terminal].clock_step(self.live.second, WRONG_S)

    @rule(ssin=st.sampled_from([LATECOMER, *sorted(PEOPLE)]), revoked=st.booleans())
    def enter(self, ssin: str, revoked: bool) -> None:
        """The office enters a badge, or that it is lost."""
        self.live.enrol(ssin, revoked)
        self.live.tick(1)

    @rule(badge=SOMEBODY, holder=SOMEBODY, company=st.sampled_from(COMPANIES))
    def correct(self, badge: str, holder: str, company: str) -> None:
        """The office corrects itself: a badge is, and always was, somebody else's, or elsewhere."""
        self.live.correct(badge, holder, company)
        self.live.tick(1)

    @rule(
        what=st.sampled_from(["release", "release", "abandon"]),
        which=st.integers(0, 99),
    )
    def decide(self, what: str, which: int) -> None:
        """A person decides on something that waits for one."""
        waiting = "SELECT id FROM tap WHERE state IN ('held', 'rejected') ORDER BY id"
        found = self.live.rows(waiting)
        if found:
            self.live.decide(what, found[which % len(found)][0])
        self.live.tick(1)

    @rule(some=st.lists(faults(), min_size=1, max_size=4), then=st.integers(0, 3))
    def break_something(self, some: list[dict[str, Any]], then: int) -> None:
        """Faults are switched on, and work goes on in them."""
        for fault in some:
            self.live.peer.fault(fault)
        self.serve(then)

    @rule(
        said=WEATHER,
        tokens=st.sampled_from([False, False, False, True]),
        then=st.integers(0, 3),
    )
    def weather(self, said: list[str], tokens: bool, then: int) -> None:
        """The line is broken for the next calls."""
        self.live.peer.weather.add(said, tokens)
        self.serve(then)

    @rule(ssin=SOMEBODY)
    def refuse(self, ssin: str) -> None:
        """The ONSS doesn't know one of them for a while."""
        self.refused ^= {ssin}
        self.live.peer.refuse(sorted(self.refused))
        self.serve(1)

    @rule(many=st.integers(1, 6))
    def call(self, many: int) -> None:
        """Workers make some of the calls that were begun; their answers are not heard yet."""
        self.live.call(many)

    @rule()
    def hear(self) -> None:
        """The gateway takes what has been answered."""
        self.live.hear()

    @rule(times=st.integers(1, 3))
    def serve(self, times: int) -> None:
        """Everything that is begun is called and heard, as in an ordinary second."""
        for _ in range(times):
            self.live.call(len(self.live.calls))
            self.live.hear()
        self.live.tick(1)

    @rule(seconds=st.sampled_from([1, 5, 30, 120, 900, A_DAY_S]))
    def time_goes_by(self, seconds: int) -> None:
        self.live.tick(seconds)

    @rule()
    def kill(self) -> None:
        """The gateway dies: what it had begun and what it had not heard yet is gone."""
        self.live.kill()

    @rule()
    def kill_while_calling(self) -> None:
        """It dies after its calls have reached the service, and before it heard anything."""
        self.live.call(6)
        self.live.kill()

    # --- what must hold -------------------------------------------------------------------------

    @invariant()
    def no_attempt_is_ever_changed(self) -> None:
        if self.world is None:
            return
        for table, width in (
            ("attempt_begun", 1),
            ("attempt_item", 2),
            ("attempt_ended", 1),
        ):
            now = {row[:width]: row for row in self.world.rows(f"SELECT * FROM {table}")}
            for key, row in self.attempts.get(table, {}).items():
                if now.get(key) != row:
                    words = f"{table} {key} was {row}, is {now.get(key)}"
                    raise Broken(NEVER_CHANGED, [words])
            self.attempts[table] = now

    def teardown(self) -> None:
        if self.world is None:
            return
        try:
            self._come_to_rest()
            self.no_attempt_is_ever_changed()
        finally:
            self.world.close()
        Forwarding.runs += 1

    def _come_to_rest(self) -> None:
        rested = self.live.come_to_rest()
        seen = look(self.live, rested)
        judge(seen)
        self.reached.update(tap.state for tap in seen.taps)
        ended = self.live.rows("SELECT what FROM attempt_ended")
        self.answers.update(what for (what,) in ended)


class OverSockets(Forwarding):
    """The same, over real sockets."""

    way = staticmethod(sockets)
