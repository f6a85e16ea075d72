"""An outage's life: begin, cause changes, end once it has been well for a set time. Pure.

What is observed goes in with its moment, what should be journalled comes out; `noted` says that
it was, so that what a disk refuses is proposed again. Flapping is one outage. Registering and
submitting have an outage of their own each. Terminal and gateway use the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Any, get_args

from ciao.causes import Cause, classify
from ciao.entries import (
    Affected,
    Entry,
    Heartbeat,
    OpenOutage,
    OutageBegin,
    OutageEnd,
    OutageUpdate,
)
from ciao.keys import RandomBytes
from ciao.reading import Reading, rfc3339

# A session that is taken up again at once is no outage.
BEGIN_AFTER_MS = 5_000
# Longer than a session takes to come back once the line is: else the broker would be blamed.
UPDATE_AFTER_MS = 12_000
# EVIDENCE: at most 20 s. Longer than it takes to see that it fails again: a look each 4 s.
WELL_MS = 12_000


@dataclass(frozen=True, slots=True)
class Change:
    """What to journal: the kind of entry, and the fields that are its own."""

    kind: type[OutageBegin | OutageUpdate | OutageEnd]
    outage: str
    cause: Cause | str
    affected: Affected
    probes: Mapping[str, str]
    since: str | None = None
    well_since: str | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The keyword arguments of `kind`, without the common fields."""
        own: dict[str, Any] = {
            "outage": self.outage,
            "cause": self.cause,
            "affected": self.affected,
            "probes": dict(self.probes),
        }
        if self.since is not None:
            own["since"] = self.since
        if self.well_since is not None:
            own["well_since"] = self.well_since
        return own


@dataclass(slots=True)
class _Track:
    """Registering, or submitting: the outage that is open, and what is not told yet."""

    affected: Affected
    outage: str | None = None
    cause: Cause | str | None = None
    since: str = ""
    # The first sign of an outage that has not begun in the journal.
    first: Reading | None = None
    other: Cause | None = None
    other_first: Reading | None = None
    well: Reading | None = None
    # What is to be told whatever comes after: the disk may have refused it so far.
    due: Change | None = None

    def observe(
        self,
        now: Reading,
        cause: Cause | None,
        probes: Mapping[str, str],
        new_id: Callable[[], str],
    ) -> Change | None:
        """Return what should be told, by what is seen and for how long it has been."""
        self.look(now, cause)
        if self.due is None and self.outage is not None:
            return self._open(now, self.outage, cause, probes)
        first = self.first
        if self.due is None and cause and first and self._settled(now, first, cause):
            since = _when(first, now)
            self.due = Change(OutageBegin, new_id(), cause, self.affected, dict(probes), since)
        return self.due

    def _settled(self, now: Reading, first: Reading, cause: Cause) -> bool:
        """Say whether an outage begins, and with this cause.

        One that took another's place must last as long itself: a line that is back within seconds
        leaves the broker to be blamed until the session is. But not for ever: it may alternate.
        """
        if cause != self.other or self.other_first is None:
            self.other_first = first if self.other_first is None else now
            self.other = cause
        lasted_ms = _ms(self.other_first, now)
        return lasted_ms >= BEGIN_AFTER_MS or _ms(first, now) >= UPDATE_AFTER_MS

    def look(self, now: Reading, cause: Cause | None) -> None:
        """Note since when it fails, or is well, without deciding anything."""
        if cause is not None:
            self.well = None
            self.first = None if self.outage else self.first or now
            return
        self.well = self.well or now
        if self.outage is not None or _ms(self.well, now) >= WELL_MS:
            self.first = self.other = self.other_first = None

    def _open(
        self, now: Reading, outage: str, cause: Cause | None, probes: Mapping[str, str]
    ) -> Change | None:
        known = self.cause or "unclassified"
        if cause is None:
            if self.well is None or _ms(self.well, now) < WELL_MS:
                return None
            well_since = _when(self.well, now)
            return Change(OutageEnd, outage, known, self.affected, probes, None, well_since)
        if cause == self.cause:
            self.other = self.other_first = None
            return None
        if cause != self.other or self.other_first is None:
            self.other, self.other_first = cause, now
        if _ms(self.other_first, now) < UPDATE_AFTER_MS:
            return None
        since = _when(self.other_first, now)
        return Change(OutageUpdate, outage, cause, self.affected, probes, since)

    def silent(
        self, since: str | None, cause: Cause, probes: Mapping[str, str], new_id: Callable[[], str]
    ) -> None:
        kind = OutageBegin if self.outage is None else OutageUpdate
        outage = self.outage or new_id()
        self.due = Change(kind, outage, cause, self.affected, dict(probes), since)

    def noted(self, now: Reading, change: Change) -> None:
        if change.kind is OutageEnd:
            self.ended()
        elif change.kind is OutageBegin:
            self.begun(change.outage, change.cause, change.since or rfc3339(now.at))
        else:
            self.cause = change.cause
        self.first = self.due = self.other = self.other_first = None

    def begun(self, outage: str, cause: Cause | str, since: str) -> None:
        self.outage, self.cause, self.since = outage, cause, since

    def ended(self) -> None:
        self.outage, self.cause, self.since = None, None, ""


@dataclass(slots=True)
class Outages:
    """Everything that is out now, seen from one place. `random_bytes` makes the outages' ids."""

    random_bytes: RandomBytes
    _tracks: dict[Affected, _Track] = field(
        default_factory=lambda: {affected: _Track(affected) for affected in get_args(Affected)}
    )

    @property
    def open(self) -> list[OpenOutage]:
        """What the journal calls out now."""
        return [
            OpenOutage(track.outage, track.affected, track.cause or "unclassified", track.since)
            for track in self._tracks.values()
            if track.outage is not None
        ]

    @property
    def quiet(self) -> bool:
        """Whether nothing is out, suspected, or not told yet."""
        return all(
            track.outage is None and track.first is None and track.due is None
            for track in self._tracks.values()
        )

    def resume(self, before: Iterable[Entry]) -> None:
        """Take up again what these entries, oldest first, left open: the newest heartbeat on."""
        for entry in before:
            if isinstance(entry, OutageBegin):
                track = self._tracks[entry.affected]
                track.begun(entry.outage, entry.cause, entry.since or entry.at)
            elif isinstance(entry, OutageUpdate):
                track = self._tracks[entry.affected]
                track.begun(entry.outage, entry.cause, track.since or entry.at)
            elif isinstance(entry, Heartbeat):
                for known in entry.outages:
                    self._tracks[known.affected].begun(known.outage, known.cause, known.since)
            elif isinstance(entry, OutageEnd):
                self._tracks[entry.affected].ended()

    def observe(
        self, now: Reading, probes: Mapping[str, str], unsure: Collection[Affected] = ()
    ) -> list[Change]:
        """Return what should be journalled now; each again until it was `noted`.

        Call it whenever something was seen, and each second while not `quiet`: time counts.
        Of what is `unsure`, its probes being asked anew, only the first sign is noted.
        """
        causes = classify(probes)
        changes = []
        for affected, track in self._tracks.items():
            if affected in unsure:
                track.look(now, causes.get(affected))
            else:
                changes.append(track.observe(now, causes.get(affected), probes, self._new_id))
        return [change for change in changes if change is not None]

    def silent(self, since: str | None, probes: Mapping[str, str]) -> None:
        """Tell of the silence that ends with this start: an outage that began at `since`.

        `since` is RFC 3339, the newest entry before; None where nothing says when. `probes` say how
        we stopped. It ends as every outage does; one that was open takes its cause.
        """
        for affected, cause in classify(probes).items():
            self._tracks[affected].silent(since, cause, probes, self._new_id)

    def noted(self, now: Reading, change: Change) -> None:
        """A change is on the disk, as of this moment."""
        self._tracks[change.affected].noted(now, change)

    def _new_id(self) -> str:
        return str(uuid.UUID(bytes=self.random_bytes(16), version=4))


def _ms(earlier: Reading, later: Reading) -> int:
    return later.up_ms - earlier.up_ms


def _when(earlier: Reading, now: Reading) -> str:
    """Say when an earlier moment of this boot was, by the clock as it stands now."""
    moment = now.at.astimezone(UTC) - timedelta(milliseconds=_ms(earlier, now))
    return rfc3339(moment.astimezone(now.at.tzinfo))
