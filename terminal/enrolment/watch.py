"""Edge: once a day a process of its own renews the certificate; then the link takes the new one.

All that happens in the tap process is a thread that waits.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

RENEWED, NOT_DUE = 0, 3
LOOK_S = 86_400.0
# After a failure: a network that is not there yet, a gateway that is being restarted.
AGAIN_S = 600.0
PATIENCE_S = 120.0


class Renewals:
    """Looks at once, then once a day, sooner after a failure.

    `looked` is told after each look whether there is a new certificate, in our own thread.
    """

    def __init__(self, config: Path, looked: Callable[[bool], None]) -> None:
        self._words = [sys.executable, "-m", "terminal.enrolment", "--config", str(config)]
        self._looked = looked
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="renewals", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread; a renewal that is under way is left to itself: its file comes whole."""
        self._ending.set()

    def _run(self) -> None:
        wait_s = 0.0
        while not self._ending.wait(wait_s):
            status = self._once()
            self._looked(status == RENEWED)
            wait_s = LOOK_S if status in (RENEWED, NOT_DUE) else AGAIN_S

    def _once(self) -> int | None:
        """Run the process; return how it ended, None where it could not be run."""
        try:
            done = subprocess.run(
                self._words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=PATIENCE_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.returncode
