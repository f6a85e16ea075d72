"""Edge: looks around from a thread of its own; whoever taps never waits for it.

While all is well it glances every few seconds. Where a glance sees something new, and whenever it
is asked to, it looks at everything. A look that fails by a fault of ours is said once, and the next
one comes all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from ciao.reading import ReadClock
from hardware.events import Probed

# Rounds that are asked for come no closer than this.
_PAUSE_S = 1.0


class Looking(Protocol):
    """What the prober needs of the surroundings; those of a test may be twins."""

    def glance(self) -> Mapping[str, str]:
        """Look at a part, quickly."""

    def round(self) -> Mapping[str, str]:
        """Look at everything."""


class Prober:
    """Surroundings in a thread of their own, from now on until closed; `emit` gets `Probed`."""

    def __init__(
        self,
        surroundings: Looking,
        every_s: float,
        emit: Callable[[Probed], None],
        read_clock: ReadClock,
        complain: Callable[[str], None],
    ) -> None:
        self._surroundings = surroundings
        self._every_s = every_s
        self._emit = emit
        self._read_clock = read_clock
        self._complain = complain
        self._asked = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="probes", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Ask for a round soon; never blocks."""
        self._asked.set()

    def close(self) -> None:
        """Stop; a round in progress is not waited for: its thread ends by itself."""
        self._stop.set()
        self._asked.set()
        self._thread.join(timeout=_PAUSE_S)

    def _run(self) -> None:
        known: Mapping[str, str] = self._look(whole=True)
        while not self._stop.wait(_PAUSE_S):
            if self._asked.wait(max(self._every_s - _PAUSE_S, 0)):
                known = self._look(whole=True)
                continue
            seen = self._look(whole=False)
            if any(known.get(probe) != word for probe, word in seen.items()):
                known = self._look(whole=True)

    def _look(self, *, whole: bool) -> Mapping[str, str]:
        if whole:
            self._asked.clear()
        began = self._read_clock()
        try:
            seen = self._surroundings.round() if whole else self._surroundings.glance()
        except Exception as error:
            # Nothing was seen, which is what the watch is told: unknown is not an outage.
            self._complain(f"a look around failed: {type(error).__name__}: {error}")
            seen = {}
        if not self._stop.is_set():
            self._emit(Probed(began, seen, whole))
        return seen
