"""The reader on the emulator: real driver, real pseudo-terminal, real faults."""

from __future__ import annotations

import os
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nfc.clf.pn532
import nfc.clf.transport
import pytest

from hardware.clock import VirtualClock
from hardware.events import CardGone, CardRead, CardUnreadable, ReaderChanged
from hardware.reader.port import Port, PortUnusable
from hardware.reader.presence import Look, Seen
from tests.hardware.emulated import CLASSIC, NTAG, TYPE4, Emulator, environment, reading
from tests.support.waiting import wait_for


@pytest.mark.parametrize(
    ("badge", "uid"),
    [
        (f"uid={NTAG} type=ntag213", NTAG),
        (f"uid={CLASSIC} type=classic1k", CLASSIC),
        (f"uid={TYPE4} type=type4", TYPE4),
        ("uid=08A1B2C3 type=phone", "08A1B2C3"),
    ],
)
def test_a_badge_is_read_held_and_gone(
    emulator: Emulator, clock: VirtualClock, badge: str, uid: str
) -> None:
    with reading(emulator.port, clock, "in") as ear:
        assert ear.wait(ReaderChanged).works
        for n in (1, 2):
            emulator.say(f"put {badge}")
            card = ear.wait(CardRead, n)
            assert card == CardRead("in", bytes.fromhex(uid), clock())
            emulator.say("take")
            assert ear.wait(CardGone, n) == CardGone("in", card.uid)
    assert len(ear.all(CardRead)) == 2


def test_a_badge_out_of_reach_is_told_as_unreadable(
    emulator: Emulator, clock: VirtualClock
) -> None:
    with reading(emulator.port, clock) as ear:
        emulator.say(f"put uid={NTAG} type=weak")
        assert ear.wait(CardUnreadable) == CardUnreadable("door", clock())
        emulator.say("take")
        emulator.say(f"put uid={NTAG} type=ntag213")
        assert ear.wait(CardRead).uid.hex().upper() == NTAG


def test_the_next_badge_is_read_while_the_last_still_counts_as_there(
    emulator: Emulator, clock: VirtualClock
) -> None:
    kinds = {NTAG: "ntag213", CLASSIC: "classic1k", TYPE4: "type4"}
    with reading(emulator.port, clock) as ear:
        for n, uid in enumerate(kinds, 1):
            if n > 1:
                emulator.say("take")
            emulator.say(f"put uid={uid} type={kinds[uid]}")
            assert ear.wait(CardRead, n).uid.hex().upper() == uid


def test_a_reader_that_is_plugged_in_after_the_start_is_found(
    emulator: Emulator, clock: VirtualClock
) -> None:
    emulator.say("unplug")
    with reading(emulator.port, clock) as ear:
        first = ear.wait(ReaderChanged)
        assert (first.works, first.detail) == (False, "No such file or directory")
        emulator.say("plug")
        assert ear.wait(ReaderChanged, 2).works


def test_noise_on_the_line_loses_no_badge_and_invents_none(
    emulator: Emulator, clock: VirtualClock
) -> None:
    with reading(emulator.port, clock) as ear:
        emulator.say(f"put uid={NTAG} type=ntag213")
        ear.wait(CardRead)
        for noise in ("00FF", "0000FF05FBD54B", "0000FFFFFFFFFF", "0000FF01FF7F8100") * 40:
            emulator.say(f"noise hex={noise}")
        emulator.say("take")
        ear.wait(CardGone)
        emulator.say(f"put uid={CLASSIC} type=classic1k")
        ear.wait(CardRead, 2)
    assert [card.uid.hex().upper() for card in ear.all(CardRead)] == [NTAG, CLASSIC]


_HOLD = """
import sys
from pathlib import Path
from hardware.reader.port import Port
port = Port(Path(sys.argv[1]))
print("open", port.look(), flush=True)
sys.stdin.read()
"""


@contextmanager
def held_by_another(port: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(port)],
        env=environment(),
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().startswith("open")
        try:
            yield holder
        finally:
            holder.kill()


def test_a_chip_left_at_the_high_speed_by_a_killed_process_is_recovered(
    emulator: Emulator,
) -> None:
    with held_by_another(emulator.port) as holder:
        holder.kill()
        holder.wait()
    emulator.say(f"put uid={NTAG} type=ntag213")
    line = nfc.clf.transport.TTY(os.path.realpath(emulator.port))
    with pytest.raises(OSError, match=r"timed out|No such device"):
        nfc.clf.pn532.init(line)
    line.close()
    with Port(emulator.port) as port:
        assert port.look() == Look((Seen(bytes.fromhex(NTAG), 0x00),))


def test_a_port_that_another_process_has_is_left_alone_until_it_is_free(
    emulator: Emulator, clock: VirtualClock
) -> None:
    with held_by_another(emulator.port) as holder:
        with pytest.raises(PortUnusable, match="another process uses"):
            Port(emulator.port)
        with reading(emulator.port, clock) as ear:
            assert "another process uses" in ear.wait(ReaderChanged).detail
            holder.kill()
            assert ear.wait(ReaderChanged, 2).works


def test_a_port_is_asked_for_one_badge_among_others(emulator: Emulator) -> None:
    with Port(emulator.port) as port:
        assert port.chip == "PN532v1.6"
        assert port.look() == Look()
        emulator.say(f"put uid={NTAG} type=ntag213")
        emulator.say(f"put uid={CLASSIC} type=classic1k")
        assert port.sees(bytes.fromhex(NTAG))
        assert port.sees(bytes.fromhex(CLASSIC))
        assert not port.sees(bytes.fromhex(TYPE4))
        emulator.say("take")
        emulator.say("take")
        emulator.say(f"put uid={NTAG} type=weak")
        assert port.look() == Look(half=True)


def test_opening_and_closing_leaves_no_descriptor_behind(emulator: Emulator) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    with Port(emulator.port):
        pass
    before = descriptors()
    for _ in range(3):
        with Port(emulator.port) as port:
            port.look()
    with Port(emulator.port) as port:
        emulator.say("unplug")
        with pytest.raises((OSError, termios.error)):
            port.look()
    assert descriptors() == before
    for _ in range(3):
        with pytest.raises(FileNotFoundError):
            Port(emulator.port)
    assert descriptors() == before
    wait_for(lambda: not emulator.port.is_symlink(), "the link to go")


def test_the_driver_says_nothing_in_a_log(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    emulator.say(f"put uid={NTAG} type=ntag213")
    with Port(emulator.port) as port:
        assert port.sees(bytes.fromhex(NTAG))
        emulator.say("unplug")
        with pytest.raises((OSError, termios.error)):
            port.look()
    assert caplog.records == []


def test_a_port_where_nobody_answers_is_given_back(tmp_path: Path) -> None:
    mute, port = os.openpty()
    try:
        name = Path(os.ttyname(port))
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(2):
            with pytest.raises(OSError, match="timed out"):
                Port(name)
        assert len(os.listdir("/proc/self/fd")) == before
    finally:
        os.close(mute)
        os.close(port)


@pytest.mark.parametrize("name", ["plain file", "a;touch b", "quote'd"])
def test_a_path_that_is_no_port_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.touch()
    with pytest.raises(PortUnusable):
        Port(path)
