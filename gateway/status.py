"""`ciao-gateway status` in plain words. Pure: a report and a moment in, lines out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import click

from ciao.moments import shown_ms
from ciao.registration import State
from gateway.explaining.words import Say, explain
from gateway.ledger.report import LedgerReport, TerminalReport

# Each state in words, and how it is coloured; in the order in which they are listed.
WORDS: dict[State, tuple[str, str]] = {
    State.RECORDED: ("waiting to be submitted", "cyan"),
    State.SUBMITTED: ("on their way to the ONSS", "cyan"),
    State.UNKNOWN: ("without an answer: the ONSS is being asked", "yellow"),
    State.UNRESOLVED: ("by a badge that nobody has yet: enrol it", "yellow"),
    State.HELD: ("held for a person to decide", "yellow"),
    State.REJECTED: ("refused by the ONSS", "red"),
    State.WITHHELD: ("kept as evidence only", "white"),
    State.ABANDONED: ("given up by a person", "white"),
    State.ACCEPTED: ("accepted by the ONSS", "green"),
    State.VALID: ("valid at the ONSS", "green"),
    State.REMARKED: ("accepted with remarks", "yellow"),
}

# What an operator is told of a terminal.
ALERTS: dict[str, str] = {
    "fork": "signed two different trees",
    "rolled_back": "was rolled back, and began a new segment",
    "damaged": "had a damaged journal, and began a new segment",
    "segments": "began too many segments: more are refused",
    "owed": "is asked in vain for what a restored backup lacks",
}
# Below this, little time is left to make room.
DISK_LOW_BYTES = 500 * 1024 * 1024


def lines(report: LedgerReport, now: datetime, say: Say = str) -> Iterator[str]:
    """Write a report as a person reads it, its reasons in the language of `say`."""
    if report.restored_ms is not None:
        when = shown_ms(report.restored_ms)
        yield click.style(f"Restored from a backup, noticed {when}: ", fg="yellow") + (
            "taps from before are looked up at the ONSS, never just sent."
        )
        yield ""
    yield from _troubles(report, now)
    if not report.terminals:
        yield "No terminal has sent anything yet."
    for terminal in report.terminals:
        yield from _terminal(terminal, now, say)
    if report.refusals:
        yield click.style("Refused messages", bold=True)
        for one in report.refusals:
            who = one.terminal or "unknown terminal"
            yield f"  {one.count:>7}  {who}: {one.reason}, last {shown_ms(one.last_ms)}"


def _troubles(report: LedgerReport, now: datetime) -> Iterator[str]:
    """Write what an operator must look at: the disk, restored logs, what terminals did."""
    if report.free_bytes < DISK_LOW_BYTES:
        yield click.style("The ledger's disk is nearly full: ", fg="red") + (
            f"{report.free_bytes // 2**20} MB are left; nothing is receipted on a full one."
        )
        yield ""
    for owing in report.owing:
        how = "its terminal sends another tree" if owing.forked else "asked for again"
        yield click.style(f"{owing.terminal}", bold=True) + (
            f"  {owing.held} of {owing.once} entries held of {owing.origin}: {how}"
        )
    for alert in report.alerts:
        yield click.style(f"{alert.terminal}  {ALERTS[alert.kind]}", fg="red") + (
            f" ({alert.count}, last {ago(alert.last_ms, now)}): {alert.detail}"
        )
    if report.alerts:
        yield "  acknowledge with: ciao-gateway acknowledge terminal ID --why TEXT"
    if report.owing or report.alerts:
        yield ""
    if report.derived:
        taps = "1 tap has" if report.derived == 1 else f"{report.derived} taps have"
        yield f"{taps} a time derived from a later step of the terminal's clock."
        yield ""


def _terminal(terminal: TerminalReport, now: datetime, say: Say) -> Iterator[str]:
    yield click.style(terminal.terminal, bold=True) + (
        f"  {terminal.entries} entries, last received {ago(terminal.heard_ms, now)}"
    )
    yield from _states(terminal.taps, terminal.reasons, say)
    for flag, count in terminal.flagged.items():
        yield f"  {count:>7}  entries flagged {flag}"
    if terminal.oldest_pending_ms is not None:
        yield f"            the oldest on its way was made {ago(terminal.oldest_pending_ms, now)}"
    yield ""


def _states(
    taps: Mapping[str, int], reasons: Mapping[str, Mapping[str, int]], say: Say
) -> Iterator[str]:
    if not taps:
        yield f"{'':9}no taps yet"
    for state, (words, colour) in WORDS.items():
        if count := taps.get(state):
            yield click.style(f"  {count:>7}", fg=colour) + f"  {words}"
            for reason, of_it in reasons.get(state, {}).items():
                yield f"{'':9}  {of_it} {reason}: {explain(reason, say)}"


def ago(ms: int, now: datetime) -> str:
    """Say how long ago a moment was, in the largest unit that fits."""
    seconds = max(0, round(now.timestamp() - ms / 1000))
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now" if seconds < 5 else f"{seconds} seconds ago"
