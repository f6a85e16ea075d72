"""Programs on the hosts of the networks: started, watched, ended with the test."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.demo.processes import Process
from tests.net.networks import ANCHORS, SECOND_DNS, Networks


@dataclass
class Hosts:
    """`stack` ends what was started; each program's output goes to a file in `folder`."""

    networks: Networks
    folder: Path
    stack: contextlib.ExitStack

    def process(self, name: str, host: str, words: Sequence[str]) -> Process:
        """Make a program of a host; it is started by whoever wants it."""
        made = Process(name, self.networks.inside(host, *words), self.folder / f"{name}.log")
        self.stack.callback(made.kill)
        return made

    def server(self, host: str, services: str, also: str = "") -> Process:
        """Make what `tests.net.host` serves on a host."""
        words = [sys.executable, "-m", "tests.net.host", *services.split()]
        return self.process(f"{host}{also}-host", host, words)

    def serve(self, host: str, services: str, also: str = "") -> Process:
        """Make it and start it."""
        made = self.server(host, services, also)
        start(made)
        return made

    def serve_outside(self) -> None:
        """Start what everybody needs beyond the provider: anchors and the second resolver."""
        for number, address in enumerate(ANCHORS, 1):
            self.serve(f"anchor-{number}", f"accept@{address}")
        self.serve("dns", f"dns@{SECOND_DNS}")


def start(made: Process) -> None:
    """Start what `tests.net.host` serves; return when it serves."""
    before = made.log.stat().st_size if made.log.exists() else 0
    made.start(lambda: b"ready" in made.log.read_bytes()[before:])


def listens(pid: int, port: int) -> bool:
    """Whether somebody listens on a port of the network that a process is in."""
    table = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    return any(row.split()[1].endswith(f":{port:04X}") and row.split()[3] == "0A" for row in table)
