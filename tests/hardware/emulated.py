"""An emulated reader in a process of its own, and an ear for what a reader says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from hardware.clock import VirtualClock
from hardware.control import ask
from hardware.events import HardwareEvent
from hardware.reader import open_reader
from tests.support.waiting import wait_for

NTAG = "04A1B2C3D4E580"
TYPE4 = "04D5E6F7A8B980"
CLASSIC = "DEADBEEF"

COMMAND = [sys.executable, "-c", "from hardware.emulator.cli import main; main()"]
_ROOT = Path(__file__).resolve().parents[2]
E = TypeVar("E", bound=HardwareEvent)


@dataclass(slots=True)
class Emulator:
    """One running `ciao-emulator pn532`."""

    port: Path
    control: Path
    process: subprocess.Popen[str]

    def say(self, line: str) -> None:
        """Give an order that must be obeyed."""
        assert ask(self.control, line) == "ok", line


def environment() -> dict[str, str]:
    """Return this process's environment, with our packages to be found in it."""
    return os.environ | {"PYTHONPATH": str(_ROOT)}


@contextmanager
def running_emulator(folder: Path, *options: str) -> Iterator[Emulator]:
    """Run an emulator; at the end it must stop when told to, having complained of nothing."""
    port, control = folder / "reader", folder / "control"
    arguments = ["pn532", "--link", str(port), "--control", str(control), *options]
    with subprocess.Popen(
        [*COMMAND, *arguments],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("ready")
            yield Emulator(port, control, process)
        finally:
            process.send_signal(signal.SIGTERM)
            _, complaints = process.communicate(timeout=10)
    assert (process.returncode, complaints) == (0, "")
    assert not port.is_symlink()
    assert not control.exists()


@dataclass(slots=True)
class Ear:
    """Collects events from another thread."""

    heard: list[HardwareEvent] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, event: HardwareEvent) -> None:
        """Take one."""
        with self._lock:
            self.heard.append(event)

    def all(self, kind: type[E]) -> list[E]:
        """Return the events of this kind so far."""
        with self._lock:
            return [event for event in self.heard if isinstance(event, kind)]

    def wait(self, kind: type[E], count: int = 1) -> E:
        """Wait for the `count`-th event of this kind and return it."""
        name = f"{kind.__name__} number {count}"
        return wait_for(lambda: self.all(kind)[count - 1 :], name)[0]


@contextmanager
def reading(port: Path, clock: VirtualClock, name: str = "door") -> Iterator[Ear]:
    """Run the real reader on this port; its ear hears what it says."""
    ear = Ear()
    reader = open_reader(name, port, ear, clock)
    try:
        yield ear
    finally:
        reader.close()
