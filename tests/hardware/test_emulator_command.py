from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hardware.control import ask
from tests.hardware.emulated import COMMAND, NTAG, Emulator, environment


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(
    ("link", "control"),
    [
        ("missing/reader", "control"),
        ("a file", "control"),
        ("reader", "missing/control"),
        ("reader", "a file"),
        ("reader", "c" * 120),
    ],
)
def test_paths_that_cannot_be_used_are_refused_in_two_lines_and_nothing_is_left(
    tmp_path: Path, link: str, control: str
) -> None:
    (tmp_path / "a file").touch()
    done = run("pn532", "--link", str(tmp_path / link), "--control", str(tmp_path / control))
    error, hint = done.stderr.splitlines()
    assert done.returncode == 2
    assert error.startswith("error: ")
    assert hint.startswith("hint: ")
    assert [path.name for path in tmp_path.iterdir()] == ["a file"]


def test_a_wrong_option_is_refused_in_two_lines() -> None:
    for words in (("pn532",), ("pn532", "--wire", "9600"), ("pn533",), ("ask", "x")):
        done = run(*words)
        assert done.returncode == 2
        assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["error", "hint"]


def test_the_help_teaches_every_order() -> None:
    taught = run("pn532", "--help").stdout
    for word in ("put uid=", "take", "type=phone", "noise hex=", "cut bytes=", "nfc-list"):
        assert word in taught
    for switch in ("mute", "unmute", "reset", "unplug", "plug"):
        assert f"\n    {switch} " in taught


def test_orders_are_given_from_a_shell_too(emulator: Emulator) -> None:
    done = run("ask", str(emulator.control), "put", f"uid={NTAG}", "type=ntag213")
    assert (done.returncode, done.stdout) == (0, "ok\n")
    done = run("ask", str(emulator.control), "put", f"uid={NTAG}", "type=ntag213")
    assert (done.returncode, done.stdout) == (2, "")
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["error", "hint"]


SENSELESS = {
    "put uid=04A1": "no UID",
    "put uid=04A1B2C3D4E580 type=card": "not known",
    "take uid=04A1B2C3D4E580": "no such badge",
    "take": "no such badge",
    "plug": "plugged in",
    "noise hex=0": "1 to 256",
    "noise hex=": "1 to 256",
    "cut": "0 to 15",
    "cut bytes=16": "0 to 15",
    "cut bytes=-1": "0 to 15",
    "mute bytes=1": "not understood",
    "": "unknown word",
}


def test_an_order_that_cannot_be_carried_out_says_why(emulator: Emulator) -> None:
    for line, why in SENSELESS.items():
        answer = ask(emulator.control, line)
        assert answer.startswith("error: ")
        assert why in answer
