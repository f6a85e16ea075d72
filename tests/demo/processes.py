"""The demo's processes: each started, watched until it is ready, killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.support.waiting import wait_for

# The console scripts of the environment that runs us.
SCRIPTS = Path(sys.executable).parent
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0


def script(name: str) -> str:
    """The path of one of our commands."""
    return str(SCRIPTS / name)


class Process:
    """One program of the demo; its output goes to a log file."""

    def __init__(self, name: str, words: Sequence[str], log: Path) -> None:
        self.name = name
        self.log = log
        self._words = list(words)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, ready: Callable[[], object]) -> None:
        """Start, and return when `ready` says so; fail with the log where it ends instead."""
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C in the demo is for the demo, which then stops us.
            self._process = subprocess.Popen(
                self._words,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        wait_for(lambda: ready() or self._ended(), f"{self.name} to be ready", START_TIMEOUT_S)
        if self._ended():
            raise AssertionError(f"{self.name} ended at once:\n{self.log.read_text()[-2000:]}")

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and not self._ended()

    @property
    def pid(self) -> int:
        """The process id, while it runs."""
        assert self._process is not None, f"{self.name} does not run"
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL: it can't tidy up, like at a power cut."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and wait for its orderly end."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if not self._ended():
            self._process.send_signal(how)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_TIMEOUT_S)
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None
