"""What looks around a terminal, in virtual time; as `hardware.probes.supervisor` does."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping

from ciao.reading import Reading
from hardware.events import Probed
from hardware.probes.twin import Twin
from tests.sim.agenda import Agenda

EVERY_MS = 10_000
PAUSE_MS = 1_000
# How long a look takes; what times out is waited for.
QUICK_MS = (20, 300)
SLOW_MS = (1_000, 3_000)


class Around:
    """What is around one terminal, and what of it is broken, as often as it was."""

    def __init__(self, broker_stopped: Callable[[], bool]) -> None:
        self._broker_stopped = broker_stopped
        self._broken: Counter[str] = Counter()

    def fail(self, part: str) -> None:
        self._broken[part] += 1

    def mend(self, part: str) -> None:
        self._broken[part] -= 1

    def twin(self) -> Twin:
        """Return it as it is now."""
        broken = self._broken
        return Twin(
            cable=not broken["cable"],
            router=not broken["router"],
            line=not broken["line"],
            dns=not broken["dns"],
            portal=bool(broken["portal"]),
            broker="refused" if self._broker_stopped() else "ok",
        )


class Prober:
    """Looks around from now on until closed; `emit` gets `Probed`."""

    def __init__(
        self,
        agenda: Agenda,
        rng: random.Random,
        around: Around,
        emit: Callable[[Probed], None],
        read_clock: Callable[[], Reading],
    ) -> None:
        self._agenda = agenda
        self._rng = rng
        self._around = around
        self._emit = emit
        self._read_clock = read_clock
        self._known: Mapping[str, str] = {}
        self._next_ms: int | None = None
        self._looking = self._asked = self._closed = False
        self._plan(self._rng.randint(*QUICK_MS), whole=True)

    def look(self) -> None:
        """Ask for a round soon."""
        self._asked = True
        if not self._looking:
            self._plan(PAUSE_MS, whole=True)

    def close(self) -> None:
        """Stop; what is being looked at is told to nobody."""
        self._closed = True

    def _plan(self, after_ms: int, *, whole: bool) -> None:
        """Look then, and not at what was planned for later."""
        at_ms = self._agenda.now_ms + after_ms
        if self._next_ms is None or at_ms < self._next_ms:
            self._next_ms = at_ms
            self._agenda.at(at_ms, lambda: self._begin(at_ms, whole))

    def _begin(self, at_ms: int, whole: bool) -> None:
        if self._closed or self._next_ms != at_ms:
            return
        self._next_ms, self._looking = None, True
        whole, self._asked = whole or self._asked, False
        twin = self._around.twin()
        seen = twin.round() if whole else twin.glance()
        probed = Probed(self._read_clock(), seen, whole)
        took_ms = self._rng.randint(*(SLOW_MS if "timeout" in seen.values() else QUICK_MS))
        self._agenda.after(took_ms, lambda: self._end(probed))

    def _end(self, probed: Probed) -> None:
        if self._closed:
            return
        self._looking = False
        news = any(self._known.get(probe) != word for probe, word in probed.seen.items())
        if probed.whole:
            self._known = probed.seen
            self._plan(PAUSE_MS if self._asked else EVERY_MS, whole=self._asked)
        else:
            self._plan(0 if news else EVERY_MS, whole=news)
        self._emit(probed)
