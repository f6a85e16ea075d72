"""Two doors at two sites, one gateway: a bundle of both, with its report, holds from end to end."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.people import ANNA, BRAM, PEOPLE, Person
from tests.demo.processes import Process, script
from tests.demo.scenario import accepted
from tests.demo.world import World, serves
from tests.support.waiting import wait_for

ANNEX = "Loods van het voorbeeld"
DOORS = (("door-1", "Hall d'exemple"), ("door-2", ANNEX))


class Annex(World):
    """A second door of a world, at another site; it shares all but its own parts."""

    def __init__(self, main: World) -> None:
        vars(self).update(vars(main))
        self.terminal_folder = main.folder / "door-2"
        logs = main.folder / "logs"
        reader = [f"--link={self.port}", f"--control={self.field}"]
        words = [script("ciao-emulator"), "pn532", *reader]
        self.emulator = Process("emulator-2", words, logs / "emulator-2.log")
        settings = self.terminal_folder / "terminal.toml"
        words = [sys.executable, "-m", "terminal", "--quiet", f"--config={settings}"]
        self.terminal = Process("terminal-2", words, logs / "terminal-2.log")

    @property
    def port(self) -> Path:
        return self.folder / "reader-2"

    @property
    def field(self) -> Path:
        return self.folder / "field-2.sock"

    def enter(self) -> None:
        """Provision it, while everything runs, and start it."""
        self.office.add_site("annex", ANNEX)
        where = (self.terminal_folder, self.port, self.wire.port)
        self.office.add_terminal(*where, terminal="door-2", site="annex")
        self.emulator.start(lambda: serves(self.field))
        self.start_terminal()

    def close(self) -> None:
        for process in (self.terminal, self.emulator):
            process.stop()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: a Unix socket's has at most 107 characters."""
    made = Path(tempfile.mkdtemp(prefix="ciao-"))
    yield made
    shutil.rmtree(made)


def live(folder: Path) -> None:
    """Somebody comes to each door, and all of it reaches the ONSS."""
    world = World(folder, lambda _: None)
    annex = Annex(world)
    came: list[tuple[World, Person]] = [(world, ANNA), (annex, BRAM), (annex, ANNA)]
    try:
        world.open(PEOPLE)
        annex.enter()
        for door, person in came:
            door.tap(person, "in")
        wait_for(lambda: len(accepted(world.ledger)) == len(came), "all of it to be accepted", 30)
    finally:
        annex.close()
        world.close()


def run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_bundle_of_two_sites_verifies_and_its_report_answers_for_both(folder: Path) -> None:
    live(folder)
    out, config = folder / "bundle", str(folder / "gateway.toml")
    export = (script("ciao-gateway"), "evidence", "export", "--config", config, "--lang", "en")
    run(*export, "--out", str(out))
    said = json.loads(
        run(script("ciao-verify"), str(out), "--keys", str(folder / "policy.txt"), "--json")
    )
    assert said["fails"] == []
    found = {one["terminal"]: one for one in said["terminals"]}
    assert set(found) == {"door-1", "door-2", "gateway-one"}
    assert [found[door]["counted"]["in"] for door in ("door-1", "door-2")] == [1, 2]
    first, *rest = run("pdftotext", "-layout", str(out / "report.pdf"), "-").split("\f")
    assert "Evidence report: 2 sites" in first
    lines = [line for line in first.splitlines() if line.strip().startswith("door-")]
    assert all(site in line for line, (_, site) in zip(lines, DOORS, strict=True))
    pages = "\n".join(rest)
    parts = [pages.index(f"Terminal {door}, {site}") for door, site in DOORS]
    assert parts == sorted(parts)
    assert "Signature is Valid" in run("pdfsig", str(out / "report.pdf"))
    assert "deletions.jsonl" not in json.loads((out / "manifest.json").read_text())["files"]
    # of one site alone there is that one, and no word of the other
    one = folder / "annex"
    run(*export, "--site", "annex", "--out", str(one))
    run(script("ciao-verify"), str(one), "--keys", str(folder / "policy.txt"))
    shown = run("pdftotext", "-layout", str(one / "report.pdf"), "-")
    assert f"Evidence report: {ANNEX}" in shown
    assert "door-1" not in shown and "Hall d'exemple" not in shown
    # a report over other rows than these is found out
    shutil.copy(one / "report.pdf", out / "report.pdf")
    line = (script("ciao-verify"), str(out), "--keys", str(folder / "policy.txt"), "--json")
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert {one["code"] for one in json.loads(done.stdout)["fails"]} == {
        "file_altered",
        "report_rows",
    }
