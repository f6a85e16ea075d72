"""Stamps as the watch deals with them: asked for when due, and told in the journal. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ciao.entries import Timestamp, TimestampFailed
from ciao.evidence import stamped
from ciao.evidence.stamped import Checkpointed
from ciao.reading import Reading, parse_rfc3339, rfc3339
from gateway.timestamping.due import Due
from gateway.watch.events import Stamp, Stamped

WHY_MAX = 200


@dataclass(slots=True)
class Stamping:
    """`checkpoints` reads the newest cosigned checkpoint of each log."""

    checkpoints: Callable[[], Sequence[Checkpointed]]
    due: Due

    def ask(self, now: Reading) -> Stamp | None:
        """Return the list to have stamped, if one is due and there is anything to stamp."""
        if not self.due.ask(now.at, now.up_ms):
            return None
        listed = self.checkpoints()
        if not listed:
            self.due.failed(now.up_ms)
            return None
        at = rfc3339(now.at)
        return Stamp(stamped.encode(at, listed), at)

    def took(
        self, now: Reading, told: Stamped
    ) -> tuple[type[Timestamp] | type[TimestampFailed], Mapping[str, Any]]:
        """Say what the journal is to say of how it went."""
        if told.why:
            self.due.failed(now.up_ms)
            return TimestampFailed, {"why": told.why[:WHY_MAX]}
        self.due.stamped(parse_rfc3339(told.at), now.up_ms)
        return Timestamp, {"document": told.document}
