"""Reading a Belgif problem (RFC 9457) out of an answer, leniently: what is not there is None."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from gateway.onss.answers import Answer

PROBLEM = "urn:problem-type:belgif:"
ISSUE = "urn:problem-type:belgif:input-validation:"
RETRY_AFTER_MIN_S = 1.0
RETRY_AFTER_MAX_S = 3600.0

_INDEX = re.compile(r"items\W{1,2}([0-9]{1,4})(?![0-9])")
_LAST_NAME = re.compile(r"([A-Za-z]+)\W*$")


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue of a `badRequest`: its short type, the item it names, the field it names."""

    kind: str
    item: int | None
    field: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem by its short type (`badRequest`, `tooManyRequests`, …) and what it says."""

    kind: str
    issues: tuple[Issue, ...]
    retry_after_s: float | None


def parse_json(body: bytes) -> Any:
    """Return what the JSON says, or None where it is not JSON (or says null).

    Half a character (a lone surrogate) is not JSON of ours: no store takes it as text.
    """
    try:
        text = body.decode("utf-8-sig")
        read = json.loads(text)
        if "\\ud" in text.lower():
            json.dumps(read, ensure_ascii=False).encode()
        return read
    except (ValueError, RecursionError):
        return None


def problem(answer: Answer) -> Problem | None:
    """Return the Belgif problem that the answer carries, or None where it carries none.

    A body counts only where it is a JSON object whose `type` is one of Belgif's: that is what
    tells the service's own word from that of something in between.
    """
    body = parse_json(answer.body)
    if not isinstance(body, dict):
        return None
    kind = body.get("type")
    if not isinstance(kind, str) or not kind.startswith(PROBLEM):
        return None
    told = body.get("issues")
    issues = tuple(map(issue, told)) if isinstance(told, list) else ()
    return Problem(kind.removeprefix(PROBLEM), issues, retry_after_s(answer))


def issue(told: Any) -> Issue:
    """Read one member of an `issues` array; an unreadable one is an issue of no kind."""
    if not isinstance(told, dict):
        return Issue("", None, "")
    kind, name = told.get("type"), told.get("name")
    kind = kind.removeprefix(ISSUE) if isinstance(kind, str) else ""
    if not isinstance(name, str):
        return Issue(kind, None, "")
    index, last = _INDEX.search(name), _LAST_NAME.search(name)
    return Issue(kind, int(index[1]) if index else None, last[1] if last else "")


def retry_after_s(answer: Answer) -> float | None:
    """Return the wait that the answer asks for, in seconds within limits, or None.

    `retryAfterSec` and `retryAfter` (a moment) of the body and the `Retry-After` header (RFC 9110
    10.2.3: seconds, or a date); moments are read against the answer's own `Date`. Where several
    are given, the longest.
    """
    read = parse_json(answer.body)
    body = read if isinstance(read, dict) else {}
    asked = [
        _seconds(body.get("retryAfterSec")),
        _until(body.get("retryAfter"), answer),
        _header_seconds(answer),
    ]
    waits = [wait for wait in asked if wait is not None]
    return min(max(*waits, RETRY_AFTER_MIN_S), RETRY_AFTER_MAX_S) if waits else None


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    # Compared first: a whole number of JSON may be larger than any float.
    return float(max(0, min(value, RETRY_AFTER_MAX_S)))


def _until(moment: Any, answer: Answer) -> float | None:
    try:
        until = datetime.fromisoformat(moment)
        return (until - parsedate_to_datetime(answer.headers.get("date", ""))).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return None


def _header_seconds(answer: Answer) -> float | None:
    header = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", header):
        return float(header)
    try:
        until = parsedate_to_datetime(header)
        since = parsedate_to_datetime(answer.headers.get("date", ""))
        return (until - since).total_seconds()
    except (TypeError, ValueError, OverflowError):
        # No such header, no date in it, or one date with and one without an offset.
        return None
