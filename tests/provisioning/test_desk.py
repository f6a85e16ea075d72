"""The desk reader: the real command and driver, an emulated PN532 behind a pseudo-terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.hardware.emulated import Emulator, running_emulator
from tests.support.world import SSINS, UIDS, World

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with running_emulator(tmp_path) as running:
        yield running


def command(world: World, *arguments: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "provisioning.cli", "badge", "enrol", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*line, "--dir", str(world.folder)], stdout=pipe, stderr=pipe, text=True, cwd=ROOT
    )


def test_badges_laid_on_the_reader_become_their_holders(world: World, emulator: Emulator) -> None:
    for ssin, initials in zip(SSINS[:2], ("AA", "BB"), strict=True):
        world.employ(ssin, initials)
    options = ("--employment", "e1", "--employment", "e2", "--reader", str(emulator.port))
    with command(world, *options) as process:
        assert process.stderr is not None and process.stdout is not None
        assert process.stderr.readline() == "lay the badge of e1 (AA) on the reader\n"
        emulator.say(f"put uid={UIDS[0]} type=weak")
        assert process.stderr.readline().startswith("not read: one badge alone")
        emulator.say("take")
        emulator.say(f"put uid={UIDS[0]} type=ntag213")
        assert process.stdout.readline() == "b1\n"
        assert process.stderr.readline().startswith("added b1, the badge of AA (e1) from ")
        assert process.stderr.readline() == "lay the badge of e2 (BB) on the reader\n"
        emulator.say("take")
        emulator.say(f"put uid={UIDS[1]} type=type4")
        assert process.stdout.readline() == "b2\n"
        assert process.wait(10) == 0
    with world.registry() as registry:
        assert [registry.uid_of(badge).hex().upper() for badge in ("b1", "b2")] == list(UIDS[:2])


def test_a_lost_badge_is_replaced_by_the_one_on_the_reader(
    world: World, emulator: Emulator
) -> None:
    world.enrol(UIDS[0], world.employ(SSINS[0], "AA"))
    emulator.say(f"put uid={UIDS[1]} type=ntag213")
    options = ("--replaces", "b1", "--reader", str(emulator.port))
    with command(world, *options) as process:
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    world.now += timedelta(days=3650)  # the command read the real clock
    assert world.json("badge", "show", "b1")["revoked_why"] == "lost"
    assert world.json("badge", "show", out.strip())["employment"] == "e1"


def test_a_telephone_is_no_badge(world: World, emulator: Emulator) -> None:
    world.employ(SSINS[0], "AA")
    emulator.say("put uid=08A1B2C3 type=phone")
    options = ("--employment", "e1", "--reader", str(emulator.port))
    with command(world, *options) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "error: a badge UID that changes at every tap" in errors
    assert world.json("badge", "list") == []


def test_no_reader_no_badge_and_no_port_are_each_said_in_two_lines(
    world: World, emulator: Emulator, tmp_path: Path
) -> None:
    world.employ(SSINS[0], "AA")
    (tmp_path / "file").touch()
    master, slave = os.openpty()  # a port at whose other end nothing lives
    try:
        for port, wait, error in (
            (tmp_path / "none", "60", "No such file"),
            (tmp_path / "file", "60", "no serial port"),
            (Path(os.ttyname(slave)), "60", "no badge reader answers"),
            (emulator.port, "0.1", "no badge was laid on the reader"),
        ):
            options = ("--employment", "e1", "--reader", str(port), "--wait", wait)
            result = world.run("badge", "enrol", *options, status=2)
            told = result.stderr[result.stderr.index("error:") :].splitlines()
            assert len(told) == 2 and error in told[0], result.stderr
        for options in ((), ("--employment", "e1", "--replaces", "b1")):
            assert "whose badge?" in world.run("badge", "enrol", *options, status=2).stderr
    finally:
        os.close(master)
        os.close(slave)
