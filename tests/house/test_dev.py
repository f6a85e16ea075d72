"""What `./dev` says, asked from outside as a person would."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT

DEV = runpy.run_path(str(ROOT / "dev"), run_name="dev")


def dev(*args: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "dev"), *args],
        env={**os.environ, **changes},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_names_every_command() -> None:
    said = dev("--help")
    assert said.returncode == 0
    assert set(re.findall(r"^ +\./dev (\w+)", said.stdout, re.MULTILINE)) == set(DEV["COMMANDS"])


def test_an_unknown_command_is_answered_in_two_lines() -> None:
    said = dev("nonsense")
    assert said.returncode == 2
    assert said.stdout == ""
    assert [line.partition(":")[0] for line in said.stderr.splitlines()] == ["error", "hint"]


def test_who_is_not_root_is_told_the_exact_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(DEV["CannotContinue"]) as told:
        DEV["install_debian"](list(DEV["DEBIAN"]))
    names = [debian.package for debian in DEV["DEBIAN"]]
    assert told.value.args[1] == "sudo apt-get install " + " ".join(names)


def test_another_list_of_packages_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("setup.cfg", "constraints.txt", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.setitem(DEV["fingerprint"].__globals__, "ROOT", tmp_path)
    before = DEV["fingerprint"]()
    (tmp_path / "constraints.txt").write_text("click==8.1.0\n")
    assert DEV["fingerprint"]() != before


def test_ruff_takes_the_settings_that_are_passed_on() -> None:
    ruff = [sys.executable, "-m", "ruff", "check", *DEV["ruff_options"](), "--show-settings", "dev"]
    said = subprocess.run(ruff, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stderr
    assert "linter.line_length = 100" in said.stdout
