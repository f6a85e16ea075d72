"""Whose turn it is, and when again: the pure rules, row by row."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ciao.registration import NOT_BLOCKING, State
from gateway.forwarding.turns import (
    AGAIN_MIN_MS,
    NEVER_MS,
    RETRY_MAX_MS,
    UNKNOWN_BLOCKS_MS,
    Candidate,
    Open,
    Turn,
    calls,
    retry_ms,
    turn,
)

NOW = 10**12


def tap(number: int, state: State = State.RECORDED, since: int = NOW, fresh: bool = False) -> Open:
    return Open(number, state, since, NOW - 5, "shiny", fresh)


def test_the_oldest_goes_first() -> None:
    assert turn([tap(3), tap(4)], NOW) == Turn(3, False, NOW - 5, "shiny")


def test_a_fresh_stamp_takes_what_is_pending_before_it_into_the_fresh_lane() -> None:
    assert turn([tap(3, fresh=True), tap(4, fresh=True)], NOW) == Turn(3, True, NOW - 5, "shiny")


def test_while_one_is_on_its_way_the_next_waits() -> None:
    assert turn([tap(3, State.SUBMITTED), tap(4)], NOW) == Turn(3, False, NEVER_MS, "shiny")


def test_an_unknown_one_blocks_for_ten_minutes_and_no_longer() -> None:
    line = [tap(3, State.UNKNOWN, since=NOW), tap(4)]
    until = NOW + UNKNOWN_BLOCKS_MS
    assert turn(line, NOW) == Turn(3, False, until, "shiny")
    assert turn(line, until - 1) == Turn(3, False, until, "shiny")
    assert turn(line, until) == Turn(4, False, NOW - 5, "shiny")


def test_a_line_with_nothing_to_send_ends() -> None:
    assert turn([], NOW) is None
    assert turn([tap(3, State.UNKNOWN, since=NOW - UNKNOWN_BLOCKS_MS)], NOW) is None


def test_what_is_no_part_of_a_line_is_what_never_blocks() -> None:
    open_states = {State.RECORDED, State.SUBMITTED, State.UNKNOWN}
    at_the_onss = {State.ACCEPTED, State.VALID, State.REMARKED}
    assert set(State) == open_states | at_the_onss | NOT_BLOCKING


@given(st.floats(0, 3600), st.integers(1, 50), st.integers(1, 10**9))
def test_a_retry_waits_at_least_what_was_asked_and_at_most_a_quarter_more(
    after_s: float, tries: int, number: int
) -> None:
    waited, asked = retry_ms(after_s, tries, number), int(after_s * 1000)
    assert asked <= waited <= max(asked, RETRY_MAX_MS) * 1.25
    assert tries == 1 or waited >= AGAIN_MIN_MS
    assert waited == retry_ms(after_s, tries, number)


def test_retries_double_and_are_spread() -> None:
    assert retry_ms(5, 4, 1) >= 40_000
    assert len({retry_ms(30, 1, number) for number in range(100)}) > 90


def test_calls_hold_one_employer_each_and_keep_to_their_limits() -> None:
    taps = [Candidate(n, "a" if n % 2 else "b", n == 5) for n in range(1, 9)]
    assert calls(taps, 2, 9) == [[1, 3], [2, 4], [5], [6, 8], [7]]
    assert calls(taps, 2, 2) == [[1, 3], [2, 4]]
    assert calls(taps, 1, 3) == [[1], [2], [3]]
    assert calls(taps, 200, 9) == [[1, 3, 7], [2, 4, 6, 8], [5]]
