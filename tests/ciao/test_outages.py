"""An outage's life, by a clock that moves when it is told to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ciao import entries
from ciao.causes import classify
from ciao.entries import Entry, OutageBegin, OutageEnd, OutageUpdate
from ciao.outages import BEGIN_AFTER_MS, UPDATE_AFTER_MS, WELL_MS, Outages
from ciao.reading import parse_rfc3339
from hardware.clock import VirtualClock

WELL = {"mqtt": "ok", "gateway": "ok"}
UNPLUGGED = {"mqtt": "down", "link": "down"}
BROKEN = {"mqtt": "down", "broker": "refused"}
READER = {**WELL, "reader": "fault"}


class Watched:
    """What is seen, second by second, and what a journal then holds."""

    def __init__(self) -> None:
        self.clock = VirtualClock(datetime(2026, 3, 2, 6, 0, tzinfo=ZoneInfo("Europe/Brussels")))
        self.ids = iter(range(256))
        self.journal: list[Entry] = []
        self.disk_works = True
        self.outages = self.started()

    def started(self) -> Outages:
        return Outages(lambda size: bytes([next(self.ids)] * size))

    def see(self, probes: Mapping[str, str], seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(1000)
            for change in self.outages.observe(self.clock(), probes):
                if self.disk_works:
                    common = entries.common(self.clock(), len(self.journal))
                    self.journal.append(change.kind(**common, **change.fields))
                    self.outages.noted(self.clock(), change)

    def told(self) -> list[tuple[str, str]]:
        return [(type(e).__name__, getattr(e, "cause", "")) for e in self.journal]


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_an_outage_begins_and_ends_once(watched: Watched) -> None:
    watched.see(WELL, 5)
    watched.see(UNPLUGGED, 60)
    watched.see(WELL, 30)
    assert watched.told() == [("OutageBegin", "local_link_down"), ("OutageEnd", "local_link_down")]
    begin, end = watched.journal
    assert isinstance(begin, OutageBegin) and isinstance(end, OutageEnd)
    assert begin.outage == end.outage and begin.affected == end.affected == "submit"


def test_it_tells_its_first_sign_and_since_when_it_is_well(watched: Watched) -> None:
    watched.see(UNPLUGGED, 60)
    watched.see(WELL, 30)
    begin, end = watched.journal
    assert isinstance(begin, OutageBegin) and isinstance(end, OutageEnd) and begin.since
    lasted = parse_rfc3339(end.well_since) - parse_rfc3339(begin.since)
    assert lasted == timedelta(seconds=60)
    said_late = parse_rfc3339(begin.at) - parse_rfc3339(begin.since)
    assert said_late == timedelta(milliseconds=BEGIN_AFTER_MS)
    assert parse_rfc3339(end.at) - parse_rfc3339(end.well_since) == timedelta(milliseconds=WELL_MS)


def test_a_session_that_is_taken_up_again_at_once_is_no_outage(watched: Watched) -> None:
    watched.see(BROKEN, 4)
    watched.see(WELL, 60)
    assert watched.journal == []


def test_flapping_is_one_outage(watched: Watched) -> None:
    for _ in range(20):
        watched.see(BROKEN, 3)
        watched.see(WELL, 3)
    watched.see(WELL, 30)
    assert watched.told() == [("OutageBegin", "broker_down"), ("OutageEnd", "broker_down")]


def test_the_cause_may_change_while_it_lasts(watched: Watched) -> None:
    watched.see(UNPLUGGED, 20)
    watched.see(BROKEN, 20)
    watched.see(WELL, 20)
    assert watched.told() == [
        ("OutageBegin", "local_link_down"),
        ("OutageUpdate", "broker_down"),
        ("OutageEnd", "broker_down"),
    ]


def test_the_seconds_in_which_a_session_comes_back_blame_nobody_else(watched: Watched) -> None:
    watched.see(UNPLUGGED, 20)
    watched.see({"mqtt": "down", "broker": "ok", "link": "ok"}, UPDATE_AFTER_MS // 1000 - 1)
    watched.see(WELL, 20)
    assert [cause for _, cause in watched.told()] == ["local_link_down", "local_link_down"]


def test_a_line_that_is_back_before_an_outage_begins_leaves_the_broker_unblamed(
    watched: Watched,
) -> None:
    watched.see(UNPLUGGED, 4)
    watched.see({"mqtt": "down", "broker": "ok", "link": "ok"}, 4)
    watched.see(WELL, 30)
    assert watched.journal == []


def test_causes_that_take_turns_are_an_outage_all_the_same(watched: Watched) -> None:
    for _ in range(5):
        watched.see(UNPLUGGED, 3)
        watched.see(BROKEN, 3)
    assert [kind for kind, _ in watched.told()][:1] == ["OutageBegin"]


def test_registering_and_submitting_have_an_outage_each(watched: Watched) -> None:
    watched.see({**UNPLUGGED, "reader": "fault"}, 20)
    watched.see(UNPLUGGED, 20)
    watched.see(WELL, 20)
    register = [e for e in watched.journal if getattr(e, "affected", "") == "register"]
    submit = [e for e in watched.journal if getattr(e, "affected", "") == "submit"]
    assert [type(e) for e in register] == [type(e) for e in submit] == [OutageBegin, OutageEnd]
    assert {getattr(e, "outage", "") for e in register}.isdisjoint(
        getattr(e, "outage", "") for e in submit
    )


def test_what_a_full_disk_refused_is_told_when_it_takes_it(watched: Watched) -> None:
    watched.disk_works = False
    watched.see({**WELL, "disk": "full"}, 20)
    watched.see(WELL, 60)
    watched.disk_works = True
    watched.see(WELL, 60)
    begin, end = watched.journal
    assert isinstance(begin, OutageBegin) and isinstance(end, OutageEnd) and begin.since
    assert parse_rfc3339(end.well_since) - parse_rfc3339(begin.since) == timedelta(seconds=20)


def test_a_restart_takes_up_what_was_open(watched: Watched) -> None:
    watched.see(UNPLUGGED, 20)
    watched.outages = watched.started()
    watched.outages.resume(watched.journal)
    watched.see(UNPLUGGED, 20)
    watched.see(WELL, 20)
    begin, end = watched.journal
    assert isinstance(begin, OutageBegin) and isinstance(end, OutageEnd)
    assert begin.outage == end.outage


def test_a_silence_is_an_outage_that_began_before(watched: Watched) -> None:
    since = "2026-03-02T05:00:00.000+01:00"
    watched.outages.silent(since, {"stop": "unclean", "machine": "restarted"})
    watched.see(WELL, 20)
    begin, end = watched.journal
    assert isinstance(begin, OutageBegin) and isinstance(end, OutageEnd)
    assert (begin.cause, begin.affected, begin.since) == (
        "power_loss_unexplained",
        "register",
        since,
    )
    assert parse_rfc3339(end.well_since) == parse_rfc3339(begin.at)


def test_a_silence_in_an_outage_is_a_change_of_its_cause(watched: Watched) -> None:
    watched.see(READER, 20)
    watched.outages = watched.started()
    watched.outages.resume(watched.journal)
    watched.outages.silent(None, {"stop": "clean", "machine": "same"})
    watched.see(READER, 30)
    watched.see(WELL, 30)
    assert watched.told() == [
        ("OutageBegin", "reader_fault"),
        ("OutageUpdate", "manual_power_off"),
        ("OutageUpdate", "reader_fault"),
        ("OutageEnd", "reader_fault"),
    ]
    assert len({getattr(e, "outage", "") for e in watched.journal}) == 1


def test_a_clock_that_is_set_moves_no_duration(watched: Watched) -> None:
    watched.see(UNPLUGGED, 20)
    watched.see(WELL, 5)
    watched.clock.step(watched.clock.at + timedelta(days=400))
    watched.see(WELL, 30)
    end = watched.journal[-1]
    assert isinstance(end, OutageEnd)
    assert parse_rfc3339(end.at) - parse_rfc3339(end.well_since) == timedelta(milliseconds=WELL_MS)


_scenes = st.lists(
    st.tuples(st.sampled_from((WELL, UNPLUGGED, BROKEN, READER, {})), st.integers(1, 30)),
    max_size=12,
)


@given(_scenes, st.integers(0, 200))
def test_whatever_is_seen_the_journal_can_be_read_back(
    scenes: list[tuple[dict[str, str], int]], refused_from: int
) -> None:
    watched = Watched()
    for number, (probes, seconds) in enumerate(scenes):
        watched.disk_works = number != refused_from % (len(scenes) + 1)
        watched.see(probes, seconds)
    watched.disk_works = True
    watched.see(WELL, 60)
    for affected in ("register", "submit"):
        ours = [e for e in watched.journal if getattr(e, "affected", "") == affected]
        _check_lives(iter(ours))
    assert watched.outages.quiet


def _check_lives(told: Iterator[Entry]) -> None:
    """Begin, changes that change something, end, and so on; the probes give each cause again."""
    for begin in told:
        assert isinstance(begin, OutageBegin)
        cause = begin.cause
        assert classify(begin.probes)[begin.affected] == cause
        for entry in told:
            assert isinstance(entry, OutageUpdate | OutageEnd) and entry.outage == begin.outage
            if isinstance(entry, OutageEnd):
                assert entry.cause == cause and entry.affected not in classify(entry.probes)
                break
            assert classify(entry.probes)[entry.affected] == entry.cause != cause
            cause = entry.cause
        else:
            raise AssertionError("an outage without an end, though it is well")
