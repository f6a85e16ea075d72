"""What was deleted, what is due, what waits and what comes next. Pure, by reads of the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ciao.moments import shown_ms
from ciao.names import Origin
from gateway.ledger.deletions import Behind, Deletions, Done
from gateway.retention.aging import next_s, over
from gateway.retention.rules import DAY_MS, Settings, cutoff_ms, waits

# So many of those that wait are counted, and no more.
WAITING_MAX = 10_000
# Why something waits, in words.
WORDS = {
    "open": "still open: ciao-gateway held lists what waits for a person",
    "correctable": "changed less than 31 days ago",
    "dossier": "in a correction of the last year",
}


@dataclass(frozen=True, slots=True)
class LogOutlook:
    """One log: payloads due now, when the next come due, and when the log may go whole.

    The moments are in ms since 1970; None where there are none, or where it is the newest.
    """

    terminal: str
    origin: str
    due: int
    next_ms: int | None
    whole_ms: int | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """Everything that `ciao-gateway retention` tells."""

    payload_days: float
    segment_days: float
    done: list[Done]
    logs: list[LogOutlook]
    waiting: dict[str, int]


def outlook(rows: Deletions, settings: Settings, now_ms: int) -> Outlook:
    """Look through every log that is there."""
    logs = rows.logs()
    newest = {log.terminal: log.id for log in logs}
    found = [_log(rows, log, settings, now_ms, newest[log.terminal] == log.id) for log in logs]
    reasons = Counter(
        str(waits(one, now_ms, settings) or "due") for _, one in rows.later((0, -1), WAITING_MAX)
    )
    return Outlook(
        settings.payload_days, settings.segment_days, rows.all_done(), found, dict(reasons)
    )


def _log(rows: Deletions, log: Behind, settings: Settings, now_ms: int, newest: bool) -> LogOutlook:
    end = over(rows, log, cutoff_ms(now_ms, settings.payload_days) // 1000)
    at_s = next_s(rows, log, end)
    whole_ms = None if newest else rows.changed_ms(log.id) + round(settings.segment_days * DAY_MS)
    return LogOutlook(
        log.terminal,
        log.origin,
        rows.count_sealed(log.id, log.payloads_from, end),
        None if at_s is None else at_s * 1000 + round(settings.payload_days * DAY_MS),
        whole_ms,
    )


def lines(told: Outlook) -> Iterator[str]:
    """Say it to a person."""
    yield f"What badges said, and whose they were, is kept {told.payload_days} days."
    yield f"A whole log is kept {told.segment_days} days after its last entry came."
    yield "[retention] in gateway.toml says how long; a running gateway deletes by itself."
    yield ""
    for one in told.done:
        what = _count(one.deletions, "whole log")
        if one.why == "retention":
            what = _count(one.payloads, "payload")
        yield f"Deleted so far: {what}, last on {shown_ms(one.last_ms)}"
    if not told.done:
        yield "Nothing was deleted so far."
    for log in told.logs:
        yield f"{log.terminal}, log {Origin.parse(log.origin).segment}: {_soon(log)}"
    for why, count in sorted(told.waiting.items()):
        yield f"Over, and kept: {count:,} {WORDS.get(why, 'due now')}"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def _soon(log: LogOutlook) -> str:
    said = []
    if log.due:
        said.append(f"{_count(log.due, 'payload')} due now")
    if log.next_ms is not None:
        said.append(f"the next entries from {shown_ms(log.next_ms)}")
    if log.whole_ms is not None:
        said.append(f"all of it from {shown_ms(log.whole_ms)}")
    return ", ".join(said) or "no payloads are left"
