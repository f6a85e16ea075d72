"""Custody: batches into the ledger, and receipts for what is there (DESIGN 3.5).

What a batch brings and its receipt are one commit. No receipt is published before what the
broker retains was read: a gateway restored from a backup must not take back what it once said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from ciao import wire
from ciao.link import Publish
from ciao.names import topic
from ciao.notes import VerifierKey
from ciao.wire import Batch, Hint, Refusal, ResendFrom, WireBroken
from gateway.admitting import Admitting
from gateway.custody import Accepted, Gap, Known, Owed, Turned, judge
from gateway.events import Effect, Report
from gateway.ledger import Ledger
from gateway.ledger.custody import EntryRow
from gateway.ledger.rows import Log, Moment
from gateway.people import People
from gateway.receipts import Receipts
from gateway.restoring import Restoring

# A terminal begins one a year, and one for each trouble. With its certificate alone somebody
# could begin as many as they like; beyond this an operator must have acknowledged them.
SEGMENTS_MAX = 64

# Whose receipts are to be published: by origin, the terminal and the segment's certificate.
Said = dict[str, tuple[str, str]]


class Receiving:
    """Takes batches into custody; each method runs inside the ledger's transaction."""

    def __init__(
        self,
        ledger: Ledger,
        people: People,
        receipts: Receipts,
        restoring: Restoring,
        admitting: Admitting,
    ) -> None:
        self._custody = ledger.custody
        self._care = ledger.care
        self._people = people
        self._receipts = receipts
        self._restoring = restoring
        self._admitting = admitting

    def receive(self, messages: Sequence[tuple[str, bytes]], now: Moment) -> list[Effect]:
        """Take the batches of one step, (terminal, payload) each; one receipt an origin."""
        effects: list[Effect] = []
        batches: list[tuple[str, Batch]] = []
        for terminal, payload in messages:
            try:
                batches.append((terminal, wire.decode(Batch, payload)))
            except WireBroken as error:
                effects += self._refuse(terminal, Turned(error.reason, str(error)), None, now)
        # Reordered on the way is no gap once they lie here together; a terminal's segments stay in
        # the order in which they came.
        came = {batch.origin: None for _, batch in batches}
        rank = {origin: index for index, origin in enumerate(came)}
        batches.sort(key=lambda pair: (rank[pair[1].origin], pair[1].start))
        said: Said = {}
        for terminal, batch in batches:
            effects += self._take(terminal, batch, now, said)
        for origin, (terminal, certificate) in said.items():
            effects += self._receipts.of(origin, terminal, certificate, now)
        return effects

    def _take(self, terminal: str, batch: Batch, now: Moment, said: Said) -> list[Effect]:
        """Judge one batch and store it; note in `said` whose receipt is to be published."""
        known = self._people.terminal(terminal)
        if known is None:
            return self._refuse("", Turned("unknown_terminal", ""), batch, now, terminal)
        if known.is_revoked(datetime.fromtimestamp(now.at_ms / 1000, UTC)):
            # Nothing of it is believed, not even what it says of the past.
            why = known.revoked_why or ""
            return self._refuse(terminal, Turned("revoked", why), batch, now)
        # First what it says of the past: taps of a restored ledger must not enter as new.
        effects = self._restoring.noted(terminal, batch.notes, now)
        log = self._custody.log(batch.origin)
        owed = self._care.owed(batch.origin)
        claim = Owed(owed.size, owed.root) if owed else None
        verdict = judge(batch, terminal, known.enrolled, self._known(log), claim)
        if isinstance(verdict, Accepted) and log is None and self._has_too_many(terminal):
            verdict = Turned("segments", f"more than {SEGMENTS_MAX} since the last acknowledged")
            self._care.alert(terminal, "segments", "", verdict.detail, now.at_ms)
        match verdict:
            case Turned():
                if verdict.reason in ("fork", "root"):
                    said[batch.origin] = (terminal, batch.certificate)
                return effects + self._refuse(terminal, verdict, batch, now)
            case Gap(resend_from):
                hint = Hint(resend_from=ResendFrom(batch.origin, resend_from))
                return [*effects, Publish(topic(terminal, "hint"), wire.encode(hint))]
            case Accepted():
                effects += self._store(terminal, batch, verdict, log, now)
        said[batch.origin] = (terminal, batch.certificate)
        return effects

    def _known(self, log: Log | None) -> Known | None:
        if log is None:
            return None
        return Known(
            log.size,
            VerifierKey(log.origin, log.key),
            log.certificate,
            lambda level, index: self._custody.subtree(log.id, level, index),
            lambda start, end: self._custody.leaf_hashes(log.id, start, end),
        )

    def _has_too_many(self, terminal: str) -> bool:
        begun = self._custody.logs_of(terminal)
        return begun - (self._custody.fact(segments_seen(terminal)) or 0) >= SEGMENTS_MAX

    def _store(
        self, terminal: str, batch: Batch, accepted: Accepted, log: Log | None, now: Moment
    ) -> list[Effect]:
        """Store the new entries of a batch, and the checkpoint that its receipt will cosign."""
        if log is not None:
            number = log.id
        else:
            number = self._custody.add_log(
                batch.origin, terminal, accepted.key.public, batch.certificate
            )
        links, effects = self._admitting.admit(terminal, number, batch.origin, accepted.held, now)
        rows = []
        for one in accepted.held:
            tap, odd = links.get(one.seq, (None, None))
            rows.append(EntryRow(one.seq, one.leaf, one.hashes, one.payload, one.flag or odd, tap))
        self._custody.add_entries(number, rows)
        self._custody.extend(number, accepted.size, accepted.checkpoint.encode(), now.at_ms)
        self._care.paid(batch.origin, accepted.size, now.at_ms)
        self._restoring.came(batch.origin)
        return effects

    def _refuse(
        self, counted: str, turned: Turned, batch: Batch | None, now: Moment, told: str = ""
    ) -> list[Effect]:
        """Count a batch that was refused, and tell its terminal; nothing of it is stored."""
        terminal = told or counted
        if not told and self._people.terminal(terminal) is None:
            counted = ""
        self._custody.count_refused(counted, turned.reason, now.at_ms)
        if turned.reason == "fork" and batch is not None:
            self._care.alert(terminal, "fork", batch.origin, turned.detail, now.at_ms)
            self._care.forked(batch.origin)
        text = batch.checkpoint if batch else ""
        note = hashlib.sha256(text.encode()).hexdigest() if text else ""
        hint = Hint(refused=Refusal(turned.reason, note))
        fields = {"terminal": terminal, "reason": turned.reason, "detail": turned.detail[:200]}
        return [
            Report("batch_refused", fields),
            Publish(topic(terminal, "hint"), wire.encode(hint)),
        ]


def segments_seen(terminal: str) -> str:
    """Name the fact: how many segments of a terminal an operator has acknowledged."""
    return f"segments_seen {terminal}"
