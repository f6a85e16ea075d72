"""The reader's supervisor on a reader of plain values: no port, no thread, no waiting."""

from __future__ import annotations

import termios
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import nfc.clf.pn532
import pytest

from hardware.clock import VirtualClock
from hardware.events import HardwareEvent, ReaderChanged
from hardware.reader.port import PortUnusable
from hardware.reader.presence import MISSES_MAX, Look, Seen
from hardware.reader.supervisor import Supervisor, pause_s

UID = bytes.fromhex("04A1B2C3D4E580")
Step = Callable[[], Look]


def fails(error: BaseException) -> Step:
    def step() -> Look:
        raise error

    return step


def sees(look: Look) -> Step:
    return lambda: look


NOTHING, BADGE = sees(Look()), sees(Look((Seen(UID, 0),)))
NOISE = fails(IndexError("bytearray index out of range"))
CUT = fails(termios.error(5, "Input/output error"))
ABSENT = fails(PortUnusable(2, "No such file or directory"))


@dataclass
class Play:
    """A script of looks and openings; the supervisor's sleep moves the clock."""

    script: Iterator[Step]
    clock: VirtualClock
    opened: int = 0
    closed: int = 0
    waited_s: list[float] = field(default_factory=list)
    over: bool = False
    now: Step = NOTHING

    def open_port(self) -> Play:
        self._next()
        if self.now is ABSENT:
            self.now()
        self.opened += 1
        return self

    def look(self) -> Look:
        found = self.now()
        self._next()
        return found

    def sees(self, uid: bytes) -> bool:
        return False

    def close(self) -> None:
        self.closed += 1

    def wait(self, timeout: float | None = None) -> bool:
        self.waited_s.append(timeout or 0.0)
        self.clock.advance(round(1000 * (timeout or 0.0)))
        return self.over

    def is_set(self) -> bool:
        return self.over

    def _next(self) -> None:
        following = next(self.script, None)
        self.over = following is None
        self.now = following or NOTHING


def play(clock: VirtualClock, *steps: Step) -> tuple[Play, list[HardwareEvent]]:
    events: list[HardwareEvent] = []
    stage = Play(iter(steps), clock)
    Supervisor("door", stage.open_port, events.append, clock, stage).run()
    assert stage.opened == stage.closed
    return stage, events


def told(events: list[HardwareEvent]) -> list[tuple[bool, str]]:
    return [(e.works, e.detail) for e in events if isinstance(e, ReaderChanged)]


def test_a_reader_that_works_says_so_once_and_is_looked_at_ten_times_a_second(
    clock: VirtualClock,
) -> None:
    stage, events = play(clock, *[NOTHING] * 20)
    assert told(events) == [(True, "")]
    assert set(stage.waited_s) == {0.1}


@pytest.mark.parametrize(
    "error",
    [
        OSError(5, "Input/output error"),
        termios.error(5, "Input/output error"),
        IndexError("bytearray index out of range"),
        nfc.clf.pn532.Chipset.Error(0x7F, "Invalid command syntax"),
        nfc.clf.TimeoutError("late"),
        nfc.tag.TagCommandError(1),
        TypeError("'NoneType' object is not subscriptable"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_one_fault_of_the_driver_is_put_right_without_a_word(
    clock: VirtualClock, error: Exception
) -> None:
    stage, events = play(clock, NOTHING, fails(error), NOTHING, NOTHING)
    assert told(events) == [(True, "")]
    assert stage.opened == 2


def test_a_lasting_fault_is_told_once_with_its_reason_and_so_is_its_end(
    clock: VirtualClock,
) -> None:
    faults = [CUT, ABSENT, ABSENT, ABSENT]
    _, events = play(clock, NOTHING, *faults, NOTHING, NOTHING, *faults)
    absent = (False, "No such file or directory")
    assert told(events) == [(True, ""), absent, (True, ""), absent]


def test_a_port_that_opens_and_never_answers_is_a_fault_too(clock: VirtualClock) -> None:
    _, events = play(clock, NOISE, NOISE, NOISE, NOISE)
    assert told(events) == [(False, "IndexError: bytearray index out of range")]


def badges(events: list[HardwareEvent]) -> list[str]:
    return [type(e).__name__ for e in events if not isinstance(e, ReaderChanged)]


def test_a_badge_held_through_a_fault_is_gone_at_once_and_not_read_again(
    clock: VirtualClock,
) -> None:
    lifted = [NOTHING] * MISSES_MAX
    _, events = play(clock, BADGE, CUT, ABSENT, BADGE, BADGE, *lifted, BADGE, NOTHING)
    kinds = [type(e).__name__ for e in events]
    assert kinds[1:4] == ["CardRead", "CardGone", "ReaderChanged"]
    assert badges(events) == ["CardRead", "CardGone", "CardRead"]


def test_a_look_that_fails_counts_as_no_miss(clock: VirtualClock) -> None:
    _, events = play(clock, BADGE, *[NOISE] * 9, NOTHING, NOTHING, BADGE, NOTHING)
    assert badges(events) == ["CardRead", "CardGone"]


def test_tries_grow_rarer_and_never_end() -> None:
    pauses = [pause_s(failures) for failures in range(1, 9)]
    assert pauses == [0.0, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert pause_s(10**9) == 5.0


def test_a_mistake_of_our_own_ends_the_loop_and_is_told(clock: VirtualClock) -> None:
    events: list[HardwareEvent] = []
    stage = Play(iter([BADGE, fails(ZeroDivisionError()), NOTHING]), clock)
    with pytest.raises(ZeroDivisionError):
        Supervisor("door", stage.open_port, events.append, clock, stage).run()
    assert told(events) == [(True, ""), (False, "the reader's thread has ended")]
    assert badges(events) == ["CardRead", "CardGone"]
    assert stage.closed == 1
