"""Which outage explains a late stamp, whatever outages there were (hypothesis)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ciao.causes import CAUSES
from gateway.watch.advice import WORDS
from gateway.watch.listing import Outage, explaining


def outage(begun: int, ended: int | None, name: str = "a", **more: object) -> Outage:
    values = {
        "outage": name,
        "terminal": "hall-3",
        "seen_by": "hall-3",
        "affected": "submit",
        "cause": "isp_upstream",
        "proposed": "undetermined",
        "begun": "",
        "begun_ms": begun,
        "ended": None if ended is None else "",
        "ended_ms": ended,
        "synced": True,
        "origin": "",
        "seq": 0,
    }
    return Outage(**{**values, **more})  # type: ignore[arg-type]


def test_the_outage_in_which_it_was_made_explains_it() -> None:
    during, later = outage(0, 4, "during"), outage(5, 100, "later")
    assert explaining([later, during], 2, 200) == during


def test_else_the_longest_before_it_came() -> None:
    long = outage(6, 90, "long")
    assert explaining([outage(3, 5, "short"), long], 2, 200) == long


def test_who_was_cut_off_knows_more_than_who_missed_it() -> None:
    own, seen = outage(1, 5, "own"), outage(0, 9, "seen", seen_by="gateway-north")
    assert explaining([seen, own], 2, 200) == own


def test_one_of_a_clock_that_was_wrong_explains_nothing() -> None:
    assert explaining([outage(0, None, synced=False)], 2, 200) is None


times = st.integers(0, 50)
outages = st.lists(
    st.builds(
        lambda begun, length: outage(begun, None if length is None else begun + length, str(begun)),
        times,
        st.none() | times,
    ),
    max_size=6,
    unique_by=lambda one: one.outage,
)


@given(outages, times, times)
def test_what_explains_was_open_between_the_stamp_and_its_coming(
    found: list[Outage], at_ms: int, late_ms: int
) -> None:
    one = explaining(found, at_ms, at_ms + late_ms)
    if one is None:
        return
    assert one.begun_ms < at_ms + late_ms and (one.ended_ms is None or one.ended_ms > at_ms)
    assert explaining(reversed(found), at_ms, at_ms + late_ms) == one


def test_every_cause_has_its_words_and_its_advice() -> None:
    assert set(WORDS) == set(CAUSES)
