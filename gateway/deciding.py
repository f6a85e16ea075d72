"""What a person decided, taken: taps released or given up, a terminal's troubles acknowledged.

`ciao-gateway acknowledge` writes a decision beside whatever the gateway does, and the gateway
takes it here, in a step of its own (decision 9): what becomes of a tap has one author.
"""

from __future__ import annotations

from ciao.registration import State
from gateway.events import Effect, Report
from gateway.forwarding.desk import Desk
from gateway.forwarding.identifying import Identifying
from gateway.forwarding.submitting import judge
from gateway.ledger import Ledger
from gateway.ledger.care import Decision
from gateway.ledger.rows import Moment, Tap
from gateway.onss.cases import Case
from gateway.onss.decisions import Verdict
from gateway.receiving import segments_seen
from gateway.restoring import Restoring

PER_STEP_MAX = 32
GIVEN_UP = "given_up"
RELEASED = "released"
RELEASABLE = frozenset({State.HELD, State.WITHHELD, State.REJECTED, State.UNKNOWN})
ABANDONABLE = frozenset(
    {State.HELD, State.WITHHELD, State.REJECTED, State.UNKNOWN, State.UNRESOLVED}
)


# One without an answer, looked for by hand.
LOOKED_UP = frozenset({State.UNKNOWN})


class Deciding:
    """Takes decisions; each method runs inside the ledger's transaction."""

    def __init__(
        self, ledger: Ledger, desk: Desk, identifying: Identifying, restoring: Restoring
    ) -> None:
        self._custody = ledger.custody
        self._care = ledger.care
        self._deletions = ledger.deletions
        self._desk = desk
        self._identifying = identifying
        self._restoring = restoring

    def work(self, now: Moment) -> list[Effect]:
        """Take some decisions, oldest first."""
        effects: list[Effect] = []
        for decision in self._care.undone(PER_STEP_MAX):
            result, told = self._take(decision, now)
            self._care.done(decision.id, now.at_ms, result)
            fields = {"what": decision.what, "subject": decision.subject, "result": result}
            effects += [Report("decided", fields), *told]
        return effects

    def _take(self, decision: Decision, now: Moment) -> tuple[str, list[Effect]]:
        match decision.what:
            case "release" | "abandon":
                return self._tap(decision, now), []
            case "found" | "absent":
                return self._looked_up(decision, now), []
            case "terminal":
                seen = self._custody.logs_of(decision.subject)
                self._custody.put_fact(segments_seen(decision.subject), seen)
                return (f"{self._care.acknowledge(decision.subject, now.at_ms)} acknowledged", [])
            case "disclose":
                # Done by whoever asked; kept here, and in the log, that it was.
                return "disclosed", []
            case "restored":
                self._restoring.mark(now)
                return "marked", self._restoring.ask_all()

    def _tap(self, decision: Decision, now: Moment) -> str:
        tap = self._desk.taps.find(int(decision.subject))
        if tap is None:
            return "no such tap"
        allowed = RELEASABLE if decision.what == "release" else ABANDONABLE
        if tap.state not in allowed:
            return f"not possible: it is {tap.state}"
        if decision.what == "release" and self._deletions.is_forgotten(tap.id):
            return "not possible: whose it is was deleted after its time"
        if decision.what == "abandon":
            self._desk.move(tap, State.ABANDONED, GIVEN_UP, now)
            return "given up"
        self._release(self._desk.taps.release(tap), now)
        return "released"

    def _looked_up(self, decision: Decision, now: Moment) -> str:
        """Take a person's word for what a search would have said of a tap without an answer."""
        tap = self._desk.taps.find(int(decision.subject))
        if tap is None or tap.state is not State.UNKNOWN:
            return "no such tap" if tap is None else f"not possible: it is {tap.state}"
        if decision.what == "found":
            judge(self._desk, tap, Verdict(Case.FOUND, onss_id=decision.value), now)
            return f"found: {decision.value}"
        self._desk.taps.cleared(tap.id, self._desk.restoring.times)
        judge(self._desk, tap, Verdict(Case.NOT_THERE), now)
        if tap.badge is not None:
            self._identifying.settle(self._desk.taps.get(tap.id), now)
        return "not there"

    def _release(self, tap: Tap, now: Moment) -> None:
        """Let a tap go; one without an answer is still searched for before it is sent."""
        if tap.state is State.UNKNOWN:
            self._desk.wait(tap, now.at_ms)
            return
        moved = self._desk.move(tap, State.RECORDED, RELEASED, now)
        if moved.badge is not None:
            self._identifying.settle(moved, now)
