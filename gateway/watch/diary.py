"""The gateway's own journal, kept: opened and mended, cosigned, a segment a year, time watched.

Nothing here may end the gateway: a disk that refuses is asked again each second, and what can't be
written is missing from the journal, which shows as no data, never as an outage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, timedelta
from typing import Any

from ciao import entries, notes
from ciao.certificate import is_certified
from ciao.entries import Entry
from ciao.journal import Journal, Row, StoreFailed
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
    def log_key(self) -> str:
        """The verifier key of the current segment, as a witness is to be told it."""
        return str(self._journal.log_key)

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
        if opened and self._is_succeeded():
            # What the key before certified ends here, by a checkpoint of ours (decision 24).
            self.cosign(now)
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
            if self._is_succeeded() and self._is_settled():
                self._journal.begin("replaced", now)

    def begin_yearly(self, now: Reading) -> None:
        """Begin another segment where this one is a year old.

        Just before a heartbeat: by then an outside witness had a minute for the last checkpoint.
        """
        if not self._journal.is_open or not now.clock.synced:
            return
        with self._trying():
            if self._is_settled() and self._is_old(now):
                self._journal.begin("yearly", now)

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
        """Read the last hours as the journal's own clock told them, oldest first.

        A segment that began since is read on in the one before it.
        """
        found: list[Entry] = []
        _back(self._journal.rows, self._journal.size, found)
        first = found[-1] if found else None
        if isinstance(first, entries.Segment) and first.previous is not None:
            # What can't be read is not known; that must not keep the journal from being written.
            with suppress(StoreFailed):
                older = self._journal.older(first.previous.origin)
                if older is not None:
                    with closing(older):
                        _back(older.rows, older.end, found)
        return found[::-1]

    def _is_succeeded(self) -> bool:
        """Say whether a key before ours certified the segment that is written."""
        ours = [self._cosigner.verifier()]
        return not is_certified(self._journal.certificate, self._journal.log_key, ours)

    def _is_settled(self) -> bool:
        """Only a segment that is settled whole is ended by a plan."""
        return self._journal.settled == self._journal.size

    def _is_old(self, now: Reading) -> bool:
        (first,) = self._journal.rows(0, 1)
        try:
            began = entries.reading_of(entries.decode(first.leaf))
        except entries.NotUnderstood:
            return False
        return now.at.astimezone(UTC) - began.at.astimezone(UTC) >= SEGMENT_AGE

    @contextmanager
    def _trying(self) -> Iterator[None]:
        try:
            yield
        except StoreFailed:
            self.works = False


def _back(rows: Callable[[int, int], Iterator[Row]], size: int, found: list[Entry]) -> None:
    """Add a segment's entries to those found, newest first, as far back as is read."""
    for end in range(size, 0, -_READ_AT_ONCE):
        for row in reversed(list(rows(max(end - _READ_AT_ONCE, 0), end))):
            try:
                entry = entries.decode(row.leaf)
            except entries.NotUnderstood:
                continue
            if found and _apart(entry, found[0]) > READ_BACK:
                return
            found.append(entry)


def _apart(earlier: Entry, later: Entry) -> timedelta:
    if earlier.boot == later.boot:
        return timedelta(milliseconds=later.up_ms - earlier.up_ms)
    return parse_rfc3339(later.at) - parse_rfc3339(earlier.at)
