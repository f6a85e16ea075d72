"""Each way in which a reader fails: provoked on the emulator, met by the real driver."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import tty

import pytest
import serial

from hardware.clock import VirtualClock
from hardware.emulator import frames
from hardware.emulator.chip import BAUD_RATES
from hardware.events import CardGone, CardRead, CardUnreadable, ReaderChanged
from hardware.reader.port import Port, recover_speed
from hardware.reader.presence import Look, Seen
from tests.hardware.emulated import CLASSIC, NTAG, Emulator, environment, reading
from tests.support.waiting import wait_for

PUT = f"put uid={NTAG} type=ntag213"
THERE = Look((Seen(bytes.fromhex(NTAG), 0x00),))
SET_115200 = frames.encode(bytes([0xD4, 0x10, BAUD_RATES.index(115200)]))
KILLS = 30
NOISES = ("00FF", "0000FF05FBD54B", "0000FFFFFFFFFF", "0000FF01FF7F8100", "0000FF00FF00")

# What breaks it, and what ends that. A chip that starts afresh is slow where its driver is fast.
LASTING = [("unplug", "plug"), ("mute", "unmute"), ("mute", "reset")]


@pytest.mark.parametrize(("breaks", "mends"), LASTING)
def test_a_lasting_fault_is_told_once_while_it_lasts_and_badges_are_read_after_it(
    emulator: Emulator, clock: VirtualClock, breaks: str, mends: str
) -> None:
    with reading(emulator.port, clock) as ear:
        assert ear.wait(ReaderChanged).works
        emulator.say(breaks)
        fault = ear.wait(ReaderChanged, 2)
        assert (fault.works, bool(fault.detail)) == (False, True)
        emulator.say(PUT)
        assert ear.all(CardRead) == []
        emulator.say(mends)
        assert ear.wait(CardRead).uid.hex().upper() == NTAG
        emulator.say("take")
        ear.wait(CardGone)
    assert [change.works for change in ear.all(ReaderChanged)] == [True, False, True]


@pytest.mark.parametrize(("breaks", "mends"), LASTING)
def test_a_badge_held_through_a_fault_is_gone_with_it_and_is_not_read_again(
    emulator: Emulator, clock: VirtualClock, breaks: str, mends: str
) -> None:
    with reading(emulator.port, clock) as ear:
        emulator.say(PUT)
        ear.wait(CardRead)
        emulator.say(breaks)
        assert not ear.wait(ReaderChanged, 2).works
        assert len(ear.all(CardGone)) == 1
        emulator.say(mends)
        assert ear.wait(ReaderChanged, 3).works
        emulator.say("take")
        # Another badge, read: so many looks have passed in which the first was not.
        emulator.say(f"put uid={CLASSIC} type=classic1k")
        assert ear.wait(CardRead, 2).uid.hex().upper() == CLASSIC
    assert len(ear.all(CardGone)) == 1


def test_a_chip_that_starts_afresh_in_the_middle_is_brought_back(
    emulator: Emulator, clock: VirtualClock
) -> None:
    with reading(emulator.port, clock) as ear:
        assert ear.wait(ReaderChanged).works
        for n in (1, 2, 3):
            emulator.say("reset")
            emulator.say(PUT)
            assert ear.wait(CardRead, n).uid.hex().upper() == NTAG
            emulator.say("take")
            ear.wait(CardGone, n)


def test_a_frame_that_breaks_off_anywhere_is_survived_without_a_word(
    emulator: Emulator, clock: VirtualClock
) -> None:
    with reading(emulator.port, clock) as ear:
        assert ear.wait(ReaderChanged).works
        for n, length in enumerate((0, 1, 3, 5, 6, 8, 12), 1):
            emulator.say(f"cut bytes={length}")
            emulator.say(PUT)
            assert ear.wait(CardRead, n).uid.hex().upper() == NTAG
            emulator.say("take")
            ear.wait(CardGone, n)
    assert len(ear.all(ReaderChanged)) == 1


def test_a_storm_of_noise_is_told_and_is_over_when_it_ends(
    emulator: Emulator, clock: VirtualClock
) -> None:
    with reading(emulator.port, clock) as ear:
        assert ear.wait(ReaderChanged).works

        def storm() -> bool:
            for noise in NOISES:
                emulator.say(f"noise hex={noise}")
            return len(ear.all(ReaderChanged)) > 1

        wait_for(storm, "the noise to be told", timeout_s=30)
        wait_for(lambda: ear.all(ReaderChanged)[-1].works, "the reader to be back")
        emulator.say(PUT)
        assert ear.wait(CardRead).uid.hex().upper() == NTAG
    assert len(ear.all(CardRead)) == 1


def test_a_badge_that_was_half_there_before_a_fault_is_read_when_it_lies_whole(
    emulator: Emulator, clock: VirtualClock
) -> None:
    with reading(emulator.port, clock) as ear:
        emulator.say(f"put uid={NTAG} type=weak")
        ear.wait(CardUnreadable)
        emulator.say("mute")
        assert not ear.wait(ReaderChanged, 2).works
        emulator.say("take")
        emulator.say(PUT)
        emulator.say("unmute")
        assert ear.wait(CardRead).uid.hex().upper() == NTAG
    assert len(ear.all(CardUnreadable)) == 1


def test_of_two_badges_in_a_wallet_neither_is_read_in_whatever_order_they_leave(
    emulator: Emulator, clock: VirtualClock
) -> None:
    with reading(emulator.port, clock) as ear:
        for n, (left, right, lifted) in enumerate(
            [("04A1", "04F1", 0), ("04A2", "04F2", 1), ("04F3", "04A3", 0), ("04F4", "04A4", 1)]
        ):
            two = [left + "B2C3D4E580", right + "B2C3D4E580"]
            # What is laid on a reader that is mute comes together, for it.
            emulator.say("mute")
            for uid in two:
                emulator.say(f"put uid={uid} type=ntag213")
            emulator.say("unmute")
            ear.wait(CardUnreadable, 2 * n + 1)
            emulator.say(f"take uid={two[lifted]}")
            # A third one beside the one that is left: so it has been looked at, and still is.
            emulator.say(f"put uid=041122334455{n:02} type=ntag213")
            ear.wait(CardUnreadable, 2 * n + 2)
            emulator.say("take")
            emulator.say("take")
        emulator.say(PUT)
        ear.wait(CardRead)
    assert [card.uid.hex().upper() for card in ear.all(CardRead)] == [NTAG]


def test_the_second_of_two_badges_frees_no_press_for_the_first(
    emulator: Emulator, clock: VirtualClock
) -> None:
    with reading(emulator.port, clock) as ear:
        emulator.say(PUT)
        ear.wait(CardRead)
        emulator.say(f"put uid={CLASSIC} type=classic1k")
        ear.wait(CardUnreadable)
        assert ear.all(CardGone) == [CardGone("door", bytes.fromhex(NTAG))]


@pytest.mark.parametrize("baud", [230400, 460800, 921600])
def test_a_chip_left_at_a_high_speed_is_recovered(emulator: Emulator, baud: int) -> None:
    with serial.Serial(os.path.realpath(emulator.port), 115200, timeout=5) as line:
        line.write(bytes(10) + frames.encode(bytes([0xD4, 0x10, BAUD_RATES.index(baud)])))
        assert b"\xd5\x11" in line.read(15)
        line.write(frames.ACK)
        line.flush()
        emulator.say(PUT)
    with Port(emulator.port) as port:
        assert port.look() == THERE


def test_a_chip_that_keeps_to_its_manual_gets_the_ack_that_a_new_speed_takes() -> None:
    """UM0701-02, 7.2.10: the speed changes at the host's ACK, and not without.

    The emulator forgives what an adapter's flush may have destroyed, so it can't show this.
    """
    chip, slave = os.openpty()
    tty.setraw(slave)
    asked, answered = bytearray(), False
    told = threading.Thread(target=recover_speed, args=(os.ttyname(slave),))
    told.start()

    def acknowledged() -> bool:
        nonlocal answered
        if select.select([chip], [], [], 0.01)[0]:
            asked.extend(os.read(chip, 4096))
        if not answered and SET_115200 in asked:
            answered = bool(os.write(chip, frames.ACK + frames.encode(bytes([0xD5, 0x11]))))
            del asked[:]
        return answered and bytes(asked) == frames.ACK

    wait_for(acknowledged, "the host's ACK, and nothing else")
    told.join()
    os.close(slave)
    os.close(chip)


# A child opens, looks and closes without end; it is killed anywhere; then it is our turn.
_KILLING = """
import os, random, signal, sys, threading
from pathlib import Path
from hardware.reader.port import Port, PortUnusable

path, kills = Path(sys.argv[1]), int(sys.argv[2])
chance = random.Random(3)
for _ in range(kills):
    child = os.fork()
    while not child:
        with Port(path) as port:
            for _ in range(chance.randrange(20)):
                port.look()
    threading.Event().wait(chance.uniform(0, 0.4))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    for _ in range(100):
        try:
            Port(path).close()
            break
        except PortUnusable:
            # The dead one had just forked for stty: its child lets go of the lock in a moment.
            threading.Event().wait(0.02)
    with Port(path) as port:
        print(port.look().seen[0].uid.hex().upper(), flush=True)
"""


@pytest.mark.slow
def test_a_process_killed_at_any_moment_leaves_a_reader_that_the_next_one_opens(
    emulator: Emulator,
) -> None:
    emulator.say(PUT)
    done = subprocess.run(
        [sys.executable, "-c", _KILLING, str(emulator.port), str(KILLS)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.split() == [NTAG] * KILLS
