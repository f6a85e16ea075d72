"""Edge: why stamps came late, and when those of a wrong clock were made, by the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec

from ciao.derived import Interval
from ciao.listing import Outage, explaining
from gateway.config import Config
from gateway.forwarding.turns import FRESH_MS
from gateway.ledger.store import connect_read_only, explained
from gateway.ledger.untimed import interval
from gateway.watch.building import all_outages


class Stamped(Protocol):
    """A tap of the ledger: its time as it counts, and when it reached us."""

    @property
    def tap(self) -> int:
        """Its number."""

    @property
    def terminal(self) -> str:
        """Where it was made."""

    @property
    def stamped_ms(self) -> int:
        """When it was made, in milliseconds since 1970."""

    @property
    def received_ms(self) -> int:
        """When it reached us."""


@dataclass(frozen=True, slots=True)
class Late:
    """What is known of a stamp's time: what explains its coming late, or its interval."""

    explained_by: Outage | None = None
    interval: Interval | None = None


def lateness(config: Config, folder: Path, taps: Iterable[Stamped]) -> dict[int, Late]:
    """Say of each tap what is known of its time; those that came in time are left out.

    Raises BadInput.
    """
    known: dict[str, list[Outage]] = {}
    found: dict[int, Late] = {}
    path = folder / config.ledger
    with closing(connect_read_only(path)) as db, explained(path):
        for tap in taps:
            between = interval(db, tap.tap)
            if between is not None:
                found[tap.tap] = Late(interval=between)
            elif tap.received_ms - tap.stamped_ms > FRESH_MS:
                if tap.terminal not in known:
                    known[tap.terminal] = all_outages(config, folder, tap.terminal)
                why = explaining(known[tap.terminal], tap.stamped_ms, tap.received_ms)
                found[tap.tap] = Late(explained_by=why)
    return found


def as_fields(late: Late | None) -> dict[str, Any]:
    """Write it for programs, beside the fields of its tap; nothing of one that came in time."""
    return {} if late is None else dict(msgspec.to_builtins(late))
