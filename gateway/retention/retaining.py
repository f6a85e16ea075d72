"""Deletion after its time: a plan in the ledger, an entry in the journal, and only then the deed.

Each step does one small portion, so that nobody waits; killed between any two, it goes on where it
was. What was restored from a backup is due again, and so is deleted again.
"""

from __future__ import annotations

from collections.abc import Sequence

from ciao.reading import Reading
from gateway.events import Announce, Announced, Effect, Report
from gateway.ledger import Ledger
from gateway.ledger.deletions import Behind, Deletion, Part
from gateway.ledger.rows import Moment
from gateway.retention.aging import over
from gateway.retention.rules import Settings, cutoff_ms, ranges, waits
from gateway.retention.steady import look

# As many fit into an entry, whatever the length of their origins.
RANGES_MAX = 8
# How many entries one step goes through, and for how many a log counts besides.
PORTION = 500
LOG = 5
# Between two portions.
PACE_MS = 1_000
# Where the clock can't be believed, or the journal does not take the entry.
AGAIN_MS = 60_000


class Retaining:
    """Runs by itself; each method but `tidy` runs inside the ledger's transaction."""

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._rows = ledger.deletions
        self._facts = ledger.custody
        self._settings = settings
        self._next_up_ms = 0
        self._beyond = 0
        self._later: tuple[int, int] | None = (0, -1)
        self._open: Deletion | None = None
        # When the write-ahead log, in which deleted bytes still stand, is to be emptied.
        self._wipe_up_ms: int | None = None

    def begin(self) -> None:
        """Read back what was begun; whether the last was wiped before the stop nobody knows."""
        self._open = self._rows.open()
        self._wipe_up_ms = 0 if self._rows.any_done() else None

    def work(self, now: Reading, moment: Moment) -> list[Effect]:
        """Do the next portion where it is time for one; at most one entry is asked for."""
        if now.up_ms < self._next_up_ms:
            return []
        self._next_up_ms = now.up_ms + PACE_MS
        if self._open is None:
            if not now.clock.synced or not look(self._facts, moment.at_ms, self._settings):
                # A wrong clock could make everything look old (DESIGN 3.8).
                self._next_up_ms = now.up_ms + AGAIN_MS
                return []
            self._open = self._choose(now, moment)
        if self._open is None:
            return []
        if self._open.said:
            return self._carry_out(self._open, moment)
        self._next_up_ms = now.up_ms + AGAIN_MS
        parts = tuple((part.origin, part.first, part.last) for part in self._open.parts)
        return [Announce(self._open.id, self._open.why, parts)]

    def announced(self, event: Announced, moment: Moment) -> None:
        """The journal says it, durably: now it may be done."""
        if self._open is None or self._open.id != event.deletion or self._open.said:
            return
        self._rows.said(event.deletion, moment.at_ms, event.origin, event.seq)
        self._open = self._rows.open()
        self._next_up_ms = 0

    def tidy(self, now: Reading) -> None:
        """After the transaction: what was deleted goes from the write-ahead log as well.

        Where somebody reads in it (an export), it is tried again later.
        """
        if self._wipe_up_ms is not None and now.up_ms >= self._wipe_up_ms:
            self._wipe_up_ms = None if self._rows.wipe() else now.up_ms + AGAIN_MS

    def _choose(self, now: Reading, moment: Moment) -> Deletion | None:
        """Decide on the next deletion; None where a look is over, until tomorrow."""
        parts = self._passed_over(moment) or self._after_their_time(moment)
        if parts:
            return self._rows.plan("retention", parts, moment.at_ms)
        if self._later is not None or self._beyond >= 0:
            return None
        before_ms = cutoff_ms(moment.at_ms, self._settings.segment_days)
        whole = self._rows.over(before_ms, moment.at_ms)
        if whole is not None:
            part = Part(whole.id, whole.origin, 0, whole.size - 1)
            return self._rows.plan("segment", [part], moment.at_ms)
        self._beyond, self._later = 0, (0, -1)
        self._next_up_ms = now.up_ms + self._settings.look_ms
        return None

    def _passed_over(self, moment: Moment) -> list[Part]:
        """Look again at what had to wait: is it over now?"""
        if self._later is None:
            return []
        found = self._rows.later(self._later, PORTION)
        self._later = None
        parts: list[Part] = []
        for log, one in found:
            if waits(one, moment.at_ms, self._settings) is None:
                if len(parts) == RANGES_MAX:
                    return parts
                parts.append(Part(log.id, log.origin, one.seq, one.seq))
            self._later = (log.id, one.seq)
        if len(found) < PORTION:
            self._later = None
        return parts

    def _after_their_time(self, moment: Moment) -> list[Part]:
        """Look through the next logs for payloads whose time is over, a portion in all."""
        parts: list[Part] = []
        left = PORTION
        while left > 0 and len(parts) < RANGES_MAX:
            log = self._rows.behind(self._beyond)
            if log is None:
                self._beyond = -1
                break
            left -= LOG
            latest_s = cutoff_ms(moment.at_ms, self._settings.payload_days) // 1000
            end = over(self._rows, log, latest_s, moment.at_ms // 1000)
            end = min(end, log.payloads_from + max(left, LOG))
            if end <= log.payloads_from:
                self._beyond = log.id
                continue
            left -= end - log.payloads_from
            parts += self._of(log, end, RANGES_MAX - len(parts), moment)
        return parts

    def _of(self, log: Behind, end: int, most: int, moment: Moment) -> list[Part]:
        """Choose of entries [payloads_from, end) what goes, and keep what waits for later."""
        sealed = self._rows.sealed(log.id, log.payloads_from, end)
        goes = [(one.seq, waits(one, moment.at_ms, self._settings) is None) for one in sealed]
        found, used = ranges(goes, most)
        if used < len(goes):
            end = goes[used][0]
        self._rows.looked(log.id, end, [seq for seq, going in goes[:used] if not going])
        return [Part(log.id, log.origin, first, last) for first, last in found]

    def _carry_out(self, deletion: Deletion, moment: Moment) -> list[Effect]:
        """Do what was said; a whole log by and by."""
        payloads = 0
        if deletion.why == "segment":
            if not self._rows.throw_away(deletion.parts[0], PORTION):
                return []
        else:
            payloads = sum(self._rows.forget(part) for part in deletion.parts)
        self._rows.done(deletion.id, moment.at_ms, payloads)
        self._open, self._wipe_up_ms = None, 0
        fields = {"why": deletion.why, "payloads": payloads, "parts": _words(deletion.parts)}
        return [Report("deleted", fields)]


def _words(parts: Sequence[Part]) -> str:
    return ", ".join(f"{part.origin} {part.first}-{part.last}" for part in parts)
