"""What was deleted, what is due, what waits and what comes next. Pure, by reads of the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ciao.moments import shown_ms
from ciao.names import Origin
from ciao.texts import N_
from gateway.explaining.words import Say
from gateway.ledger.custody import Custody
from gateway.ledger.deletions import Behind, Deletions, Done
from gateway.retention.aging import next_s, over
from gateway.retention.rules import DAY_MS, Settings, Waits, cutoff_ms, waits
from gateway.retention.steady import begins_ms

# So many of those that wait are counted, and no more.
WAITING_MAX = 10_000
# Why something waits, in words.
WORDS: dict[str, str] = {
    Waits.OPEN: N_("Over, and kept: {count}, still open; ciao-gateway held lists them"),
    Waits.CORRECTABLE: N_("Over, and kept: {count}, changed less than 31 days ago"),
    Waits.DOSSIER: N_("Over, and kept: {count}, in a correction of the last year"),
    Waits.YOUNG: N_("Over, and kept: {count}, younger by the terminal's own clock"),
    "due": N_("Over, and due now: {count}"),
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
    """Everything that `ciao-gateway retention` tells.

    `begins_ms`: before then, in ms since 1970, nothing is deleted, since the clock leapt or there
    was nothing before to compare it with; None once that is over.
    """

    payload_days: float
    segment_days: float
    done: list[Done]
    logs: list[LogOutlook]
    waiting: dict[str, int]
    begins_ms: int | None = None


def outlook(rows: Deletions, facts: Custody, settings: Settings, now_ms: int) -> Outlook:
    """Look through every log that is there."""
    logs = rows.logs()
    newest = {log.terminal: log.id for log in logs}
    found = [_log(rows, log, settings, now_ms, newest[log.terminal] == log.id) for log in logs]
    reasons = Counter(
        str(waits(one, now_ms, settings) or "due") for _, one in rows.later((0, -1), WAITING_MAX)
    )
    begins = begins_ms(facts, now_ms, settings)
    return Outlook(
        settings.payload_days,
        settings.segment_days,
        rows.all_done(),
        found,
        dict(reasons),
        begins if begins > now_ms else None,
    )


def _log(rows: Deletions, log: Behind, settings: Settings, now_ms: int, newest: bool) -> LogOutlook:
    end = over(rows, log, cutoff_ms(now_ms, settings.payload_days) // 1000, now_ms // 1000)
    at_s = next_s(rows, log, end, now_ms // 1000)
    whole_ms = None if newest else rows.changed_ms(log.id) + round(settings.segment_days * DAY_MS)
    return LogOutlook(
        log.terminal,
        log.origin,
        rows.count_sealed(log.id, log.payloads_from, end),
        None if at_s is None else at_s * 1000 + round(settings.payload_days * DAY_MS),
        whole_ms,
    )


def lines(told: Outlook, _: Say = str) -> Iterator[str]:
    """Say it to a person, in the language of `_`."""
    yield _("What badges said, and whose they were, is kept {days} days.").format(
        days=told.payload_days
    )
    yield _("A whole log is kept {days} days after its last entry came.").format(
        days=told.segment_days
    )
    yield _("[retention] in gateway.toml says how long; a running gateway deletes by itself.")
    if told.begins_ms is not None:
        moment = shown_ms(told.begins_ms)
        yield _("Nothing is deleted before {moment}: first the clock has to run steadily.").format(
            moment=moment
        )
    yield ""
    for one in told.done:
        text = _("Whole logs deleted so far: {count}, last on {moment}")
        count = one.deletions
        if one.why == "retention":
            text, count = _("Payloads deleted so far: {count}, last on {moment}"), one.payloads
        yield text.format(count=f"{count:,}", moment=shown_ms(one.last_ms))
    if not told.done:
        yield _("Nothing was deleted so far.")
    for log in told.logs:
        segment = Origin.parse(log.origin).segment
        yield _("{terminal}, log {segment}: {what}").format(
            terminal=log.terminal, segment=segment, what=_soon(log, _)
        )
    for why, count in sorted(told.waiting.items()):
        yield _(WORDS[why]).format(count=f"{count:,}")


def _soon(log: LogOutlook, _: Say) -> str:
    said = []
    if log.due:
        said.append(_("payloads due now: {count}").format(count=f"{log.due:,}"))
    if log.next_ms is not None:
        said.append(_("the next entries from {moment}").format(moment=shown_ms(log.next_ms)))
    if log.whole_ms is not None:
        said.append(_("all of it from {moment}").format(moment=shown_ms(log.whole_ms)))
    return ", ".join(said) or _("no payloads are left")
