"""The registry of the simulation, made once a process with the product's own commands.

Copied for each seed. Its keys come from a fixed seed: every run has the same people and keys.
"""

from __future__ import annotations

import functools
import random
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from ciao.sealing import seal
from provisioning.cli import main
from provisioning.office import Edges
from tests.sim.clocks import BEGIN

DOMAIN = "badges.example.be"
GATEWAY = "one"
DECLARATION = "1Y1000NF9KCQZ"
TERMINALS = ("door-1", "door-2")


@dataclass(frozen=True, slots=True)
class Person:
    """A cleaner with a badge; valid by check digits only."""

    ssin: str
    uid: str
    company: str


PEOPLE = (
    Person("85010100115", "04A1B2C3D4E580", "exemple"),
    Person("90020200296", "DEADBEEF", "voorbeeld"),
    Person("78030300314", "04D5E6F7A8B980", "exemple"),
)
# Enrolled while the simulation runs.
LATE = Person("95040400456", "04112233445580", "voorbeeld")


class Office:
    """`ciao-provision` in one folder, on a clock and a seed of the simulation's."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.folder = folder
        self._edges = Edges(lambda: BEGIN, rng.randbytes, seal)

    def provision(self, *words: str) -> str:
        """Run one command; return what it printed last."""
        line = [*words, "--dir", str(self.folder)]
        done = CliRunner().invoke(main, line, obj=self._edges, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return (done.stdout.splitlines() or [""])[-1].strip()

    def enrol(self, person: Person) -> None:
        """Enter an employment and its badge."""
        employment = self.provision(
            *("employment", "add", "--employer", person.company, "--ssin", person.ssin),
            *("--initials", "X", "--from", "2026-01-05"),
        )
        self.provision("badge", "add", "--uid", person.uid, "--employment", employment)


@functools.cache
def template() -> Path:
    """Make the registry once; return its folder, which is not to be changed."""
    folder = Path(tempfile.mkdtemp(prefix="ciao-sim-office-"))
    office = Office(folder, random.Random(0))
    office.provision("init", "--domain", DOMAIN, "--no-broker-tls")
    for name, number in (("exemple", "0123456749"), ("voorbeeld", "0234567873")):
        office.provision(
            *("employer", "add", name, "--name", name, "--company", number, "--onss-client", name)
        )
    office.provision("declaration", "add", DECLARATION, "--employer", "exemple")
    office.provision(*("site", "add", "hall", "--name", "Hall", "--coordinates", "4.3517,50.8503"))
    for terminal in TERMINALS:
        office.provision(
            *("terminal", "add", terminal, "--mode", "buttons", "--languages", "fr"),
            *("--from", "2026-10-01", "--out", str(folder / terminal)),
        )
    for person in PEOPLE:
        office.enrol(person)
    return folder


def copy_to(folder: Path) -> None:
    """Give a simulation its own registry, keys and terminals."""
    shutil.copytree(template(), folder, dirs_exist_ok=True)
