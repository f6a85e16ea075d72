from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ciao.reading import Reading
from hardware.clock import VirtualClock
from hardware.events import CardGone, CardRead, CardUnreadable, HardwareEvent
from hardware.reader.presence import HALVES_MAX, MISSES_MAX, Look, Presence, Seen

A, B = bytes.fromhex("04A1B2C3D4E580"), bytes.fromhex("DEADBEEF")
C = b"\x04abcdef"
PHONE = bytes.fromhex("08C0FFEE")


class Table:
    """What lies there: a look lists the first two that answer, a look for one only that one."""

    def __init__(self, *, reads_lying: bool = True) -> None:
        self.there: list[bytes] = []
        self.half = False
        self.clock = VirtualClock(datetime(2026, 3, 2, 6, 0, tzinfo=UTC))
        self.presence = Presence("door", reads_lying)

    def look(self) -> Look:
        return Look(tuple(Seen(uid, 0) for uid in self.there[:2]), self.half and not self.there)

    def sees(self, uid: bytes) -> bool:
        return uid in self.there

    def turn(self) -> list[HardwareEvent]:
        self.clock.advance(100)
        return self.presence.turn(self.look, self.sees, self.clock)

    def turns(self, count: int) -> list[HardwareEvent]:
        return [event for _ in range(count) for event in self.turn()]


def read(uid: bytes, at: Reading) -> CardRead:
    return CardRead("door", uid, at)


def test_a_badge_is_read_once_at_its_first_sense_however_long_it_stays() -> None:
    table = Table()
    assert table.turns(3) == []
    table.there = [A]
    assert table.turn() == [read(A, table.clock())]
    assert table.turns(100) == []


def test_a_badge_is_gone_after_a_few_misses_in_a_row_and_not_before() -> None:
    table = Table()
    table.there = [A]
    table.turn()
    for _ in range(3):
        table.there = []
        assert table.turns(MISSES_MAX - 1) == []
        table.there = [A]
        assert table.turn() == []
    table.there = []
    assert table.turns(MISSES_MAX) == [CardGone("door", A)]
    table.there = [A]
    assert table.turn() == [read(A, table.clock())]


def test_what_lies_there_at_a_first_look_that_only_remembers_is_nobodys_until_lifted() -> None:
    """A terminal that was restarted can't know whether it was stamped."""
    table = Table(reads_lying=False)
    table.there = [A]
    assert table.turn() == [CardUnreadable("door", table.clock(), "lying")]
    assert table.turns(100) == []
    table.there = [B]
    assert table.turn() == [read(B, table.clock())], "the next one is read at once"
    assert table.turns(MISSES_MAX) == [], "what was never told is not said to be gone"
    table.there = [A]
    assert table.turn() == [read(A, table.clock())]


def test_only_the_first_look_of_all_remembers() -> None:
    table = Table(reads_lying=False)
    assert table.turns(2) == []
    table.there = [A]
    assert table.turn() == [read(A, table.clock())]
    # While a driver is away nobody looks: what is new after it came since.
    table.presence.let_go()
    table.there = [B]
    assert table.turn() == [read(B, table.clock())]


def test_a_look_that_fails_is_not_the_first() -> None:
    table = Table(reads_lying=False)

    def broken() -> Look:
        raise OSError

    with pytest.raises(OSError):
        table.presence.turn(broken, table.sees, table.clock)
    table.there = [A]
    assert table.turn() == [CardUnreadable("door", table.clock(), "lying")]


def test_two_that_lie_there_from_the_start_are_lifted_one_after_the_other() -> None:
    table = Table(reads_lying=False)
    table.there = [A, B]
    assert len(table.turn()) == 1
    table.there = [B]
    assert table.turns(10) == []
    table.there = [B, C]
    assert table.turn() == [unreadable(table)]


def test_the_next_badge_does_not_wait_for_the_last_one_to_be_gone() -> None:
    table = Table()
    table.there = [A]
    table.turn()
    table.there = [B]
    assert table.turn() == [read(B, table.clock())]
    assert table.turns(MISSES_MAX) == [CardGone("door", A)]


def unreadable(table: Table) -> CardUnreadable:
    return CardUnreadable("door", table.clock(), "two")


def test_of_two_badges_that_come_together_neither_is_read_until_it_comes_alone() -> None:
    table = Table()
    table.there = [A, B]
    assert table.turn() == [unreadable(table)]
    assert table.turns(20) == []
    # Lifting one leaves the other; nobody has chosen it either.
    table.there = [B]
    assert table.turns(20) == []
    table.there = []
    assert table.turns(MISSES_MAX) == []
    table.there = [B]
    assert table.turn() == [read(B, table.clock())]


def test_a_badge_laid_beside_another_is_not_read_and_frees_no_press_for_the_other() -> None:
    for there in ([A, B], [B, A]):
        table = Table()
        table.there = [A]
        table.turn()
        table.there = there
        assert table.turn() == [CardGone("door", A), unreadable(table)]
        table.there = [A]
        assert table.turns(20) == []


def test_a_third_badge_under_two_is_not_read_when_one_is_lifted() -> None:
    table = Table()
    table.there = [A, B, C]
    table.turns(5)
    table.there = [C, B]
    assert table.turn() == [unreadable(table)]
    table.there = [C]
    assert table.turns(20) == []


def test_a_badge_in_a_phones_case_is_the_one_that_is_meant() -> None:
    for there in ([A, PHONE], [PHONE, A]):
        table = Table()
        table.there = there
        assert table.turn() == [read(A, table.clock())]
        assert table.turns(20) == []
        table.there = [PHONE]
        assert table.turns(20) == [CardGone("door", A)]


def test_a_phone_is_told_before_the_badge_that_comes_behind_it() -> None:
    table = Table()
    table.there = [PHONE]
    assert table.turn() == [read(PHONE, table.clock())]
    table.there = [PHONE, A]
    assert table.turn() == [read(A, table.clock())]


def test_what_is_let_go_is_gone_once_and_locked_out_until_it_is_lifted() -> None:
    table = Table()
    table.there = [A]
    table.turn()
    assert table.presence.let_go() == [CardGone("door", A)]
    assert table.presence.let_go() == []
    assert table.turns(20) == []
    table.there = []
    assert table.turns(MISSES_MAX) == []
    table.there = [A]
    assert table.turn() == [read(A, table.clock())]


def test_a_phone_is_one_badge_though_its_uid_changes_at_every_look() -> None:
    table = Table()
    for n in range(20):
        table.there = [bytes([0x08, 0, 0, n])]
        events = table.turn()
        assert events == ([read(table.there[0], table.clock())] if n == 0 else [])
    table.there = []
    assert table.turns(MISSES_MAX) == [CardGone("door", bytes([0x08, 0, 0, 0]))]


def test_half_a_badge_is_told_once_and_only_if_it_stays_half() -> None:
    table = Table()
    table.half = True
    assert table.turns(HALVES_MAX - 1) == []
    assert table.turn() == [CardUnreadable("door", table.clock())]
    assert table.turns(20) == []
    table.half = False
    table.turn()
    table.half = True
    table.turns(HALVES_MAX - 1)
    table.there = [A]
    assert table.turn() == [read(A, table.clock())]


def test_a_uid_that_says_there_is_more_of_it_is_half_a_badge() -> None:
    table = Table()
    seen = Look((Seen(A[:4], 0x04),))
    presence = table.presence
    events: list[HardwareEvent] = []
    for _ in range(9):
        events += presence.turn(lambda: seen, lambda _: False, table.clock)
    assert events == [CardUnreadable("door", table.clock())]


@given(st.lists(st.lists(st.sampled_from([A, B, C]), unique=True), max_size=60))
def test_reads_and_goings_alternate_and_a_badge_is_read_only_where_it_lies_alone(
    history: list[list[bytes]],
) -> None:
    table = Table()
    told: set[bytes] = set()
    for there in [*history, *([[]] * MISSES_MAX)]:
        table.there = there
        for event in table.turn():
            if isinstance(event, CardRead):
                assert there == [event.uid]
                assert event.uid not in told
                told.add(event.uid)
            elif isinstance(event, CardGone):
                told.remove(event.uid)
    assert told == set()
    for uid in (A, B, C):
        table.there = [uid]
        assert table.turn() == [read(uid, table.clock())]
        table.there = []
        table.turns(MISSES_MAX)
