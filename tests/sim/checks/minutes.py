"""What months later is said of each minute, against what really failed around a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ciao import entries, responsibility
from ciao.responsibility import Class, Journals, Span
from tests.sim.checks.outages import REMEMBERED_MS, Watching, watching
from tests.sim.clocks import BEGIN
from tests.sim.evidence import Evidence

AFTER_MINUTES = 5
MINUTE_MS = 60_000
# A heartbeat each minute tells of the time until the next, and half as much for a busy moment.
BEAT_MS = 90_000
_SAYS_NOTHING = (Class.WORKED, Class.NO_DATA)


def no_minute_is_blamed_without_a_fault(evidence: Evidence) -> Iterator[str]:
    """Where all was well around a terminal that ran, nothing but worked, or no data, is said."""
    for one, register, submit in _judged(evidence):
        for affected, spans in (("register", register), ("submit", submit)):
            for from_ms, span in _minutes(spans):
                until_ms = from_ms + MINUTE_MS
                if span.of in _SAYS_NOTHING or not _was_well(evidence, one, from_ms, until_ms):
                    continue
                yield f"{one.name}: {affected} at {from_ms} ms is {span.of} ({span.cause})"


def no_data_is_no_outage(evidence: Evidence) -> Iterator[str]:
    """Of a minute after everything that was written, nothing is said but that there is no data."""
    for one, register, submit in _judged(evidence):
        if one.open_at(evidence.outside.end_ms, "register"):
            continue
        written_ms = evidence.outside.end_ms + BEAT_MS
        for from_ms, span in [*_minutes(register), *_minutes(submit)]:
            if from_ms >= written_ms and span.of is not Class.NO_DATA:
                yield f"{one.name}: nobody wrote of {from_ms} ms, which is {span.of}"


def _was_well(evidence: Evidence, one: Watching, from_ms: int, until_ms: int) -> bool:
    """Say whether nothing was wrong in a time, nor just before it, as far as can be told."""
    before_ms = from_ms - REMEMBERED_MS
    wrong = one.wrongs(before_ms, until_ms) or one.wrongs(before_ms, until_ms, "register")
    return one.awake(before_ms, until_ms) and not wrong and not evidence.outside.lossy


def _judged(evidence: Evidence) -> Iterator[tuple[Watching, tuple[Span, ...], tuple[Span, ...]]]:
    """Judge each terminal by its own journal, some minutes beyond its end as well."""
    last = BEGIN + timedelta(milliseconds=evidence.outside.end_ms)
    end = last.replace(second=0, microsecond=0) + timedelta(minutes=AFTER_MINUTES)
    for one in watching(evidence):
        logs = [
            (segment.origin, [entries.decode(leaf) for leaf in segment.leaves])
            for segment in evidence.segments
            if segment.terminal == one.name
        ]
        said = responsibility.judge(Journals(one.name, logs), BEGIN, end)
        yield one, said.register, said.submit


def _minutes(spans: tuple[Span, ...]) -> Iterator[tuple[int, Span]]:
    """List each minute, in true ms since the run began, with what is said of it."""
    for span in spans:
        begin_ms = round((span.begin - BEGIN).total_seconds() * 1000)
        for number in range(span.minutes):
            yield begin_ms + number * MINUTE_MS, span
