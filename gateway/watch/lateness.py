"""Edge: why stamps came late, and when those of a wrong clock were made, by the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ciao.derived import Interval
from ciao.listing import Outage, explaining
from ciao.moments import shown_text
from gateway.config import Config
from gateway.forwarding.turns import FRESH_MS
from gateway.ledger.store import connect_read_only, explained
from gateway.ledger.untimed import interval
from gateway.ledger.waiting import Waiting
from gateway.watch.building import all_outages


@dataclass(frozen=True, slots=True)
class Late:
    """What is known of a stamp's time: what explains its coming late, or its interval."""

    explained_by: Outage | None = None
    interval: Interval | None = None

    def lines(self) -> Iterator[str]:
        """Say it in words."""
        if (one := self.explained_by) is not None:
            until = shown_text(one.ended) if one.ended else "now"
            began = shown_text(one.begun)
            yield f"late because of {one.cause}, {began} to {until} (outage {one.outage[:8]})"
        if self.interval is not None:
            after = self.interval.after
            since = shown_text(after) if after else "an unknown moment"
            before = shown_text(self.interval.before)
            yield f"its clock never was right: made between {since} and {before}"


def lateness(config: Config, folder: Path, taps: Iterable[Waiting]) -> dict[int, Late]:
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
