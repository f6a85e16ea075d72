"""Which outage explains a late stamp, whatever outages there were (hypothesis)."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ciao.causes import CAUSES
from ciao.listing import Outage, explaining
from ciao.listing import outages as put_together
from ciao.moments import shown_text
from gateway.watch.advice import WORDS, wrong
from tests.ciao.journals import GATEWAY_ORIGIN, Written, gateway, moment


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


def listed(written: Written) -> list[Outage]:
    """What a gateway's own log tells."""
    return put_together(("gateway-north", GATEWAY_ORIGIN, entry) for entry in written.entries)


def changing() -> Written:
    """The ONSS fails, the gateway is killed meanwhile, and the ONSS fails on for a while."""
    written = gateway()
    written.begins(60, "onss_unavailable", since=moment(55))
    stop = {"gateway-stop": "unclean"}
    written.updates(900, "gateway_down", probes=stop, since=moment(600))
    written.updates(915, "onss_unavailable", since=moment(902))
    written.ends(1200, "onss_unavailable", well_since=moment(1190))
    return written


def test_an_outage_whose_cause_changes_is_told_piece_by_piece() -> None:
    (one,) = listed(changing())
    assert [(piece.cause, piece.proposed, piece.begun, piece.ended) for piece in one.pieces] == [
        ("onss_unavailable", "onss", moment(55), moment(600)),
        ("gateway_down", "employer", moment(600), moment(902)),
        ("onss_unavailable", "onss", moment(902), moment(1190)),
    ]
    assert (one.begun, one.ended, one.started) == (moment(55), moment(1190), None)


def test_a_late_stamp_is_explained_by_the_cause_of_its_moment() -> None:
    (one,) = listed(changing())
    for at_s, cause in (
        (100, "onss_unavailable"),
        (700, "gateway_down"),
        (1000, "onss_unavailable"),
    ):
        at_ms = one.begun_ms + (at_s - 55) * 1000
        found = explaining([one], at_ms, at_ms + 10_000_000)
        assert found is not None and found.cause == cause


def test_a_cause_that_is_said_again_is_no_new_piece() -> None:
    written = gateway()
    written.begins(60, "onss_unavailable")
    written.updates(6 * 3600, "onss_unavailable")
    (one,) = listed(written)
    assert len(one.pieces) == 1


def test_whoever_just_started_is_not_said_to_be_away() -> None:
    written = gateway()
    stop = {"gateway-stop": "clean"}
    written.begins(900, "gateway_down", probes=stop, since=moment(600))
    now = datetime.fromisoformat(moment(907)).astimezone(UTC)
    (said,) = wrong(listed(written), now, now)
    assert "The gateway: started 7 seconds ago, how it is now is not known yet" in said
    assert "before that the gateway did not run" in said
    assert f"since {shown_text(moment(600))} (gateway_down)" in said
    written.updates(915, "broker_down", since=moment(903))
    what, advice = wrong(listed(written), now, now)
    assert "the broker can't be reached" in what and "look at the broker" in advice
