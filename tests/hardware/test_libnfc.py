"""libnfc's own tools on the emulator: a second driver, written by other people."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.hardware.emulated import CLASSIC, NTAG, TYPE4, Emulator
from tests.support.waiting import wait_for

Tool = Callable[[str], str]


def environment(emulator: Emulator) -> dict[str, str]:
    return os.environ | {
        "LIBNFC_DEVICE": f"pn532_uart:{emulator.port}",
        "LIBNFC_AUTO_SCAN": "false",
    }


def run(emulator: Emulator, *command: str) -> str:
    done = subprocess.run(
        command, env=environment(emulator), capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout + done.stderr


def listed(output: str) -> set[tuple[str, str]]:
    """What nfc-list says: each badge's UID and SAK."""
    found = re.findall(r"UID \(NFCID.\): ([0-9a-f ]+?)\n\s*SAK \(SEL_RES\): ([0-9a-f]{2})", output)
    return {(uid.replace(" ", "").upper(), sak) for uid, sak in found}


def test_nfc_list_reads_each_kind_of_badge(emulator: Emulator, libnfc: Tool) -> None:
    for uid, kind, sak in (
        (NTAG, "ntag213", "00"),
        (CLASSIC, "classic1k", "08"),
        (TYPE4, "type4", "20"),
    ):
        emulator.say(f"put uid={uid} type={kind}")
        assert listed(run(emulator, libnfc("nfc-list"))) == {(uid, sak)}
        emulator.say("take")
    assert listed(run(emulator, libnfc("nfc-list"))) == set()


def test_nfc_list_reads_several_badges_at_once(emulator: Emulator, libnfc: Tool) -> None:
    emulator.say(f"put uid={NTAG} type=ntag213")
    emulator.say(f"put uid={CLASSIC} type=classic1k")
    emulator.say(f"put uid={TYPE4} type=type4")
    found = listed(run(emulator, libnfc("nfc-list")))
    assert {uid for uid, _ in found} == {NTAG, CLASSIC, TYPE4}


def test_nfc_poll_waits_for_a_badge_and_for_its_going(emulator: Emulator, libnfc: Tool) -> None:
    with subprocess.Popen(
        ["stdbuf", "-o0", libnfc("nfc-poll")],
        env=environment(emulator),
        text=True,
        stdout=subprocess.PIPE,
    ) as poll:
        try:
            assert poll.stdout is not None
            heard = ""
            while "will poll" not in heard:
                heard += poll.stdout.readline()
            emulator.say(f"put uid={NTAG} type=ntag213")
            while "SAK" not in heard:
                heard += poll.stdout.readline()
            assert listed(heard) == {(NTAG, "00")}
            emulator.say("take")
            wait_for(lambda: poll.poll() is not None, "nfc-poll to see the badge go")
        finally:
            if poll.poll() is None:
                poll.kill()


def test_nfc_mfultralight_dumps_all_45_pages(
    emulator: Emulator, libnfc: Tool, tmp_path: Path
) -> None:
    emulator.say(f"put uid={NTAG} type=ntag213")
    dump = tmp_path / "dump"
    said = run(emulator, libnfc("nfc-mfultralight"), "r", str(dump))
    assert "45 of 45 pages read (0 pages failed)" in said
    # Pages 0 to 2: the UID with its two check bytes.
    assert dump.read_bytes()[:3] + dump.read_bytes()[4:8] == bytes.fromhex(NTAG)
