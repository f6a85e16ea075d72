"""From what a call yielded to what it says of a point. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime

from gateway.logs import masked
from gateway.onss.answers import Answer, NoAnswer, Outcome
from gateway.onss.cases import TABLE
from gateway.onss.checking.points import Finding, Judged, Point
from gateway.onss.checking.reaching import Reached
from gateway.onss.decisions import VALUE_ISSUES, silent
from gateway.onss.mapping import Created, item_answers
from gateway.onss.problems import ISSUE, Problem, parse_json, problem

SHOWN_CHARS_MAX = 2_000
SKEW_S_MAX = 5.0
CERTIFICATE_DAYS_MIN = 14


def reached(all_of_them: Sequence[Reached], now: datetime) -> list[Finding]:
    """Judge name, connection and TLS of each host."""
    names = [one.addresses is not None for one in all_of_them]
    connected = [one.connected is not None for one in all_of_them]
    return [
        _all(Point.NAME, all_of_them, names, [", ".join(r.addresses or ()) for r in all_of_them]),
        _all(Point.CONNECTION, all_of_them, connected, [r.connected or "" for r in all_of_them]),
        _tls(all_of_them, now),
    ]


def _all(
    point: Point, hosts: Sequence[Reached], good: Sequence[bool], said: Sequence[str]
) -> Finding:
    for one, is_good in zip(hosts, good, strict=True):
        if not is_good:
            return Finding(point, Judged.DIFFERS, f"{one.host}:{one.port}: {one.failed}")
    words = [f"{one.host}:{one.port} at {text}" for one, text in zip(hosts, said, strict=True)]
    return Finding(point, Judged.CONFIRMED, "; ".join(words))


def _tls(hosts: Sequence[Reached], now: datetime) -> Finding:
    for one in hosts:
        if one.connected is None:
            return Finding(Point.TLS, Judged.UNCHECKED, f"{one.host}: no connection")
        if one.tls is None:
            return Finding(Point.TLS, Judged.DIFFERS, f"{one.host}: {one.failed}")
    if not any(one.tls for one in hosts):
        return Finding(Point.TLS, Judged.UNCHECKED, "http, for a sandbox on this machine")
    words = []
    for one in hosts:
        days = (one.valid_until - now).days if one.valid_until else 0
        soon = ", which is soon" if days < CERTIFICATE_DAYS_MIN else ""
        words.append(f"{one.host}: {one.tls}, its certificate ends in {days} days{soon}")
    return Finding(Point.TLS, Judged.CONFIRMED, "; ".join(words))


def token(outcome: Outcome) -> Finding:
    """Judge what the token endpoint answered."""
    if isinstance(outcome, NoAnswer):
        return unanswered(Point.TOKEN, outcome)
    told = parse_json(outcome.body)
    read = told if isinstance(told, dict) else {}
    if outcome.status == 200 and isinstance(read.get("access_token"), str):
        life = read.get("expires_in", "an unknown number of")
        return Finding(Point.TOKEN, Judged.CONFIRMED, f"a token, good for {life} seconds")
    if outcome.status >= 500 or outcome.status == 429:
        return Finding(Point.TOKEN, Judged.UNCHECKED, f"its endpoint answers {outcome.status}")
    why = masked(" ".join(str(read.get(key, "")) for key in ("error", "error_description")).strip())
    said = f"{outcome.status} {why}".strip()
    return Finding(Point.TOKEN, Judged.DIFFERS, f"refused: {said}", shown(outcome))


def clock(outcome: Outcome, now: datetime) -> Finding:
    """Judge our clock by the answer's `Date`, which has whole seconds; `now` is when it came."""
    try:
        date = outcome.headers.get("date", "") if isinstance(outcome, Answer) else ""
        ahead_s = (now - parsedate_to_datetime(date)).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return Finding(Point.CLOCK, Judged.UNCHECKED, "no answer with a Date")
    said = f"ours is {abs(ahead_s):.0f} s {'ahead' if ahead_s > 0 else 'behind'}"
    judged = Judged.CONFIRMED if abs(ahead_s) <= SKEW_S_MAX else Judged.DIFFERS
    return Finding(Point.CLOCK, judged, said)


def trace_id(outcome: Outcome) -> Finding:
    """Judge whether the call's id came back."""
    if isinstance(outcome, NoAnswer):
        return unanswered(Point.TRACE_ID, outcome)
    back = outcome.headers.get("belgov-trace-id", "")
    if back.lower() == outcome.trace_id.lower():
        return Finding(Point.TRACE_ID, Judged.CONFIRMED, back)
    said = f"another comes back: {masked(back)}" if back else "none comes back"
    return Finding(Point.TRACE_ID, Judged.DIFFERS, said)


def unauthorized(point: Point, outcome: Outcome, kinds: Sequence[str]) -> Finding:
    """Judge the refusal of a call without a token that is ours."""
    told = problem(outcome) if isinstance(outcome, Answer) else None
    if isinstance(outcome, NoAnswer) or _failed(outcome):
        return unanswered(point, outcome)
    kind = told.kind if told else "no problem of Belgif's"
    right = outcome.status == 401 and kind in kinds
    return Finding(
        point, _judged(right), f"{outcome.status} {kind}", "" if right else shown(outcome)
    )


def refused(point: Point, outcome: Outcome, fields: Sequence[str] = ()) -> Finding:
    """Judge a call that had to be refused: a 400 whose issues name one of `fields`, if given."""
    told = problem(outcome) if isinstance(outcome, Answer) else None
    if isinstance(outcome, NoAnswer) or _failed(outcome) or outcome.status in (401, 403):
        return unanswered(point, outcome)
    if made := registered(outcome):
        ids = ", ".join(made)
        return Finding(point, Judged.DIFFERS, f"REGISTERED as {ids}: tell the ONSS", shown(outcome))
    if outcome.status != 400 or told is None or told.kind != "badRequest":
        kind = f" {told.kind}" if told else ""
        return Finding(point, Judged.DIFFERS, f"{outcome.status}{kind}", shown(outcome))
    said = f"400 badRequest: {_issues(told)}"
    if not fields or any(one.field in fields for one in told.issues):
        return Finding(point, Judged.CONFIRMED, said, shown(outcome))
    return Finding(
        point, Judged.UNCHECKED, f"refused, but for another reason: {said}", shown(outcome)
    )


def bad_value(outcome: Outcome) -> Finding:
    """Judge the refusal of a number whose check digits are wrong: by value, item 0, field ssin."""
    found = refused(Point.BAD_VALUE, outcome, ["ssin"])
    told = problem(outcome) if isinstance(outcome, Answer) else None
    if found.judged is not Judged.CONFIRMED or told is None:
        return found
    named = any(o.item == 0 and o.field == "ssin" and o.kind in VALUE_ISSUES for o in told.issues)
    return found if named else Finding(found.point, Judged.DIFFERS, found.said, found.answer)


def item_names(outcome: Outcome, count: int) -> Finding:
    """Judge whether each bad item of a call is named by its index."""
    found = refused(Point.ITEM_NAMES, outcome, ["ssin"])
    told = problem(outcome) if isinstance(outcome, Answer) else None
    if found.judged is not Judged.CONFIRMED or told is None:
        return found
    named = {one.item for one in told.issues} == set(range(count))
    return Finding(found.point, _judged(named), found.said, found.answer)


def too_many(outcome: Outcome) -> Finding:
    """Judge the answer to one item more than the limit."""
    if isinstance(outcome, Answer) and outcome.status == 413:
        read = parse_json(outcome.body)
        limit = read.get("limit") if isinstance(read, dict) else None
        return Finding(Point.ITEMS_MAX, Judged.CONFIRMED, f"413, limit {limit}", shown(outcome))
    found = refused(Point.ITEMS_MAX, outcome)
    if found.judged is not Judged.CONFIRMED:
        return found
    said = "each was looked into, so the limit, if there is one, is higher"
    return Finding(Point.ITEMS_MAX, Judged.DIFFERS, said)


def registered(outcome: Outcome) -> list[str]:
    """List the ids under which something was registered."""
    if not isinstance(outcome, Answer) or outcome.status not in range(200, 300):
        return []
    read = item_answers(outcome.body) or ()
    return [one.onss_id for one in read if isinstance(one, Created)]


def unanswered(point: Point, outcome: Outcome) -> Finding:
    """Say why a call tells nothing of a point."""
    if isinstance(outcome, NoAnswer):
        return Finding(point, Judged.UNCHECKED, TABLE[silent(outcome)].seen)
    told = problem(outcome)
    said = f"the service answers {outcome.status}{f' {told.kind}' if told else ''}"
    return Finding(point, Judged.UNCHECKED, said, shown(outcome))


def shown(outcome: Outcome) -> str:
    """Write an answer's body for a person, whatever looks like a NISS masked, and not too much."""
    if not isinstance(outcome, Answer):
        return ""
    return masked(outcome.body.decode("utf-8", "replace"))[:SHOWN_CHARS_MAX]


def _failed(answer: Answer) -> bool:
    return answer.status >= 500 or answer.status == 429


def _judged(right: bool) -> Judged:
    return Judged.CONFIRMED if right else Judged.DIFFERS


def _issues(told: Problem) -> str:
    words = [
        f"{one.kind.removeprefix(ISSUE) or 'an issue'} at "
        f"{'' if one.item is None else f'items[{one.item}].'}{one.field or 'nothing named'}"
        for one in told.issues[:3]
    ]
    more = f" and {len(told.issues) - 3} more" if len(told.issues) > 3 else ""
    return ("; ".join(words) or "no issues") + more
