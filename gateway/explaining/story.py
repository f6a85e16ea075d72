"""What is known of one tap, as lines for a person who has to decide on it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from ciao.moments import shown_ms, shown_text
from ciao.registration import State
from gateway.explaining.words import Say, explain
from gateway.forwarding.answers import attempt_info, search_info
from gateway.ledger.history import Attempt, History, Search
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
        h, tap = self._history, self._history.tap
        at = shown_text(tap.derived_at or tap.at, exact=True)
        yield f"tap {tap.tap}  {tap.terminal}  {tap.direction}  {at}"
        if tap.derived_at is not None:
            yield f"  its clock said {shown_text(tap.at, exact=True)}; the time is by {tap.basis}"
        what = "deleted with its log" if h.declaration is None else f"declaration {h.declaration}"
        yield f"  entry {tap.seq} of {tap.origin}, {what}"
        yield f"  {tap.state} since {shown_ms(tap.since_ms, exact=True)}" + (
            f", the ONSS's id is {h.onss_id}" if h.onss_id else ""
        )
        if words := explain(tap.reason, self._say):
            yield f"  {tap.reason}: {words}"
        if h.deleted_ms is not None:
            when = shown_ms(h.deleted_ms)
            yield f"  deleted after its time, {when}: whose it was, and what the ONSS answered"
        yield from self._happened()
        yield from self._can(State(tap.state))

    def _happened(self) -> Iterator[str]:
        h = self._history
        # Within one millisecond: what was decided, what was begun, and what it led to.
        events: list[tuple[int, int, list[str]]] = []
        for change in h.changes:
            why = f" ({change.reason})" if change.reason else ""
            rank = 1 if change.after == State.SUBMITTED else 3
            events.append((change.at_ms, rank, [f"{change.before} → {change.after}{why}"]))
        events += [(one.at_ms, 2, self._attempt(one)) for one in h.attempts]
        events += [(one.at_ms, 2, self._search(one)) for one in h.searches]
        for one in h.decisions:
            value = f" {one.value}" if one.value else ""
            result = one.result or "not taken yet"
            events.append((one.at_ms, 0, [f"a person: {one.what}{value}, “{one.why}”: {result}"]))
        if events:
            yield ""
        for at_ms, _, (first, *more) in sorted(events, key=lambda event: event[:2]):
            yield f"  {shown_ms(at_ms, exact=True)}  {first}"
            for line in more:
                yield f"  {'':29}    {line}"

    def _attempt(self, one: Attempt) -> list[str]:
        many = f", item {one.position + 1} of {one.items}" if one.items > 1 else ""
        lines = [
            f"call {one.attempt} with {one.employer}'s credential{many}",
            f"trace {one.trace_id}",
        ]
        if one.ended_ms is None:
            return [*lines, "no end of it is known: the gateway stopped while it was under way"]
        ended = f"after {(one.ended_ms - one.at_ms) / 1000:.1f} s: "
        return [*lines, *self._told(ended, one.what, of_attempt(one, self._open))]

    def _search(self, one: Search) -> list[str]:
        return [
            "search",
            *self._told("", one.what, of_search(one, self._history.tap.tap, self._open)),
        ]

    def _told(self, lead: str, what: str | None, told: Told | None) -> Iterator[str]:
        if told is None:
            forgotten = self._history.deleted_ms is not None
            why = "was deleted" if forgotten else "does not open with this gateway's key"
            yield f"{lead}{what} (its answer {why})"
            return
        yield f"{lead}{told.said}"
        if words := explain(told.code, self._say):
            yield f"{told.code}: {words}"
        if self._raw and told.raw:
            yield told.raw

    def _can(self, state: State) -> Iterator[str]:
        number = self._history.tap.tap
        if state is State.UNKNOWN:
            yield ""
            if not self._searches:
                yield "There is no search (onss.search_path): only a person can tell."
            yield "Look for it at the ONSS by hand, by moment, person and trace ids; then say:"
            yield _command(f"found {number} --id ID", "it is there")
            yield _command(f"absent {number}", "it is not: send it")
            yield _command(f"abandon {number}", "give it up")
        elif self._history.deleted_ms is not None and state in (State.WITHHELD, State.REJECTED):
            yield ""
            yield _command(f"abandon {number}", "give it up")
        elif state in (State.HELD, State.WITHHELD, State.REJECTED):
            yield ""
            yield _command(f"release {number}", "send it")
            yield _command(f"abandon {number}", "give it up")
        elif state is State.UNRESOLVED:
            yield ""
            yield "Enrol the badge (ciao-provision badge add), and it goes; or give it up:"
            yield _command(f"abandon {number}", "give it up")

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
                {**_without_answer(one), "told": _plain(of_attempt(one, self._open))}
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
    del fields["answer"]
    return fields


def _plain(told: Told | None) -> Any:
    return None if told is None else msgspec.to_builtins(told)
