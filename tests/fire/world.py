"""The demo's world with a fast door, and what can be seen of it while everything runs."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ciao.errors import BadInput
from hardware.control import ask
from tests.demo.processes import Process
from tests.demo.world import World
from tests.fire.people import Cleaner

Identity = tuple[str, int]
_AT_ONSS = "('accepted', 'valid', 'remarked')"
# A control line has at most 512 bytes.
_TAPS_A_LINE = 20


class FireWorld(World):
    """Real processes all: ONSS stand-in, mosquitto, gateway, emulated reader, terminal."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        super().__init__(folder, say)
        self.door = folder / "fast.sock"
        self.terminal = self._door(0.0)
        self.promises = Promises(self.panel_log)

    def set_clock_behind(self, ago_s: float) -> None:
        """From its next start on, the terminal's clock is so far behind: what it makes is old."""
        self.terminal = self._door(ago_s)

    def tap_fast(self, people: list[Cleaner]) -> int:
        """Hand taps to the fast reader; return how many it took, 0 while there is no terminal."""
        words = [f"{one.next_direction()} {one.uid}" for one in people[:_TAPS_A_LINE]]
        try:
            answer = ask(self.door, " ".join(["tap", *words]))
        except BadInput:
            return 0
        if answer != "ok":
            raise AssertionError(answer)
        return len(words)

    def accepted(self) -> int:
        """How many taps the gateway's ledger says are at the ONSS."""
        with _read_only(self.ledger) as db:
            select = f"SELECT count(*) FROM tap WHERE state IN {_AT_ONSS}"
            return int(db.execute(select).fetchone()[0])

    def accepted_identities(self) -> set[Identity]:
        """Which ones."""
        with _read_only(self.ledger) as db:
            select = f"SELECT first_origin, first_seq FROM tap WHERE state IN {_AT_ONSS}"
            return set(db.execute(select).fetchall())

    def custody(self) -> list[Identity]:
        """Every tap in the ledger's logs that a receipt covers, once for each time it is there."""
        with _read_only(self.ledger) as db:
            select = "SELECT first_origin, first_seq FROM tap"
            return db.execute(select).fetchall()

    def _door(self, ago_s: float) -> Process:
        settings = self.terminal_folder / "terminal.toml"
        words = [sys.executable, "-m", "tests.fire.fast_door", f"--config={settings}"]
        words += [f"--control={self.door}", f"--ago={ago_s}"]
        return self._process("terminal", words, self.folder / "logs")


class Promises:
    """What the panel has promised so far, read as it grows; each stamp once."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._offset = 0
        self.identities: set[Identity] = set()

    def read(self) -> int:
        """Read on; return how many stamps were promised altogether."""
        if not self._log.exists():
            return 0
        with self._log.open("rb") as log:
            log.seek(self._offset)
            found = log.read()
        whole = found[: found.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            stamp = json.loads(line).get("stamp")
            if stamp is not None:
                self.identities.add((stamp["origin"], stamp["seq"]))
        return len(self.identities)


@contextmanager
def _read_only(path: Path) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        yield db
    finally:
        db.close()
