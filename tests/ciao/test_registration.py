"""The states of a registration: one table, checked whole."""

from __future__ import annotations

from itertools import product

import pytest

from ciao.registration import (
    NOT_BLOCKING,
    TRANSITIONS,
    Direction,
    IllegalTransition,
    State,
    step,
)


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(State)


def test_every_pair_of_states_is_allowed_or_raises() -> None:
    for before, after in product(State, State):
        if after in TRANSITIONS[before]:
            assert step(before, after) is after
        else:
            with pytest.raises(IllegalTransition, match=f"{before} -> {after}"):
                step(before, after)


def reachable(start: State) -> set[State]:
    seen, waiting = {start}, [start]
    while waiting:
        for after in TRANSITIONS[waiting.pop()] - seen:
            seen.add(after)
            waiting.append(after)
    return seen


def test_every_state_is_reached_from_recorded() -> None:
    assert reachable(State.RECORDED) == set(State)


def test_what_a_person_abandoned_stays_so() -> None:
    assert [state for state in State if not TRANSITIONS[state]] == [State.ABANDONED]


def test_what_the_onss_took_is_never_submitted_again() -> None:
    """One tap, one registration: no way leads from the ONSS's yes back to a submission."""
    taken = {State.ACCEPTED, State.VALID, State.REMARKED}
    for state in taken:
        assert reachable(state) <= taken


def test_no_state_leads_to_itself() -> None:
    assert all(state not in after for state, after in TRANSITIONS.items())


def test_only_a_submission_or_a_consultation_makes_it_accepted() -> None:
    before = {state for state in State if State.ACCEPTED in TRANSITIONS[state]}
    assert before == {State.SUBMITTED, State.UNKNOWN}


def test_an_unknown_one_is_never_resent_without_a_decision() -> None:
    assert State.SUBMITTED not in TRANSITIONS[State.UNKNOWN]


def test_a_waiting_one_can_always_be_taken_up_again_or_ended_by_a_person() -> None:
    for state in (State.UNRESOLVED, State.HELD, State.WITHHELD, State.REJECTED, State.UNKNOWN):
        assert {State.RECORDED, State.ABANDONED} <= TRANSITIONS[state]


def test_what_waits_for_a_person_holds_nobody_back() -> None:
    assert {State.HELD, State.UNRESOLVED, State.REJECTED, State.WITHHELD} <= NOT_BLOCKING
    assert State.RECORDED not in NOT_BLOCKING
    assert State.SUBMITTED not in NOT_BLOCKING
    assert State.UNKNOWN not in NOT_BLOCKING  # only after ten minutes, which a table can't know


def test_there_are_two_directions() -> None:
    assert [way.value for way in Direction] == ["in", "out"]
    assert all(way.opposite.opposite is way for way in Direction)
