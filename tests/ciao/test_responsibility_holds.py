"""What holds of every period, whatever happened in it (hypothesis)."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from ciao import entries
from ciao.causes import CAUSES
from ciao.entries import Carried, Entry
from ciao.responsibility import Class, totals
from tests.ciao.journals import (
    BEGIN,
    CUT,
    ORIGIN,
    Written,
    by_minute,
    moment,
    told,
    well,
)

WORKED, NO_DATA = Class.WORKED, Class.NO_DATA


# What a day may bring a terminal, minute by minute; the length of each is drawn.
_EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["well", "cut", "gone", "killed", "stopped", "untimed", "orphan"]),
        st.integers(1, 6),
        st.sampled_from([*CAUSES, "moonshine"]),
        st.integers(0, 59),
    ),
    max_size=8,
)


def lived(events: list[tuple[str, int, str, int]]) -> list[Written]:
    """A terminal's segments after these events; a new segment after each that it died of."""
    logs = [Written()]
    minute, boots = 0, 0
    for what, length, cause, second in events:
        log, end = logs[-1], minute + length
        outage = f"9d3c1f6e-2b40-4f0c-8f0e-{minute:012d}"
        match what:
            case "well":
                log.beats(minute, end)
            case "cut" | "orphan":
                log.begins(minute * 60 + second, cause, outage=outage)
                for index in range(minute, end):
                    log.beat(index, CUT, 59.5)
                if what == "cut":
                    log.ends(end * 60, cause, outage=outage, well_since=moment(end * 60))
            case "untimed":
                log.synced = False
                log.beats(minute, end)
                log.synced = True
            case "killed" | "stopped":
                boots += 1
                boot = f"6a0f2f9e-8d0b-4c59-9a51-{boots:012d}"
                logs.append(Written(f"{ORIGIN[:-1]}{boots}", boot))
                logs[-1].add(end * 60, entries.Boot, clean=what == "stopped")
        minute = end
    return logs


@settings(deadline=None, max_examples=150)
@given(_EVENTS, st.booleans())
def test_every_minute_is_in_one_class_whatever_happened(
    events: list[tuple[str, int, str, int]], witnessed: bool
) -> None:
    logs = lived(events)
    found = told(logs, well(50), minutes=50, witnessed=witnessed)
    for spans in (found.register, found.submit):
        at = BEGIN
        for span in spans:
            assert span.begin == at and span.minutes > 0
            assert (span.grade is None) == (span.of is NO_DATA)
            assert (span.cause is None) == (span.of in (WORKED, NO_DATA))
            assert span.rests_on or span.of is NO_DATA
            at = span.end
        assert at == BEGIN + timedelta(minutes=50)
        assert sum(totals(spans).values()) == 50


@settings(deadline=None, max_examples=150)
@given(_EVENTS)
def test_nothing_is_called_an_outage_that_nobody_wrote_of(
    events: list[tuple[str, int, str, int]],
) -> None:
    found = by_minute(told(lived(events), minutes=50).register)
    minute = 0
    for what, length, _, _ in events:
        for index in range(minute, min(minute + length, 50)):
            if what == "well":
                assert found[index] is WORKED
            if what == "gone" and all(kind in ("gone", "well") for kind, *_ in events):
                assert found[index] is NO_DATA
        minute += length
    assert all(of is NO_DATA for of in found[minute + 1 :])


@settings(deadline=None, max_examples=100)
@given(_EVENTS, st.randoms(use_true_random=False))
def test_the_order_of_the_logs_is_nothing_to_it(
    events: list[tuple[str, int, str, int]], random: object
) -> None:
    logs = lived(events)
    shuffled = [*logs]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert told(logs, well(50), minutes=50) == told(shuffled, well(50), minutes=50)


@settings(deadline=None, max_examples=100)
@given(_EVENTS)
def test_an_entry_that_was_carried_into_the_next_segment_counts_once(
    events: list[tuple[str, int, str, int]],
) -> None:
    logs = lived(events)
    later: list[Entry] = []
    for log in logs:
        for entry in log.entries:
            first = Carried(log.origin, entry.seq)
            later.append(msgspec.structs.replace(entry, seq=len(later), carried=first))
    again = Written(f"{ORIGIN[:-4]}ffff", entries=later)
    assert told([*logs, again], well(50), minutes=50) == told(logs, well(50), minutes=50)
