"""What is known of one tap, as lines for a person who has to decide on it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from ciao.moments import shown_ms, shown_text
from ciao.registration import State
from ciao.texts import N_
from gateway.explaining.frame import decision_names, direction, state_names
from gateway.explaining.words import Say, explain
from gateway.forwarding.answers import Sent, attempt_info, search_info, sent_info
from gateway.intake import epoch_ms
from gateway.ledger.history import Attempt, Change, History, Search
from gateway.logs import masked
from gateway.onss.answers import Answer, NoAnswer, Outcome, Silence
from gateway.onss.consult import found
from gateway.onss.decisions import decide
from gateway.onss.problems import problem

RAW_CHARS_MAX = 4_000

# Opens what an answer was sealed as, for its place; None where it does not open.
Open = Callable[[bytes, bytes], bytes | None]


class _Written(msgspec.Struct):
    """An outcome as `forwarding.answers.plaintext` writes it."""

    trace_id: str
    status: int = 0
    headers: dict[str, str] = {}
    body: bytes = b""
    renewed: bool = False
    reason: Silence | None = None
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer comes to: `code` of the reasons, `said` in short, `raw` masked."""

    code: str | None
    said: str
    raw: str


def read(plaintext: bytes) -> Outcome:
    """Read a sealed answer's plaintext; raise msgspec.DecodeError."""
    w = msgspec.json.decode(plaintext, type=_Written)
    if w.reason is not None:
        return NoAnswer(w.reason, w.sent, w.trace_id)
    return Answer(w.status, w.headers, w.body, w.trace_id, w.renewed)


def of_attempt(attempt: Attempt, open_: Open) -> Told | None:
    """Say what a call's answer means for the tap; None where it does not open."""
    outcome = _opened(attempt.answer, attempt_info(attempt.attempt), open_)
    if outcome is None:
        return None
    verdict = decide(outcome, attempt.items)[attempt.position]
    code = verdict.reason or verdict.case
    return Told(str(code), _said(outcome), _raw(outcome))


def of_sent(attempt: Attempt, tap: int, open_: Open) -> Sent | None:
    """Say what a call said of a tap, its NISS masked; None where it does not open."""
    plaintext = None
    if attempt.sent is not None:
        plaintext = open_(attempt.sent, sent_info(attempt.trace_id, tap))
    if plaintext is None:
        return None
    sent = msgspec.json.decode(plaintext, type=Sent)
    return Sent(sent.worker, {**sent.item, "ssin": masked(sent.item["ssin"])})


def of_search(search: Search, tap: int, open_: Open) -> Told | None:
    """Say what a search's answer holds; None where it does not open."""
    outcome = _opened(search.answer, search_info(tap), open_)
    if outcome is None:
        return None
    rows = found(outcome.body) if isinstance(outcome, Answer) else None
    said = _said(outcome)
    if rows is not None:
        ids = ", ".join(row.created.onss_id for row in rows)
        said += f", {len(rows)} found{f': {ids}' if ids else ''}"
    return Told(None, said, _raw(outcome))


def _opened(sealed: bytes | None, info: bytes, open_: Open) -> Outcome | None:
    plaintext = open_(sealed, info) if sealed is not None else None
    try:
        return None if plaintext is None else read(plaintext)
    except msgspec.DecodeError:
        return None


def _said(outcome: Outcome) -> str:
    if isinstance(outcome, NoAnswer):
        return f"{outcome.reason}, {'sent' if outcome.sent else 'nothing was sent'}"
    told = problem(outcome)
    if told is None:
        return str(outcome.status)
    issues = [f"{one.kind} at {one.field or 'nothing named'}" for one in told.issues[:3]]
    return " ".join(
        [f"{outcome.status} {told.kind}", *([f"({'; '.join(issues)})"] if issues else [])]
    )


def _raw(outcome: Outcome) -> str:
    body = outcome.body.decode("utf-8", "replace") if isinstance(outcome, Answer) else ""
    return masked(body)[:RAW_CHARS_MAX]


class Story:
    """One tap's lines, in a language."""

    def __init__(
        self, history: History, open_: Open, say: Say, raw: bool, searches: bool = True
    ) -> None:
        self._history = history
        self._open = open_
        self._say = say
        self._raw = raw
        self._searches = searches

    def lines(self) -> Iterator[str]:
        """Write how it stands, what happened, and what can be decided."""
        h, tap, _ = self._history, self._history.tap, self._say
        at = shown_text(tap.derived_at or tap.at, exact=True)
        yield _("tap {tap}").format(tap=tap.tap) + (
            f"  {tap.terminal}  {direction(tap.direction, _)}  {at}"
        )
        if tap.derived_at is not None:
            said = _("its clock said {said}; the time is by {basis}")
            yield "  " + said.format(said=shown_text(tap.at, exact=True), basis=tap.basis)
        entry = _("entry {seq} of {origin}").format(seq=tap.seq, origin=tap.origin)
        if h.declaration is None:
            of_it = _("deleted with its log")
        else:
            of_it = _("declaration {declaration}").format(declaration=h.declaration)
        yield f"  {entry}, {of_it}"
        stands = _("{state} since {moment}").format(
            state=self._state(tap.state), moment=shown_ms(tap.since_ms, exact=True)
        )
        named = _("the ONSS's id is {id}").format(id=h.onss_id) if h.onss_id else ""
        yield f"  {stands}" + (f", {named}" if named else "")
        if words := explain(tap.reason, self._say):
            yield f"  {tap.reason}: {words}"
        if h.deleted_ms is not None:
            gone = _("deleted after its time, {moment}: whose it was, and what the ONSS answered")
            yield "  " + gone.format(moment=shown_ms(h.deleted_ms))
        yield from self._happened()
        yield from self._can(State(tap.state))

    def _state(self, code: str) -> str:
        return state_names(self._say)[State(code)]

    def _happened(self) -> Iterator[str]:
        h, _ = self._history, self._say
        # Within one millisecond: what was decided, what was begun, and what it led to.
        events: list[tuple[int, int, list[str]]] = []
        for change in h.changes:
            why = f" ({change.reason})" if change.reason else ""
            rank = 1 if change.after == State.SUBMITTED else 3
            events.append((change.at_ms, rank, [self._change(change, why)]))
        events += [(one.at_ms, 2, self._attempt(one)) for one in h.attempts]
        events += [(one.at_ms, 2, self._search(one)) for one in h.searches]
        for one in h.decisions:
            what = decision_names(_).get(one.what, one.what) + (
                f" {one.value}" if one.value else ""
            )
            person = _("a person: {what}, “{why}”: {result}")
            result = one.result or _("not taken yet")
            said = person.format(what=what, why=one.why, result=result)
            events.append((one.at_ms, 0, [said]))
        if events:
            yield ""
        for at_ms, _rank, (first, *more) in sorted(events, key=lambda event: event[:2]):
            yield f"  {shown_ms(at_ms, exact=True)}  {first}"
            for line in more:
                yield f"  {'':29}    {line}"

    def _change(self, change: Change, why: str) -> str:
        return f"{self._state(change.before)} → {self._state(change.after)}{why}"

    def _attempt(self, one: Attempt) -> list[str]:
        _ = self._say
        call = _("call {call} with {employer}'s credential")
        item = _("item {item} of {items}").format(item=one.position + 1, items=one.items)
        lines = [
            call.format(call=one.attempt, employer=one.employer)
            + (f", {item}" if one.items > 1 else ""),
            _("trace {id}").format(id=one.trace_id),
            *self._sent(one),
        ]
        if one.ended_ms is None:
            stopped = _("no end of it is known: the gateway stopped while it was under way")
            return [*lines, stopped]
        ended = _("after {seconds} s: ").format(seconds=f"{(one.ended_ms - one.at_ms) / 1000:.1f}")
        return [*lines, *self._told(ended, one.what, of_attempt(one, self._open))]

    def _sent(self, one: Attempt) -> Iterator[str]:
        sent, _ = of_sent(one, self._history.tap.tap, self._open), self._say
        if sent is None:
            return
        said = _("sent: {direction} {at}, person {person}, company {company}, {declaration}")
        (company,) = sent.item["employer"].values()
        at = datetime.fromisoformat(sent.item["registrationDate"])
        yield said.format(
            direction=direction(sent.item["type"], _),
            at=shown_ms(epoch_ms(at), exact=True),
            person=sent.worker,
            company=company,
            declaration=sent.item["contractualRelationshipReference"],
        )

    def _search(self, one: Search) -> list[str]:
        _ = self._say
        return [
            _("search"),
            *self._told("", one.what, of_search(one, self._history.tap.tap, self._open)),
        ]

    def _told(self, lead: str, what: str | None, told: Told | None) -> Iterator[str]:
        if told is None:
            if self._history.deleted_ms is not None:
                why = self._say(N_("its answer was deleted"))
            else:
                why = self._say(N_("its answer does not open with this gateway's key"))
            yield f"{lead}{what} ({why})"
            return
        yield f"{lead}{told.said}"
        if words := explain(told.code, self._say):
            yield f"{told.code}: {words}"
        if self._raw and told.raw:
            yield told.raw

    def _can(self, state: State) -> Iterator[str]:
        number, _ = self._history.tap.tap, self._say
        give_up = _command(f"abandon {number}", _("give it up"))
        if state is State.UNKNOWN:
            yield ""
            if not self._searches:
                yield _("There is no search (onss.search_path): only a person can tell.")
            yield _("Look at the ONSS by hand for what was sent, and by trace ids; then say:")
            yield _command(f"found {number} --id ID", _("it is there"))
            yield _command(f"absent {number}", _("it is not: send it"))
            yield give_up
        elif self._history.deleted_ms is not None and state in (State.WITHHELD, State.REJECTED):
            yield ""
            yield give_up
        elif state in (State.HELD, State.WITHHELD, State.REJECTED):
            yield ""
            yield _command(f"release {number}", _("send it"))
            yield give_up
        elif state is State.UNRESOLVED:
            yield ""
            yield _("Enrol the badge (ciao-provision badge add), and it goes; or give it up:")
            yield give_up

    def as_json(self) -> dict[str, Any]:
        """Return the same for programs."""
        h = self._history
        tap = msgspec.to_builtins(h.tap)
        return {
            **tap,
            "explained": explain(h.tap.reason, self._say),
            "onss_id": h.onss_id,
            "declaration": h.declaration,
            "deleted_ms": h.deleted_ms,
            "changes": msgspec.to_builtins(h.changes),
            "attempts": [
                {
                    **_without_answer(one),
                    "sent": _plain(of_sent(one, h.tap.tap, self._open)),
                    "told": _plain(of_attempt(one, self._open)),
                }
                for one in h.attempts
            ],
            "searches": [
                {**_without_answer(one), "told": _plain(of_search(one, h.tap.tap, self._open))}
                for one in h.searches
            ],
            "decisions": msgspec.to_builtins(h.decisions),
        }


def _command(words: str, does: str) -> str:
    return f"  {f'ciao-gateway acknowledge {words} --why TEXT':<56}  {does}"


def _without_answer(one: Attempt | Search) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(one)
    for sealed in ("answer", "sent"):
        fields.pop(sealed, None)
    return fields


def _plain(told: Told | Sent | None) -> Any:
    return None if told is None else msgspec.to_builtins(told)
