"""A provisioned world in a folder, made by the real commands, with a clock that the test moves."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from ciao.sealing import seal
from provisioning.cli import main
from provisioning.office import Edges
from provisioning.ports import is_taken
from provisioning.registry import Registry

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
# Made up: no date of birth, valid by their check digits only.
SSINS = ("00000000196", "00000000295", "00000000394")
UIDS = ("04A1B2C3D4E580", "04B1B2C3D4E581", "04C1B2C3D4E582")
ACME, AGENCY = "0123456749", "0765432146"
NUMBER, OTHER_NUMBER = "1Y1000NF9KCQZ", "1Y1000003EQCZ"


@dataclass
class World:
    """The folder, and the moment it is."""

    folder: Path
    now: datetime = field(default=START)
    pause: Callable[[float], object] = field(default=threading.Event().wait)
    is_taken: Callable[[int], bool] = is_taken

    def run(self, *arguments: str, asked: str | None = None, status: int = 0) -> Result:
        """Run a command of `ciao-provision` on this world; it must exit with `status`."""
        edges = Edges(lambda: self.now, os.urandom, seal, self.pause, is_taken=self.is_taken)
        where = [] if "--config" in arguments else ["--dir", str(self.folder)]
        result = CliRunner().invoke(main, [*arguments, *where], input=asked, obj=edges)
        assert result.exit_code == status, (arguments, result.output, result.exception)
        return result

    def json(self, *arguments: str, asked: str | None = None) -> Any:
        """Run a command with `--json` and read what it prints."""
        return json.loads(self.run(*arguments, "--json", asked=asked).stdout)

    def registry(self) -> Registry:
        """Open the registry as the gateway does."""
        return Registry.open(self.folder / "registry.db", self.folder / "registry.key")

    def employ(self, ssin: str, initials: str, *more: str) -> str:
        """Add an employment since 2026-01-01; return its id."""
        options = ("--initials", initials, "--from", "2026-01-01", *more)
        return self.run("employment", "add", *options, asked=f"{ssin}\n").stdout.strip()

    def enrol(self, uid: str, employment: str, *more: str) -> str:
        """Add a badge; return its id."""
        options = ("--employment", employment, *more)
        return self.run("badge", "add", *options, asked=f"{uid}\n").stdout.strip()

    def copy(self, folder: Path) -> World:
        """Copy the world, which refers to nothing outside itself."""
        shutil.copytree(self.folder, folder)
        return World(folder, self.now)


def make_world(folder: Path, *init: str, now: datetime = START) -> World:
    """One employer with two declarations, one site, one terminal in `door-1/`."""
    world = World(folder, now)
    world.run("init", "--domain", "badges.example.be", *init)
    world.run("employer", "add", "acme", "--name", "Acme", "--company", ACME)
    world.run("declaration", "add", NUMBER, "--from", "2026-01-01")
    world.run("declaration", "add", OTHER_NUMBER)
    address = ("--post-code", "1000", "--municipality", "Brussel", "--street", "Grasmarkt")
    world.run("site", "add", "tower", "--name", "Tower", *address, "--number", "1")
    door = str(folder / "door-1")
    world.run("terminal", "add", "door-1", "--declaration", NUMBER, "--out", door)
    return world
