"""The emulator under whatever a host and a hand can do: it lives, and answers what comes next."""

from __future__ import annotations

import os
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.control import ask
from hardware.emulator import frames
from hardware.emulator.chip import BAUD_AT_RESET
from hardware.emulator.field import BADGES_MAX
from tests.hardware.commands import PAYLOADS
from tests.hardware.emulated import CLASSIC, NTAG, TYPE4, Emulator, running_emulator

SPEEDS = (BAUD_AT_RESET, 921600, 460800, 230400, 57600, 38400, 19200, 9600)
Step = bytes | int | str
VERSION = bytes.fromhex("d50332010607")

# What a hand can do; the last two are no orders.
ORDERS = [
    *(f"put uid={NTAG} type=ntag213", f"put uid={TYPE4} type=type4", "put type=phone"),
    *(f"put uid={CLASSIC} type=classic1k", f"put uid={NTAG} type=weak", "take", "take"),
    *("noise hex=0000FF02", "cut bytes=4", "cut bytes=0", "unmute", "reset", "put", "\x00"),
]
FRAMES = PAYLOADS.map(lambda payload: frames.encode(b"\xd4" + payload))
STEPS = st.one_of(
    FRAMES,
    st.lists(FRAMES, min_size=2, max_size=4).map(b"".join),
    FRAMES.map(lambda frame: frame[:-3]),
    st.sampled_from([frames.ACK, frames.NACK, bytes(10) + frames.ACK]),
    st.binary(min_size=1, max_size=300),
    st.sampled_from(ORDERS),
    st.sampled_from([*ORDERS, "mute", "unplug", "plug", *SPEEDS]),
)


@pytest.fixture(scope="module")
def abused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with running_emulator(tmp_path_factory.mktemp("abuse"), "--wire", "off") as running:
        yield running


def answers(port: Path) -> bool:
    """Does the chip say its version at one of its speeds?"""
    request = bytes(10) + frames.ACK + bytes(10) + frames.encode(b"\xd4\x02")
    with serial.Serial(os.path.realpath(port), timeout=0.2) as line:
        # Each twice: the first may be taken for the rest of half a frame.
        for speed in (speed for speed in SPEEDS for _ in range(2)):
            line.baudrate = speed
            line.reset_input_buffer()
            line.write(request)
            if VERSION in line.read_until(VERSION, 4096):
                return True
    return False


def carry_out(emulator: Emulator, line: serial.Serial | None, step: Step) -> serial.Serial | None:
    """Do one thing; return the open port, None where there is none."""
    if isinstance(step, str):
        assert ask(emulator.control, step).startswith(("ok", "error: "))
        return line
    try:
        line = line or serial.Serial(os.path.realpath(emulator.port), timeout=0.01)
        if isinstance(step, int):
            line.baudrate = step
        else:
            line.write(step)
            # So that the chip has heard it before the next thing happens.
            line.read(600)
    except (OSError, termios.error):
        # It is unplugged; the next step may find it plugged in again.
        return None
    return line


@settings(max_examples=120, deadline=None)
@given(st.lists(STEPS, max_size=10))
def test_whatever_is_sent_and_ordered_the_chip_still_says_its_version(
    abused: Emulator, steps: list[Step]
) -> None:
    line = None
    for step in steps:
        line = carry_out(abused, line, step)
    if line is not None:
        line.close()
    # Refused where it is plugged in already.
    ask(abused.control, "plug")
    abused.say("unmute")
    assert answers(abused.port)
    for _ in range(BADGES_MAX):
        ask(abused.control, "take")
