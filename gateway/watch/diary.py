"""The gateway's own journal, kept: opened and mended, cosigned, a segment a year, time watched.

Nothing here may end the gateway: a disk that refuses is asked again each second, and what can't be
written is missing from the journal, which shows as no data, never as an outage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from typing import Any

from ciao import entries, notes
from ciao.entries import Entry
from ciao.journal import Journal, StoreFailed
from ciao.journal.store import note_digest
from ciao.notes import Signer
from ciao.reading import Reading, parse_rfc3339, rfc3339
from ciao.timekeeper import Timekeeper
from ciao.tree import Subtree
from gateway.witness.protocol import AddCheckpoint

AGAIN_MS = 1_000
SEGMENT_AGE = timedelta(days=365)
# Everything that lasts is said again within this; so far back is read at a start.
SAID_AGAIN_MS = 6 * 3_600_000
READ_BACK = timedelta(hours=13)
_READ_AT_ONCE = 200


class Diary:
    """Writes entries, each durable when `write` returns true. `works` says how the disk does."""

    def __init__(self, journal: Journal, cosigner: Signer) -> None:
        self._journal = journal
        self._cosigner = cosigner
        self._time = Timekeeper()
        self._again_up_ms: int | None = None
        self.works = True
        self.before: list[Entry] = []
        # The newest checkpoint that we cosigned, until somebody takes it to a witness.
        self.fresh: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a segment to write to."""
        return self._journal.is_open

    @property
    def place(self) -> tuple[str, int]:
        """Where the next entry will stand: origin and sequence number."""
        return self._journal.origin, self._journal.size

    def mend(self, now: Reading) -> bool:
        """Open the journal, or carry on in another segment; return whether it was opened now.

        Then `before` holds what was written in the last hours before this start, oldest first.
        """
        if self._journal.is_open and not self._journal.damaged:
            return False
        if self._again_up_ms is not None and now.up_ms < self._again_up_ms:
            return False
        self._again_up_ms = now.up_ms + AGAIN_MS
        opened = False
        with self._trying():
            if self._journal.is_open:
                self._journal.recover(now)
            else:
                opened = self._open(now)
            self.works = True
        return opened

    def keep_time(self, now: Reading) -> None:
        """Say that the wall clock was set, before anything else is said."""
        step = self._time.look(now)
        if step is not None:
            said = {"before": rfc3339(step.before), "after": rfc3339(step.after)}
            if not self.write(now, entries.ClockStep, **said):
                return
        self._time.went_on(now)

    def write(self, now: Reading, kind: Callable[..., Entry], **fields: Any) -> bool:
        """Append an entry; return whether it is on the disk."""
        written = False
        with self._trying():
            self._journal.append(kind(**entries.common(now, self._journal.size), **fields))
            written = self.works = True
        return written

    def newest_note(self) -> str | None:
        """Name the newest cosigned note of our own, as heartbeats do."""
        found = None
        with self._trying():
            note = self._journal.newest_note()
            found = note_digest(note) if note else None
        return found

    def cosign(self, now: Reading) -> None:
        """Cosign all that is written, as this gateway does for terminals: worth grade C."""
        with self._trying():
            checkpoint = notes.parse(self._journal.checkpoint(self._journal.size))
            at_s = int(now.at.timestamp())
            self.fresh = self._cosigner.cosign(checkpoint, at_s).encode()
            self.settle(self.fresh, self._journal.size)
            self._begin_yearly(now)

    def to_witness(self, request: Callable[[str, Subtree], AddCheckpoint]) -> AddCheckpoint | None:
        """Make what a witness is to be asked, once for each checkpoint; None where it is done."""
        note, self.fresh = self.fresh, None
        asked = None
        if note is not None and note.startswith(f"{self._journal.origin}\n"):
            with self._trying():
                asked = request(note, self._journal.current.subtree)
        return asked

    def settle(self, note: str, size: int) -> None:
        """Keep a cosigned note of ours that was checked; one with more cosignatures as well."""
        with self._trying():
            if size == self._journal.settled:
                self._journal.current.keep_note(note, size)
            self._journal.settle(note, size)

    def close(self) -> None:
        """Let the files go."""
        self._journal.close()

    def _open(self, now: Reading) -> bool:
        try:
            began = self._journal.open(now)
            self.before = [] if began == "new" else self._read_back()
            newest = self.before[-1] if self.before else None
            clean = isinstance(newest, entries.Shutdown)
            boot = entries.Boot(**entries.common(now, self._journal.size), clean=clean)
            self._journal.append(boot)
        except StoreFailed:
            self._journal.close()
            raise
        if newest is not None:
            self._time.went_on(entries.reading_of(newest))
        return True

    def _read_back(self) -> list[Entry]:
        """Read the last hours of the current segment, as its own clock told them."""
        found: list[Entry] = []
        for end in range(self._journal.size, 0, -_READ_AT_ONCE):
            for row in reversed(list(self._journal.rows(max(end - _READ_AT_ONCE, 0), end))):
                try:
                    entry = entries.decode(row.leaf)
                except entries.NotUnderstood:
                    continue
                if found and _apart(entry, found[0]) > READ_BACK:
                    return found[::-1]
                found.append(entry)
        return found[::-1]

    def _begin_yearly(self, now: Reading) -> None:
        (first,) = self._journal.rows(0, 1)
        try:
            began = entries.reading_of(entries.decode(first.leaf))
        except entries.NotUnderstood:
            return
        old = now.at.astimezone(UTC) - began.at.astimezone(UTC) >= SEGMENT_AGE
        if now.clock.synced and old and self._journal.settled == self._journal.size:
            self._journal.begin("yearly", now)

    @contextmanager
    def _trying(self) -> Iterator[None]:
        try:
            yield
        except StoreFailed:
            self.works = False


def _apart(earlier: Entry, later: Entry) -> timedelta:
    if earlier.boot == later.boot:
        return timedelta(milliseconds=later.up_ms - earlier.up_ms)
    return parse_rfc3339(later.at) - parse_rfc3339(earlier.at)
