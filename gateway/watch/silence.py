"""Terminals that fell silent: one is told apart from all at once. Pure.

A terminal writes a heartbeat each minute. One that is not heard for longer, while our own session
with the broker is up, is silent: that shows a gap, not whose it is. Where all that spoke, at
several sites, fell silent at once, what they have in common is our side.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ciao.causes import classify
from ciao.entries import Entry, OutageBegin, OutageEnd, OutageUpdate
from ciao.keys import RandomBytes
from ciao.outages import WELL_MS, Change
from ciao.reading import parse_rfc3339

# Two heartbeats are missing, and half a minute for the way.
SILENT_MS = 150_000
# One is missing already: so late is nobody that speaks.
MISSED_MS = 90_000
# Who spoke so recently counts among those that fell silent at once, or did not.
RECENT_MS = 600_000


@dataclass(frozen=True, slots=True)
class SilenceChange:
    """What to journal of one terminal's silence."""

    terminal: str
    change: Change

    @property
    def fields(self) -> dict[str, Any]:
        """The keyword arguments of its kind, without the common fields."""
        return {**self.change.fields, "terminal": self.terminal}


@dataclass(slots=True)
class _Terminal:
    """When it was last heard, by both clocks; the outage that is open, and its newest entry."""

    heard_up_ms: int
    heard_at: str
    said_at: str = ""
    outage: str | None = None
    cause: str = ""
    probes: Mapping[str, str] = field(default_factory=dict)
    heard_again: tuple[int, str] | None = None
    said_up_ms: int = 0


class Silences:
    """All terminals of a gateway. `step` proposes; `noted` says that it is on the disk."""

    def __init__(self, random_bytes: RandomBytes) -> None:
        self._random_bytes = random_bytes
        self._terminals: dict[str, _Terminal] = {}
        self._counted_from_ms: int | None = None

    @property
    def open(self) -> dict[str, tuple[str, str]]:
        """Which terminals the journal calls silent now: outage and cause."""
        return {
            name: (one.outage, one.cause) for name, one in self._terminals.items() if one.outage
        }

    def linked(self, up_ms: int | None) -> None:
        """Our session began, or ended (None): only while there is one can anybody be silent."""
        self._counted_from_ms = up_ms

    def heard(self, terminal: str, up_ms: int, at: str) -> None:
        """A terminal brought entries."""
        known = self._terminals.setdefault(terminal, _Terminal(up_ms, at))
        if known.outage is not None and known.heard_again is None:
            known.heard_again = (up_ms, at)
        known.heard_up_ms, known.heard_at = up_ms, at

    def known(self, terminal: str, up_ms: int, at: str) -> None:
        """At a start: when it was last heard, by what is on the disk; then counting begins."""
        known = self._terminals.setdefault(terminal, _Terminal(up_ms, at))
        known.heard_up_ms, known.heard_at = up_ms, at
        if known.outage is not None and _later(at, known.said_at):
            # It came back, and we stopped before that was in the journal.
            known.heard_again = (up_ms, at)

    def resume(self, before: Iterable[Entry]) -> None:
        """Take up again what these entries, oldest first, left open."""
        for entry in before:
            match entry:
                case OutageBegin() | OutageUpdate() if entry.terminal is not None:
                    known = self._terminals.setdefault(entry.terminal, _Terminal(0, entry.at))
                    known.outage, known.cause = entry.outage, entry.cause
                    known.probes, known.said_at = entry.probes, entry.at
                    if isinstance(entry, OutageBegin):
                        known.said_at = entry.since or entry.at
                case OutageEnd() if entry.terminal in self._terminals:
                    self._terminals[entry.terminal].outage = None
                case _:
                    pass

    def step(
        self, up_ms: int, sites: Mapping[str, str], line: Mapping[str, str], again_ms: int
    ) -> list[SilenceChange]:
        """Return what should be journalled now; each again until it was `noted`.

        `sites` are the terminals that should be heard, each with its site; `line` is what the
        anchors say. What lasts is said again after `again_ms`.
        """
        ended = [self._ended(name, one, up_ms) for name, one in self._terminals.items()]
        found = [one for one in ended if one is not None]
        if self._counted_from_ms is None:
            return found
        for name, one in self._terminals.items():
            if name not in sites or one.heard_again is not None:
                continue
            if one.outage is None and self._quiet_ms(one, up_ms) >= SILENT_MS:
                many = self._are_many(one, up_ms, sites)
                probes = {**line, "terminals": "many" if many else "one"}
                cause = classify(probes).get("submit", "unclassified")
                begun = Change(
                    OutageBegin, self._new_id(), cause, "submit", probes, since=one.heard_at
                )
                found.append(SilenceChange(name, begun))
            elif one.outage is not None and up_ms - one.said_up_ms >= again_ms:
                again = Change(OutageUpdate, one.outage, one.cause, "submit", one.probes)
                found.append(SilenceChange(name, again))
        return found

    def noted(self, done: SilenceChange, up_ms: int) -> None:
        """A change is on the disk."""
        one, change = self._terminals[done.terminal], done.change
        ended = change.kind is OutageEnd
        one.outage = None if ended else change.outage
        one.cause, one.probes, one.said_up_ms = change.cause, change.probes, up_ms
        if ended:
            one.heard_again = None

    def _ended(self, name: str, one: _Terminal, up_ms: int) -> SilenceChange | None:
        if one.outage is None or one.heard_again is None or up_ms - one.heard_again[0] < WELL_MS:
            return None
        end = Change(
            OutageEnd, one.outage, one.cause, "submit", one.probes, well_since=one.heard_again[1]
        )
        return SilenceChange(name, end)

    def _quiet_ms(self, one: _Terminal, up_ms: int) -> int:
        return up_ms - max(one.heard_up_ms, self._counted_from_ms or 0)

    def _are_many(self, this: _Terminal, up_ms: int, sites: Mapping[str, str]) -> bool:
        """Say whether all that spoke until this one fell silent are silent, at several sites."""
        recent = [
            name
            for name, one in self._terminals.items()
            if name in sites and one.heard_up_ms >= this.heard_up_ms - RECENT_MS
        ]
        gone = [
            name for name in recent if self._quiet_ms(self._terminals[name], up_ms) >= MISSED_MS
        ]
        return len({sites[name] for name in gone}) > 1 and gone == recent

    def _new_id(self) -> str:
        return str(uuid.UUID(bytes=self._random_bytes(16), version=4))


def _later(one: str, other: str) -> bool:
    return parse_rfc3339(one) > parse_rfc3339(other)
