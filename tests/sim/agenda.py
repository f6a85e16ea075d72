"""Virtual time: what happens when, in one order, and nothing waits."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

Action = Callable[[], None]


class Agenda:
    """Actions by their moment, in ms since the simulation began; ties in the order they came."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._heap: list[tuple[int, int, Action]] = []
        self._count = itertools.count()

    def at(self, at_ms: int, action: Action) -> None:
        """Do it at that moment, or now if it has passed."""
        heapq.heappush(self._heap, (max(at_ms, self.now_ms), next(self._count), action))

    def after(self, delay_ms: int, action: Action) -> None:
        """Do it `delay_ms` from now."""
        self.at(self.now_ms + delay_ms, action)

    def run_until(self, end_ms: int) -> None:
        """Let time pass."""
        while self._heap and self._heap[0][0] <= end_ms:
            self.now_ms, _, action = heapq.heappop(self._heap)
            action()
        self.now_ms = end_ms
