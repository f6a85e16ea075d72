"""Custody: batches into the ledger, and receipts for what is there (DESIGN 3.5).

A receipt is stored in the transaction that stores its entries, so it is on the disk before it
is published, and is published byte for byte ever after. It is always our largest of that log,
and none is published before what the broker retains was read: a gateway restored from a backup
must not take back what it once said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from ciao import notes, wire
from ciao.checkpoint import Checkpoint
from ciao.entries import Tap as TapEntry
from ciao.link import Publish
from ciao.names import Origin, topic
from ciao.notes import COSIGNATURE_V1, NoteBroken, Signer, VerifierKey
from ciao.registration import State
from ciao.wire import Batch, Hint, Receipt, Refusal, ResendFrom, WireBroken
from gateway.custody import Accepted, Gap, Held, Known, Turned, judge
from gateway.events import Effect, Report
from gateway.intake import DIFFERS, linked_as, new_tap, precedes
from gateway.ledger import Ledger
from gateway.ledger.custody import EntryRow
from gateway.ledger.rows import Log, Moment, NewTap, Tap
from gateway.outcomes import Outcomes
from gateway.people import People

RESTORED = "restored_ms"
REASON_RESTORED = "restored"


class Receiving:
    """Takes batches into custody; each method runs inside the ledger's transaction."""

    def __init__(
        self, ledger: Ledger, people: People, cosigner: Signer, outcomes: Outcomes
    ) -> None:
        self._ledger = ledger
        self._custody = ledger.custody
        self._people = people
        self._cosigner = cosigner
        self._verifier = cosigner.verifier(COSIGNATURE_V1)
        self._outcomes = outcomes
        self._restored_ms: int | None = None

    def begin(self) -> None:
        """Read back what the ledger says of the gateway itself."""
        self._restored_ms = self._custody.fact(RESTORED)

    def receive(self, messages: Sequence[tuple[str, bytes]], now: Moment) -> list[Effect]:
        """Take the batches of one step, (terminal, payload) each; one receipt an origin."""
        effects: list[Effect] = []
        batches: list[tuple[str, Batch]] = []
        for terminal, payload in messages:
            try:
                batches.append((terminal, wire.decode(Batch, payload)))
            except WireBroken as error:
                effects += self._refuse(terminal, Turned(error.reason, str(error)), "", now)
        # Reordered on the way is no gap once they lie here together; a terminal's segments stay in
        # the order in which they came.
        came = {batch.origin: None for _, batch in batches}
        rank = {origin: index for index, origin in enumerate(came)}
        batches.sort(key=lambda pair: (rank[pair[1].origin], pair[1].start))
        said: dict[str, None] = {}
        for terminal, batch in batches:
            effects += self._take(terminal, batch, now, said)
        return effects + [one for origin in said for one in self._receipt(origin, now)]

    def _take(
        self, terminal: str, batch: Batch, now: Moment, said: dict[str, None]
    ) -> list[Effect]:
        """Judge one batch and store it; note in `said` whose receipt is to be published."""
        known_terminal = self._people.terminal(terminal)
        if known_terminal is None:
            return self._refuse(terminal, Turned("unknown_terminal", ""), batch.checkpoint, now)
        log = self._custody.log(batch.origin)
        verdict = judge(batch, terminal, known_terminal.enrolled, self._known(log))
        effects: list[Effect] = []
        if isinstance(verdict, Turned):
            effects = self._refuse(terminal, verdict, batch.checkpoint, now)
            if log is not None and verdict.reason in ("fork", "root"):
                said[batch.origin] = None
            return effects
        size = log.size if log else 0
        if isinstance(verdict, Accepted):
            self._store(terminal, batch, verdict, log, now)
            size = verdict.size
        if isinstance(verdict, Gap):
            hint = Hint(resend_from=ResendFrom(batch.origin, verdict.resend_from))
            effects.append(Publish(topic(terminal, "hint"), wire.encode(hint)))
        else:
            said[batch.origin] = None
        for note in batch.notes:
            effects += self._noted(terminal, note, batch.origin, size, now)
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

    def _store(
        self, terminal: str, batch: Batch, accepted: Accepted, log: Log | None, now: Moment
    ) -> None:
        """Store the new entries of a batch, and the checkpoint that its receipt will cosign."""
        if log is not None:
            number = log.id
        else:
            number = self._custody.add_log(
                batch.origin, terminal, accepted.key.public, batch.certificate
            )
        linked, odd = self._admit(terminal, number, batch.origin, accepted.held, now)
        rows = [
            EntryRow(
                one.seq,
                one.leaf,
                one.hashes,
                one.payload,
                one.flag or odd.get(one.seq),
                linked.get(one.seq),
            )
            for one in accepted.held
        ]
        self._custody.add_entries(number, rows)
        self._custody.extend(number, accepted.size, accepted.checkpoint.encode(), now.at_ms)

    def _admit(
        self, terminal: str, log: int, origin: str, held: Sequence[Held], now: Moment
    ) -> tuple[dict[int, int], dict[int, str]]:
        """Find or make the taps of some entries; return, by seq, their ids and what is odd."""
        taps = self._ledger.taps
        came = [
            new_tap(one.entry, terminal, log, origin, now.at_ms)
            for one in held
            if isinstance(one.entry, TapEntry)
        ]
        known: dict[bytes, Tap | NewTap] = {}
        ids: dict[bytes, int] = {}
        for tap in taps.by_payload(terminal, [one.payload for one in came]).values():
            known[tap.payload], ids[tap.payload] = tap, tap.id
        added: dict[int, NewTap] = {}
        odd: dict[int, str] = {}
        following = taps.next_id()
        for one in came:
            before = known.get(one.payload)
            if before is not None:
                odd[one.seq] = linked_as(before, one)
                continue
            known[one.payload], ids[one.payload] = one, following + len(added)
            added[ids[one.payload]] = one
        taps.add(added, now)
        linked = {one.seq: ids[one.payload] for one in came}
        for seq, what in odd.items():
            if what == DIFFERS:
                taps.flag(linked[seq], DIFFERS)
        for number, new in added.items():
            if precedes(new, self._restored_ms):
                self._move(taps.get(number), State.UNKNOWN, REASON_RESTORED, now)
        return linked, odd

    def _move(self, tap: Tap, after: State, reason: str, now: Moment) -> None:
        self._outcomes.changed(self._ledger.taps.move(tap, after, reason, now))

    def _refuse(self, terminal: str, turned: Turned, checkpoint: str, now: Moment) -> list[Effect]:
        """Count a batch that was refused, and tell its terminal; nothing of it is stored."""
        known = turned.reason != "unknown_terminal"
        self._custody.count_refused(terminal if known else "", turned.reason, now.at_ms)
        note = hashlib.sha256(checkpoint.encode()).hexdigest() if checkpoint else ""
        hint = Hint(refused=Refusal(turned.reason, note))
        fields = {"terminal": terminal, "reason": turned.reason, "detail": turned.detail[:200]}
        return [
            Report("batch_refused", fields),
            Publish(topic(terminal, "hint"), wire.encode(hint)),
        ]

    def _receipt(self, origin: str, now: Moment) -> list[Effect]:
        """Cosign the largest checkpoint of a log, once, and publish it.

        None while we hold less than we once cosigned: a smaller receipt would take that back.
        """
        log = self._custody.log(origin)
        if log is None or self._custody.largest_note(origin) > log.size:
            return []
        receipt = log.receipt
        if not receipt:
            cosigned = self._cosigner.cosign(notes.parse(log.checkpoint), now.at_ms // 1000)
            receipt = cosigned.encode()
            self._custody.receipted(log.id, receipt)
            self._custody.keep_note(origin, log.size, receipt)
        return [receipt_of(log.terminal, receipt, log.certificate)]

    def again(self) -> list[Effect]:
        """Publish each terminal's newest receipt again: a broker may have forgotten it."""
        return [
            receipt_of(log.terminal, log.receipt, log.certificate)
            for log in self._custody.newest_logs()
            if self._custody.largest_note(log.origin) <= log.size
        ]

    def retained(self, terminal: str, payload: bytes, now: Moment) -> list[Effect]:
        """Read a receipt that the broker retained, perhaps of ours from before a backup."""
        try:
            receipt = wire.decode(Receipt, payload)
            origin = Checkpoint.parse(notes.parse(receipt.checkpoint).text).origin
        except (WireBroken, NoteBroken):
            self._custody.count_refused(terminal, "receipt", now.at_ms)
            return []
        log = self._custody.log(origin)
        return self._noted(terminal, receipt.checkpoint, origin, log.size if log else 0, now)

    def _noted(self, terminal: str, text: str, origin: str, size: int, now: Moment) -> list[Effect]:
        """Keep a note that we cosigned; one beyond our ledger says that we were restored."""
        if self._custody.has_note(text):
            return []
        try:
            note = notes.parse(text)
            checkpoint = Checkpoint.parse(note.text)
            if Origin.parse(checkpoint.origin).owner != terminal:
                return []
            notes.cosignature_time(note, self._verifier)
        except ValueError:
            return []
        self._custody.keep_note(checkpoint.origin, checkpoint.size, text)
        if checkpoint.origin != origin:
            log = self._custody.log(checkpoint.origin)
            size = log.size if log else 0
        if checkpoint.size <= size:
            return []
        self._restored_ms = now.at_ms
        self._custody.put_fact(RESTORED, now.at_ms)
        hint = Hint(resend_from=ResendFrom(checkpoint.origin, size))
        return [
            Report("restored", {"terminal": terminal, "held": size, "once": checkpoint.size}),
            Publish(topic(terminal, "hint"), wire.encode(hint)),
        ]


def receipt_of(terminal: str, receipt: str, certificate: str) -> Publish:
    """Write the retained message of a receipt: always the same bytes for the same receipt."""
    payload = wire.encode(Receipt(receipt, certificate))
    return Publish(topic(terminal, "receipt"), payload, retain=True)
