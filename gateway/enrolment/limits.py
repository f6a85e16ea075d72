"""How often somebody may fail: in all, and from one address. Pure: the caller brings the clock.

A code has 80 secret bits, so nobody guesses one; this keeps who tries from keeping us busy.
"""

from __future__ import annotations

from collections import OrderedDict

WINDOW_S = 600.0
FAILURES_OF_ADDRESS_MAX = 10
FAILURES_MAX = 1_000
ADDRESSES_MAX = 4_096


class Failures:
    """Counts failures within a window; whoever has too many is not listened to until it is over."""

    def __init__(self) -> None:
        self._began_s = 0.0
        self._all = 0
        self._of: OrderedDict[str, int] = OrderedDict()

    def too_many(self, address: str, now_s: float) -> bool:
        """Say whether an address must wait."""
        self._roll(now_s)
        return self._all >= FAILURES_MAX or self._of.get(address, 0) >= FAILURES_OF_ADDRESS_MAX

    def failed(self, address: str, now_s: float) -> None:
        """Count a failure; of too many addresses the one longest silent is forgotten."""
        self._roll(now_s)
        self._all += 1
        self._of[address] = self._of.pop(address, 0) + 1
        if len(self._of) > ADDRESSES_MAX:
            self._of.popitem(last=False)

    def _roll(self, now_s: float) -> None:
        if now_s - self._began_s >= WINDOW_S:
            self._began_s, self._all = now_s, 0
            self._of.clear()
