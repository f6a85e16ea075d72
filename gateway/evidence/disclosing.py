"""What badges said, opened again for those who are entitled to see it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from ciao import opening
from ciao.entries import Refused, Tap
from ciao.evidence.facts import Facts
from ciao.journal.store import Row
from ciao.sealing import SealBroken, payload_info
from gateway.people import Opener


@dataclass(frozen=True, slots=True)
class Disclosing:
    """Opens payloads by the gateway's keys, present and retired.

    `deleted` says whether the gateway itself deleted a payload on purpose, after its time.
    """

    openers: Mapping[str, Opener]
    deleted: Callable[[str, int], bool]

    def __call__(
        self, origin: str, facts: Facts, row: Row
    ) -> tuple[str | None, Literal["deleted", "lost"] | None]:
        """Return an entry's opening, or why it can't be had (a `ciao.evidence.writer.Disclose`)."""
        entry = facts.entry
        if not isinstance(entry, Tap | Refused) or entry.opening is None:
            return None, None
        if row.payload is None:
            return None, "deleted" if self.deleted(origin, row.seq) else "lost"
        first = (entry.carried.origin, entry.carried.seq) if entry.carried else (origin, row.seq)
        opener = self.openers.get(entry.key or "")
        try:
            plain = opener(row.payload, payload_info(*first)) if opener else b""
        except SealBroken:
            return None, "lost"
        if opening.commitment(plain) != entry.opening:
            return None, "lost"
        return plain.decode(), None
