"""What is due to be deleted, and what waits: for any state, at any time; settings too short."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ciao.errors import BadInput
from ciao.registration import State
from gateway.config import Retention
from gateway.ledger.deletions import Sealing
from gateway.retention import rules
from gateway.retention.rules import CORRECTION_MS, DAY_MS, DOSSIER_MS, Waits, ranges, waits

NOW = 1_900_000_000_000

SEALED = st.builds(
    Sealing,
    seq=st.integers(0, 10),
    state=st.none() | st.sampled_from(State),
    since_ms=st.integers(NOW - 8 * DOSSIER_MS, NOW),
    at_ms=st.integers(NOW - 8 * DOSSIER_MS, NOW),
    dossier_ms=st.none() | st.integers(NOW - 3 * DOSSIER_MS, NOW),
)


@given(SEALED)
def test_nothing_goes_that_somebody_may_still_need(one: Sealing) -> None:
    why = waits(one, NOW)
    if one.state is None:
        assert why is (Waits.YOUNG if NOW - one.at_ms < 1826 * DAY_MS else None)
        return
    is_open = one.state in (
        State.RECORDED, State.SUBMITTED, State.UNKNOWN, State.HELD, State.UNRESOLVED
    )  # fmt: skip
    assert (why is Waits.OPEN) == is_open
    if why is None:
        assert NOW - one.at_ms >= 1826 * DAY_MS and NOW - one.since_ms >= CORRECTION_MS
        assert one.dossier_ms is None or NOW - one.dossier_ms >= DOSSIER_MS


@given(SEALED, st.integers(0, 5 * DOSSIER_MS))
def test_what_is_due_stays_due(one: Sealing, later: int) -> None:
    if waits(one, NOW) is None:
        assert waits(one, NOW + later) is None


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 8), st.integers(1, 5))
def test_ranges_cover_what_goes_and_nothing_that_stays(
    goes: list[bool], most: int, apart: int
) -> None:
    sealed = [(place * apart, one) for place, one in enumerate(goes)]
    found, used = ranges(sealed, most)
    covered = {seq for first, last in found for seq in range(first, last + 1)}
    assert len(found) <= most
    assert {seq for seq, one in sealed[:used] if one} == covered & {seq for seq, _ in sealed}
    assert used == len(sealed) or (len(found) == most and sealed[used][1])


@pytest.mark.parametrize(
    "wrong", [{"payload_days": 59}, {"payload_days": 400, "segment_days": 399}]
)
def test_settings_that_are_too_short_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(BadInput, match="retention"):
        Retention(**wrong).settings()
    assert Retention(payload_days=60, segment_days=60).settings() == rules.Settings(60, 60)
