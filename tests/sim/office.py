"""The registry of the simulation, made once a process with the product's own commands.

Copied for each seed. Its keys come from a fixed seed: every run has the same people and keys.
"""

from __future__ import annotations

import atexit
import functools
import random
import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from ciao.keys import load_sealing_key, load_signing_key
from ciao.sealing import seal
from gateway.ledger import migrate
from provisioning.cli import main
from provisioning.office import Edges
from tests.sim.clocks import BEGIN

DOMAIN = "badges.example.be"
GATEWAY = "one"
DECLARATION = "1Y1000NF9KCQZ"
OTHER_DECLARATION = "1Y1000003EQCZ"
# Each terminal and its direction mode.
TERMINALS = {"door-1": "buttons", "lane-1": "lanes", "door-2": "buttons", "door-3": "buttons"}
MEMORY = Path("/dev/shm")
_OWN = ("registry.db", "registry.key", "ledger.db")


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
EVERYBODY = {person.ssin: person for person in (*PEOPLE, LATE)}

# Keys never change: each file is read once a process.
signing_key = functools.cache(load_signing_key)
sealing_key = functools.cache(load_sealing_key)


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


def in_memory() -> Path | None:
    """Say where files are kept in memory: what is tested is order, not this machine's disk."""
    return MEMORY if MEMORY.is_dir() else None


@functools.cache
def template() -> Path:
    """Make the registry once; return its folder, which is not to be changed."""
    folder = Path(tempfile.mkdtemp(prefix="ciao-sim-office-", dir=in_memory()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    office = Office(folder, random.Random(0))
    office.provision("init", "--domain", DOMAIN, "--no-broker-tls")
    for name, number in (("exemple", "0123456749"), ("voorbeeld", "0234567873")):
        office.provision(
            *("employer", "add", name, "--name", name, "--company", number, "--onss-client", name)
        )
    for number in (DECLARATION, OTHER_DECLARATION):
        office.provision("declaration", "add", number, "--employer", "exemple")
    office.provision(*("site", "add", "hall", "--name", "Hall", "--coordinates", "4.3517,50.8503"))
    for terminal, mode in TERMINALS.items():
        office.provision(
            *("terminal", "add", terminal, "--mode", mode, "--languages", "fr"),
            *("--declaration", DECLARATION),
            *("--from", "2026-10-01", "--out", str(folder / terminal)),
        )
    for person in PEOPLE:
        office.enrol(person)
    migrate(folder / "ledger.db")
    return folder


def copy_database(path: Path, copy: Path) -> None:
    """Take a consistent copy, as `VACUUM INTO` or the backup API make one."""
    with (
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)


def copy_to(folder: Path) -> None:
    """Give a simulation its own registry and ledger; the keys are shared, nobody changes them."""
    for path in template().iterdir():
        if path.name in _OWN:
            shutil.copy(path, folder)
        elif path.name in TERMINALS:
            (folder / path.name / "state").mkdir(parents=True)
