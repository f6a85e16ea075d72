"""Edge: faults to switch on while the sandbox runs; a queue for each of its three services."""

from __future__ import annotations

import threading
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

PENDING_MAX = 1000


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """One fault, for the next `count` calls of `on`.

    `slow` waits `seconds`, then works. A status answers that problem (`seconds` is its
    Retry-After) without working. `drop_before` closes the connection without working,
    `drop_after_storing` works and then closes it. `malformed` answers JSON cut in half, `html` a
    captive portal's page, `redirect` a 302. With `stored` true, each works (stores) *first*.
    """

    fault: Literal[
        "slow",
        "401",
        "403",
        "404",
        "413",
        "429",
        "500",
        "502",
        "503",
        "504",
        "drop_before",
        "drop_after_storing",
        "malformed",
        "html",
        "redirect",
    ]
    on: Literal["register", "search", "token"] = "register"
    count: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    seconds: Annotated[float, Meta(ge=0, le=3600)] = 0.0
    stored: bool = False

    @property
    def works_first(self) -> bool:
        """Whether the work is done before the fault shows."""
        return self.stored or self.fault == "drop_after_storing"


class Faults:
    """What is switched on, first in, first out; used from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[Fault] = []

    def add(self, fault: Fault) -> bool:
        """Switch one on; return False where too many are pending."""
        with self._lock:
            if len(self._pending) >= PENDING_MAX:
                return False
            self._pending.append(fault)
            return True

    def take(self, on: str) -> Fault | None:
        """Return the fault that the next call of `on` meets, and count it off."""
        with self._lock:
            for fault in self._pending:
                if fault.on == on:
                    fault.count -= 1
                    if not fault.count:
                        self._pending.remove(fault)
                    return fault
        return None

    def pending(self) -> list[Fault]:
        """Return what is still switched on."""
        with self._lock:
            return list(self._pending)

    def clear(self) -> None:
        """Switch everything off."""
        with self._lock:
            self._pending.clear()
