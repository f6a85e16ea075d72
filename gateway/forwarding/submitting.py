"""Calls to the ONSS: begun in the ledger before they are made, ended in it with the answer.

Begun and never ended, as after a crash, is `unknown`, never sent again blindly (DESIGN 4).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from ciao.registration import State
from gateway.events import Answered, Effect, Report, Submit
from gateway.forwarding import answers
from gateway.forwarding.answers import Sealer
from gateway.forwarding.desk import Desk
from gateway.forwarding.resolution import Ready
from gateway.forwarding.resolution import decide as decide_tap
from gateway.forwarding.services import Services
from gateway.forwarding.turns import Candidate, calls, retry_ms
from gateway.ledger.rows import Moment, Sealed, Tap
from gateway.onss.cases import Act, Case
from gateway.onss.decisions import Verdict, decide
from gateway.onss.hints import remarked
from gateway.onss.mapping import Created, item
from gateway.restoring import REASON_RESTORED

# After a crash the service may still be at work on what was sent.
INTERRUPTED_WAIT_S = 5.0
INTERRUPTED = "interrupted"
# How long after an acceptance the service is asked whether it is final, and how long after that.
POLL_AFTER_S = (600, 3_600, 6 * 3_600, 86_400, 3 * 86_400, 7 * 86_400)
_AGAIN = frozenset({Act.RETRY, Act.RENEW_TOKEN})
_SMALLER = frozenset({Case.BAD_NEIGHBOUR, Case.CALL_TOO_LARGE})


@dataclass(frozen=True, slots=True)
class Limits:
    """For each employer: how many calls at once, and how many items in each.

    `ahead_max`: how many more calls are begun in the ledger, so that whoever makes them never
    waits for a disk. `in_order`: whether the answer's items are known to be in the call's order.
    """

    calls_max: int = 8
    items_max: int = 1
    in_order: bool = False
    ahead_max: int = 0


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that was begun: by whose credentials, and the taps in it."""

    employer: str
    taps: tuple[Tap, ...]


class Submitting:
    """Makes calls of the taps whose turn it is, and takes their answers."""

    def __init__(
        self,
        desk: Desk,
        services: Services,
        limits: Limits,
        sealer: Sealer,
        new_uuid: Callable[[], str],
    ) -> None:
        self._desk = desk
        self._services = services
        self._limits = limits
        self._sealer = sealer
        self._new_uuid = new_uuid
        self._begun: dict[int, _Call] = {}
        self.more = False

    def begin(self, now: Moment) -> list[Effect]:
        """At a start, nothing is on its way any more: what was is unknown."""
        interrupted = self._desk.taps.submitted()
        for tap in interrupted:
            moved = self._desk.move(tap, State.UNKNOWN, INTERRUPTED, now)
            self._desk.wait(moved, now.at_ms + retry_ms(INTERRUPTED_WAIT_S, 1, tap.id))
        return [Report("interrupted", {"taps": len(interrupted)})] if interrupted else []

    def work(self, now: Moment) -> list[Effect]:
        """Begin as many calls as there is room for, each employer's apart from the others'.

        While `more` is true, some lines were seen to have changed: call again soon.
        """
        self._desk.settle(now)
        self.more = False
        under_way = Counter(call.employer for call in self._begun.values())
        effects: list[Effect] = []
        for employer in self._desk.lines.employers():
            calls_max = self._limits.calls_max + self._limits.ahead_max
            room = self._services.room(employer, calls_max, under_way[employer], now)
            if room > 0:
                effects += self._of(employer, room, now)
        return effects

    def _of(self, employer: str, room: int, now: Moment) -> list[Effect]:
        """Begin up to `room` calls with one employer's credentials."""
        ready: dict[int, tuple[Tap, Ready]] = {}
        candidates = []
        for tap, sealed in self._desk.lines.due(employer, now.at_ms, room * self._limits.items_max):
            decision = self._ready(tap, sealed, now)
            if decision is None:
                self.more = True
            else:
                ready[tap.id] = (tap, decision)
                candidates.append(Candidate(tap.id, decision.employer, tap.alone))
        made = calls(candidates, self._limits.items_max, room)
        return [self._submit(call, ready, now) for call in made]

    def _ready(self, tap: Tap, sealed: Sealed, now: Moment) -> Ready | None:
        """Say as what the head of a line goes now; None where it doesn't after all."""
        if tap.state is not State.RECORDED or tap.due_ms > now.at_ms:
            # An unknown one that blocks its line no longer: the next one's turn has come.
            self._desk.refresh(tap)
            return None
        decision = decide_tap(self._desk.facts(tap, sealed))
        if self._desk.restoring.doubts(tap):
            # The backup still held it as not sent; it may have been since.
            self._desk.move(tap, State.UNKNOWN, REASON_RESTORED, now)
        elif not isinstance(decision, Ready):
            # The registry changed its mind since: revoked, say.
            self._desk.set_aside(tap, decision, now)
        elif (decision.worker, decision.employer) != (tap.worker, tap.employer):
            self._desk.assign(tap, decision)
        else:
            return decision
        return None

    def _submit(
        self, call: list[int], ready: Mapping[int, tuple[Tap, Ready]], now: Moment
    ) -> Submit:
        sent = [ready[number] for number in call]
        employer, trace_id = sent[0][1].employer, self._new_uuid()
        items = {tap.id: item(decision.registration) for tap, decision in sent}
        kept = {}
        for tap, decision in sent:
            said = msgspec.json.encode(answers.Sent(decision.worker, items[tap.id]))
            kept[tap.id] = self._sealer.seal(said, answers.sent_info(trace_id, tap.id))
        attempt = self._desk.attempts.begin(now.at_ms, employer, trace_id, kept)
        moved = [self._desk.send(tap, now, attempt) for tap, _ in sent]
        self._begun[attempt] = _Call(employer, tuple(moved))
        self._services.called(employer)
        return Submit(attempt, employer, tuple(items.values()), trace_id)

    def answered(self, event: Answered, now: Moment) -> list[Effect]:
        """End an attempt, and take each of its taps to what the decision table says."""
        call = self._begun.pop(event.attempt, None)
        if call is None:
            return [Report("stray_answer", {"attempt": event.attempt})]
        what = answers.in_a_word(event.answer)
        sealed = self._sealer.seal(
            answers.plaintext(event.answer), answers.attempt_info(event.attempt)
        )
        self._desk.attempts.end(event.attempt, now.at_ms, what, sealed)
        verdicts = decide(event.answer, len(call.taps), self._limits.in_order)
        told = verdicts[0]
        effects = self._services.heard(call.employer, told.case, told.after_s, now)
        paced = self._services.in_trouble(call.employer)
        for tap, verdict in zip(call.taps, verdicts, strict=True):
            judge(self._desk, tap, verdict, now, event.attempt, paced)
            if verdict.person:
                effects.append(Report("needs_a_person", {"tap": tap.id, "case": verdict.case}))
        return effects


def judge(
    desk: Desk,
    tap: Tap,
    verdict: Verdict,
    now: Moment,
    attempt: int | None = None,
    paced: bool = False,
) -> None:
    """Take a tap to what a verdict says of it, and say when it is looked at again.

    `paced`: the service is in trouble, so a breaker decides when a call may go. The tap itself
    is due at once then, or it would wait on when the service works again.
    """
    if verdict.case in _SMALLER:
        desk.taps.send_alone(tap.id)
    if verdict.act is Act.ACCEPTED:
        created = Created(verdict.onss_id or "", verdict.validity, verdict.remarks)
        due_ms = now.at_ms + POLL_AFTER_S[0] * 1000
        moved = desk.move(
            tap, verdict.state, None, now, attempt, due_ms=due_ms, onss_id=verdict.onss_id
        )
        settle_validity(desk, moved, created, now, attempt)
        return
    due_ms = now.at_ms
    if verdict.act is Act.UNKNOWN or (verdict.act in _AGAIN and not paced):
        due_ms += retry_ms(verdict.after_s, tap.tries, tap.id)
    reason = (verdict.reason or verdict.case).value
    desk.move(tap, verdict.state, reason, now, attempt, due_ms=due_ms)


def settle_validity(
    desk: Desk, tap: Tap, created: Created, now: Moment, attempt: int | None = None
) -> bool:
    """Take an accepted tap to the ONSS's last word on it; say whether there is one yet.

    `validity` is an open enumeration: only `valid` is taken for valid, and any remark is one.
    """
    if created.remarks:
        desk.move(tap, State.REMARKED, remarked(created.remarks), now, attempt)
    elif created.validity == "valid":
        desk.move(tap, State.VALID, None, now, attempt)
    else:
        return False
    return True
