"""The real process, on a real pseudo-terminal with an emulated reader, and without any broker."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from ciao import entries
from hardware.control import ask
from terminal.cli import main as commands
from tests.hardware.emulated import NTAG, TYPE4, Emulator, environment, running_emulator
from tests.support.waiting import wait_for
from tests.terminal.folder import terminal_folder
from tests.terminal.test_promises import leaked
from tests.terminal.world import bound_world, on_disk, word_of

# Started as the product is, but leaving behind what it had imported when it was asked to stop.
_LISTING = """\
import json, sys
from terminal.__main__ import main
status = main(sys.argv[2:])
open(sys.argv[1], "w").write(json.dumps(sorted(sys.modules)))
sys.exit(status)
"""


@dataclass
class Program:
    """A terminal's folder, with its emulated reader; the process comes and goes."""

    folder: Path
    emulator: Emulator
    process: subprocess.Popen[str] | None = None

    def start(self, *words: str) -> None:
        """Start it, and wait until badges are read."""
        before = len(self.log())
        self.process = subprocess.Popen(
            [sys.executable, *(words or ("-m", "terminal")), "--quiet", "--config", self.config],
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        wait_for(
            lambda: self.invites(self.log()[before:]) or self.process_ended(), "the panel to invite"
        )

    @staticmethod
    def invites(log: list[dict[str, object]]) -> bool:
        """Whether the readers look, and the panel says so."""
        return any(shown.get("headline") == "IN / OUT" for shown in log)

    @property
    def config(self) -> str:
        """Its settings."""
        return str(self.folder / "terminal.toml")

    def process_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it; return its exit status. It must not have complained."""
        assert self.process is not None
        self.process.send_signal(how)
        said, complaints = self.process.communicate(timeout=10)
        assert (said, complaints) == ("", "")
        return self.process.returncode

    def log(self) -> list[dict[str, object]]:
        """What the panel has shown."""
        path = self.folder / "panel.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text().splitlines()]

    def stamps(self) -> list[tuple[str, int]]:
        """The identities that were promised, each once, in order."""
        promised = [event["stamp"] for event in self.log() if event.get("stamp")]
        return list(dict.fromkeys((p["origin"], p["seq"]) for p in promised))  # type: ignore[index]

    def stamp(self, direction: str, uid: str, kind: str) -> None:
        """Press a button, lay a badge, wait for the stamp, lift it."""
        count = len(self.stamps())
        assert ask(self.folder / "panel.sock", f"press {direction}") == "ok"
        self.emulator.say(f"put uid={uid} type={kind}")
        wait_for(lambda: len(self.stamps()) > count, f"a stamp {direction}")
        self.emulator.say("take")

    def words(self) -> list[str]:
        """The whole journal, in a word each."""
        disk = on_disk(self.folder / "state" / "journal")
        return [word_of(disk[key]) for key in sorted(disk, key=lambda key: key[1])]


@contextmanager
def installed(folder: Path) -> Iterator[Program]:
    """A bound terminal's folder beside a running emulator, on no wire's time."""
    terminal_folder(folder)
    world = bound_world(folder / "state")
    world.power_cut(clean=True)
    with running_emulator(folder, "--wire", "off") as emulator:
        program = Program(folder, emulator)
        try:
            yield program
        finally:
            if program.process is not None and program.process.poll() is None:
                program.process.kill()
                program.process.communicate(timeout=10)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    with installed(tmp_path) as made:
        yield made


def test_offline_a_badge_is_stamped_and_nothing_is_lost_by_sigkill(program: Program) -> None:
    program.start()
    program.stamp("in", NTAG, "ntag213")
    assert program.stop(signal.SIGKILL) == -signal.SIGKILL
    program.start()
    program.stamp("out", TYPE4, "type4")
    assert program.stop() == 0
    disk = on_disk(program.folder / "state" / "journal")
    taps = [key for key, entry in disk.items() if isinstance(entry, entries.Tap)]
    assert sorted(taps) == sorted(program.stamps()), "promised and journalled are the same"
    boots = [entry.clean for entry in disk.values() if isinstance(entry, entries.Boot)]
    assert boots[-2:] == [True, False], "after the clean stop, and after SIGKILL"
    assert program.words()[-1] == "shutdown"
    assert program.log()[-1]["event"] == "dark"
    assert not (program.folder / "panel.sock").exists()
    assert leaked(program.folder / "state") == []


def test_a_badge_left_on_the_reader_over_a_restart_stamps_nothing_until_it_is_lifted(
    program: Program,
) -> None:
    program.start()
    assert ask(program.folder / "panel.sock", "press in") == "ok"
    program.emulator.say(f"put uid={NTAG} type=ntag213")
    wait_for(program.stamps, "a stamp")
    assert program.stop(signal.SIGKILL) == -signal.SIGKILL
    before = len(program.log())
    program.start()
    wait_for(
        lambda: [view for view in program.log()[before:] if view.get("light") == "refused"],
        "to be told to take it away",
    )
    program.emulator.say("take")
    program.stamp("out", TYPE4, "type4")
    assert program.stop() == 0
    made = [word for word in program.words() if word.startswith(("tap", "refused"))]
    assert made == ["tap in", "refused unreadable", "tap out"]


def test_no_badge_is_named_in_any_file_of_a_running_terminal(program: Program) -> None:
    program.start()
    program.stamp("in", NTAG, "ntag213")
    forms = [bytes.fromhex(NTAG), NTAG.encode(), NTAG.lower().encode()]
    files = [path for path in program.folder.rglob("*") if path.is_file()]
    assert any(path.name.endswith("-wal") for path in files), "looked at while it is open"
    assert not [path for path in files for form in forms if form in path.read_bytes()]
    assert program.stop() == 0


def test_the_tap_process_imports_nothing_that_only_commands_need(program: Program) -> None:
    listing = program.folder / "modules.json"
    program.start("-c", _LISTING, str(listing))
    program.stamp("in", NTAG, "ntag213")
    assert program.stop() == 0
    modules = {name.partition(".")[0] for name in json.loads(listing.read_text())}
    assert {"nfc", "paho", "cryptography", "msgspec"} <= modules, "it did its work"
    assert not {"click", "structlog", "sqlite_utils", "requests", "flask", "babel"} & modules
    assert not {"gateway", "provisioning"} & modules


def test_one_state_is_for_one_process(program: Program) -> None:
    program.start()
    second = subprocess.run(
        [sys.executable, "-m", "terminal", "--config", program.config],
        check=False,
        capture_output=True,
        text=True,
        env=environment(),
        timeout=30,
    )
    assert second.returncode == 2
    assert second.stderr.startswith("error: another process runs on")
    program.stamp("in", NTAG, "ntag213")
    assert program.stop() == 0


def test_a_terminal_told_to_stop_at_once_stops_cleanly(program: Program) -> None:
    program.start()
    assert program.stop(signal.SIGINT) == 0
    # The terminal of the fixture was silent since it was bound: that is told too.
    assert program.words()[-3:] == ["boot", "outage_begin", "shutdown"]


def test_maintenance_is_said_to_the_running_terminal_and_is_on_the_disk(program: Program) -> None:
    said = CliRunner()
    words = ["maintenance", "begin", "--config", program.config]
    nobody = said.invoke(commands, words)
    assert nobody.exit_code == 2 and "error: nobody answers at" in nobody.output
    program.start()
    assert said.invoke(commands, words).output == "maintenance has begun\n"
    assert program.words()[-1] == "maintenance_begin"
    twice = said.invoke(commands, words)
    assert twice.exit_code == 2
    assert twice.output == "error: maintenance has begun already\nhint: end it first\n"
    ended = said.invoke(commands, ["maintenance", "end", "--config", program.config])
    assert ended.output == "maintenance has ended\n"
    assert program.stop() == 0


def test_a_setting_that_the_watch_can_not_use_is_one_line_and_stops_nothing(
    program: Program,
) -> None:
    with open(program.config, "a") as config:
        config.write('[probes]\nanchors = ["one.example:443"]\nups = "nonsense"\n')
    program.start()
    program.stamp("in", NTAG, "ntag213")
    assert program.process is not None
    program.process.send_signal(signal.SIGTERM)
    _, complaints = program.process.communicate(timeout=10)
    assert program.process.returncode == 0
    lines = complaints.splitlines()
    assert len(lines) == 3 and all(line.startswith("warning: terminal.toml: ") for line in lines)
    assert all(line.endswith("; the watch goes on") for line in lines)
