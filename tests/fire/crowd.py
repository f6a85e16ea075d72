"""People who never stop tapping: as many taps as the system can take, and no more.

Every stage always has work, but none a backlog that would take longer than the test: at most
`BACKLOG_MAX` stamps are promised and not yet at the ONSS.
"""

from __future__ import annotations

import threading
import time
from itertools import cycle, islice

from tests.demo.people import PEOPLE
from tests.fire.people import Cleaner
from tests.fire.world import FireWorld

BACKLOG_MAX = 400
AT_ONCE = 10
PACE_S = 0.01
PATIENCE_S = 1.0
HELD_S = 0.4
BETWEEN_S = 1.0


class Crowd:
    """Taps from threads of its own until `stop`; what went wrong there is raised by `stop`."""

    def __init__(self, world: FireWorld, people: list[Cleaner]) -> None:
        self._world = world
        self._people = cycle(people)
        self._stopping = threading.Event()
        self._failed: BaseException | None = None
        self._handed = 0
        self._patient_until_s = 0.0
        self.promised = 0
        self.accepted = 0
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), daemon=True)
            for work in (self._tap_fast, self._lay_badges)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let everybody go home; raise what went wrong."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        if self._failed is not None:
            raise self._failed

    def _guarded(self, work: object) -> None:
        try:
            while not self._stopping.is_set():
                work()  # type: ignore[operator]
        except (AssertionError, OSError, ValueError) as error:
            self._failed = error

    def _tap_fast(self) -> None:
        self.promised = self._world.promises.read()
        self.accepted = self._world.accepted()
        waits = self.promised < self._handed
        # A terminal that was killed keeps none of what it had not promised.
        patient = waits and time.monotonic() < self._patient_until_s
        if not patient and self.promised - self.accepted < BACKLOG_MAX:
            self._handed = self.promised + self._world.tap_fast(list(islice(self._people, AT_ONCE)))
            self._patient_until_s = time.monotonic() + PATIENCE_S
        self._stopping.wait(PACE_S)

    def _lay_badges(self) -> None:
        """Real badges on the emulated chip, amid the others' presses: some become stamps."""
        for person in PEOPLE:
            self._world.lay(person)
            self._stopping.wait(HELD_S)
            self._world.lift()
            self._stopping.wait(BETWEEN_S)
