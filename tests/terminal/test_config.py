"""Settings that can't be used: one line says which key on which line, one says what is allowed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ciao.errors import BadInput
from terminal import config
from tests.hardware.emulated import environment
from tests.terminal.folder import TOML, terminal_folder
from tests.terminal.world import COSIGNER, PROVISIONING

KEY = f'provisioning_key = "{PROVISIONING.verifier()}"'

# What is changed, what the error names, what the hint allows.
BROKEN = [
    ('terminal = "hall-3"', 'terminal = "Hall 3"', "line 1: 'terminal'", "a-z, 0-9"),
    ('terminal = "hall-3"', 'terminal = "gateway-3"', "line 1: 'terminal'", "gateway-"),
    ('terminal = "hall-3"\n', "", "the key 'terminal' is missing", "add terminal"),
    ('domain = "badges.example.be"', 'domain = "Badges!"', "line 2: 'domain'", "lower case"),
    (KEY, 'provisioning_key = "x"', "line 3: 'provisioning_key'", "<name>+<id>+<base64>"),
    (KEY, f'provisioning_key = "{COSIGNER.verifier(4)}"', "line 3: 'provisioning_key'", "<name>"),
    ('language = "en"', 'language = "xx"', "line 4: 'language'", "one of fr, nl, de, en"),
    ('language = "en"', 'time_zone = "Mars/Olympus"', "line 4: 'time_zone'", "Europe/Brussels"),
    ('language = "en"', 'time_zone = ".."', "line 4: 'time_zone'", "Europe/Brussels"),
    ('language = "en"', 'colour = "red"', "line 4: unknown key 'colour'", "language"),
    ('language = "en"', "language = 3", "line 4: 'language'", "expected `str`"),
    ('seal = "seal.key"', 'sale = "seal.key"', "line 8: unknown key 'keys.sale'", "enrolled, seal"),
    ('seal = "seal.key"\n', "", "the key 'keys.seal' is missing", "add seal"),
    ("port = 1", 'port = "1"', "line 12: 'broker.port'", "expected `int`"),
    (
        "[readers.door]",
        "[readers.left]\npath = 'x'\n[readers.right]",
        "'readers'",
        "'in' and 'out'",
    ),
    ("[readers.door]\npath", "[readers]\n#", "line 14: 'readers' names none", "one reader"),
    ("assured_error_ms = 50", "assured_error_ms = 'a'", "line 22: 'clock.assured_error_ms'", "int"),
    ("[panel]", "[panel", "line 17", "example"),
]


@pytest.mark.parametrize(("old", "new", "named", "allowed"), BROKEN)
def test_a_wrong_setting_is_named_with_its_line_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, named: str, allowed: str
) -> None:
    path = terminal_folder(tmp_path, old, new)
    with pytest.raises(BadInput) as refused:
        config.load(path)
    assert named in refused.value.what
    assert str(path) in refused.value.what
    assert allowed in refused.value.hint


def test_the_example_is_right(tmp_path: Path) -> None:
    read = config.load(terminal_folder(tmp_path))
    assert (read.journal, read.zone.key) == (tmp_path / "state" / "journal", "Europe/Brussels")
    assert list(read.settings.readers) == ["door"]


def test_lanes_are_two_readers_named_in_and_out(tmp_path: Path) -> None:
    lanes = "[readers.in]\npath = 'a'\n[readers.out]"
    read = config.load(terminal_folder(tmp_path, "[readers.door]", lanes))
    assert set(read.settings.readers) == {"in", "out"}


DOCTOR = ("-c", "from terminal.cli import main; main()", "doctor")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        check=False,
        capture_output=True,
        text=True,
        env=environment(),
        timeout=30,
    )


@pytest.mark.parametrize("program", [["-m", "terminal"], ["-m", "terminal.cli", "run"]])
@pytest.mark.parametrize(
    "problem", ["no file", "wrong key", "open key", "wrong pem", "state", "tls", "control"]
)
def test_a_terminal_that_can_not_start_says_so_in_two_lines(
    tmp_path: Path, program: list[str], problem: str
) -> None:
    if problem == "tls":
        path = terminal_folder(tmp_path, '"127.0.0.1"', '"broker.example.be"')
    else:
        path = terminal_folder(tmp_path)
    match problem:
        case "no file":
            path.unlink()
        case "wrong key":
            (tmp_path / "seal.key").write_bytes((tmp_path / "enrolled.key").read_bytes())
        case "open key":
            (tmp_path / "seal.key").chmod(0o644)
        case "wrong pem":
            (tmp_path / "enrolled.key").write_text("nonsense")
        case "state":
            (tmp_path / "state").write_text("a file in the way")
        case "control":
            (tmp_path / "panel.sock").write_text("a file in the way")
    done = run(*start(program), "--config", str(path))
    assert done.returncode == 2
    error, hint = done.stderr.splitlines()
    assert error.startswith("error: ") and hint.startswith("hint: ")
    assert done.stdout == "" or problem == "control"


def start(program: list[str]) -> list[str]:
    """The commands without their installed script."""
    if program[1] == "terminal.cli":
        return ["-c", "from terminal.cli import main; main()", *program[2:]]
    return program


def test_unknown_options_are_bad_input_too() -> None:
    done = run(*DOCTOR, "--colour")
    assert done.returncode == 2
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["error", "hint"]


def test_the_table_changes_what_it_says() -> None:
    assert all(old in TOML for old, *_ in BROKEN)
