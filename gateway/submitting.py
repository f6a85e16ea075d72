"""Calls to the ONSS: begun in the ledger before they are made, ended in it with the answer.

Begun and never ended, as after a crash, is `unknown`, never sent again blindly (DESIGN 4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ciao.registration import State
from gateway import answers
from gateway.answers import SealAnswer
from gateway.desk import Desk
from gateway.events import Answered, Effect, Report, Submit
from gateway.forward import Candidate, calls, retry_ms
from gateway.ledger.rows import Moment, Tap
from gateway.onss.cases import Act, Case
from gateway.onss.decisions import Verdict, decide
from gateway.onss.mapping import item
from gateway.resolution import Ready
from gateway.resolution import decide as decide_tap
from gateway.restoring import REASON_RESTORED

# After a crash the service may still be at work on what was sent.
INTERRUPTED_WAIT_S = 5.0
INTERRUPTED = "interrupted"
_SMALLER = frozenset({Case.BAD_NEIGHBOUR, Case.CALL_TOO_LARGE})


@dataclass(frozen=True, slots=True)
class Limits:
    """How many calls at once, how many items in each, and whether answers keep their order."""

    calls_max: int = 8
    items_max: int = 1
    in_order: bool = False


class Submitting:
    """Makes calls of the taps whose turn it is, and takes their answers."""

    def __init__(
        self, desk: Desk, limits: Limits, seal: SealAnswer, new_uuid: Callable[[], str]
    ) -> None:
        self._desk = desk
        self._limits = limits
        self._seal = seal
        self._new_uuid = new_uuid
        self._in_flight: set[int] = set()

    def begin(self, now: Moment) -> list[Effect]:
        """At a start, nothing is on its way any more: what was is unknown."""
        interrupted = self._desk.taps.submitted()
        for tap in interrupted:
            moved = self._desk.move(tap, State.UNKNOWN, INTERRUPTED, now)
            self._desk.wait(moved, now.at_ms + retry_ms(INTERRUPTED_WAIT_S, 1, tap.id), now)
        return [Report("interrupted", {"taps": len(interrupted)})] if interrupted else []

    def work(self, now: Moment) -> list[Effect]:
        """Begin as many calls as there is room for."""
        room = self._limits.calls_max - len(self._in_flight)
        if room <= 0:
            return []
        ready: dict[int, tuple[Tap, Ready]] = {}
        candidates = []
        for terminal, worker in self._desk.lines.due(now.at_ms, room * self._limits.items_max):
            tap = self._next(terminal, worker, now)
            decision = decide_tap(self._desk.facts(tap)) if tap is not None else None
            if tap is None or decision is None:
                continue
            if self._desk.restoring.doubts(tap):
                # The backup still held it as not sent; it may have been since.
                self._desk.move(tap, State.UNKNOWN, REASON_RESTORED, now)
                continue
            if isinstance(decision, Ready) and decision.worker != tap.worker:
                self._desk.assign(tap, decision, now)
            elif isinstance(decision, Ready):
                ready[tap.id] = (tap, decision)
                candidates.append(Candidate(tap.id, decision.employer, tap.alone))
            else:
                # The registry changed its mind since: revoked, say.
                self._desk.set_aside(tap, decision, now)
        return [
            self._submit(call, ready, now)
            for call in calls(candidates, self._limits.items_max, room)
        ]

    def _next(self, terminal: str, worker: str, now: Moment) -> Tap | None:
        """Return the tap whose turn it is in a line, if it is to go now."""
        whose = self._desk.turn(terminal, worker, now)
        if whose is None or whose.due_ms > now.at_ms:
            return None
        return self._desk.taps.get(whose.head)

    def _submit(
        self, call: list[int], ready: Mapping[int, tuple[Tap, Ready]], now: Moment
    ) -> Submit:
        sent = [ready[number] for number in call]
        employer, trace_id = sent[0][1].employer, self._new_uuid()
        attempt = self._desk.attempts.begin(now.at_ms, employer, trace_id, call)
        for tap, _ in sent:
            self._desk.move(tap, State.SUBMITTED, None, now, attempt)
        self._in_flight.add(attempt)
        items = tuple(item(decision.registration) for _, decision in sent)
        return Submit(attempt, employer, items, trace_id)

    def answered(self, event: Answered, now: Moment) -> list[Effect]:
        """End an attempt, and take each of its taps to what the decision table says."""
        if event.attempt not in self._in_flight:
            return [Report("stray_answer", {"attempt": event.attempt})]
        self._in_flight.discard(event.attempt)
        what = answers.in_a_word(event.answer)
        sealed = self._seal(answers.plaintext(event.answer), answers.attempt_info(event.attempt))
        self._desk.attempts.end(event.attempt, now.at_ms, what, sealed)
        taps = self._desk.attempts.taps(event.attempt)
        effects: list[Effect] = []
        for number, verdict in zip(
            taps, decide(event.answer, len(taps), self._limits.in_order), strict=True
        ):
            tap = self._desk.taps.get(number)
            judge(self._desk, tap, verdict, now, event.attempt)
            if verdict.person:
                effects.append(Report("needs_a_person", {"tap": number, "case": verdict.case}))
        return effects


def judge(desk: Desk, tap: Tap, verdict: Verdict, now: Moment, attempt: int | None = None) -> None:
    """Take a tap to what a verdict says of it, and say when it is looked at again."""
    reason = None if verdict.act is Act.ACCEPTED else (verdict.reason or verdict.case).value
    if verdict.case in _SMALLER:
        desk.taps.send_alone(tap.id)
    moved = desk.move(tap, verdict.state, reason, now, attempt)
    if verdict.onss_id is not None:
        desk.taps.at_onss(tap.id, verdict.onss_id)
    if verdict.remarks:
        desk.move(moved, State.REMARKED, None, now, attempt)
    elif verdict.act is Act.ACCEPTED and verdict.validity == "valid":
        desk.move(moved, State.VALID, None, now, attempt)
    elif verdict.act in (Act.RETRY, Act.RENEW_TOKEN, Act.UNKNOWN):
        desk.wait(moved, now.at_ms + retry_ms(verdict.after_s, tap.tries, tap.id), now)
