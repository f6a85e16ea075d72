"""Mutants of the terminal and of custody: what is told too early, settled, skipped or dropped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import msgspec

from ciao import notes
from ciao.entries import Entry, Tap
from ciao.journal import Journal, StoreFailed
from ciao.link import Publish
from ciao.reading import Reading
from ciao.registration import Direction
from ciao.wire import Receipt
from gateway.ledger import Ledger
from hardware.events import CardRead
from provisioning.registry import following, issuing
from terminal import receipts
from terminal.core import Terminal
from terminal.direction import Chooser, Decision
from terminal.door import Door
from terminal.exchange import Exchange
from terminal.held import Held
from tests.sim.mutants.mutant import Patch


def shown_before_commit(patch: Patch) -> None:
    """The light goes on, and the entry is written in the next step."""
    stamp, step = Door._stamp, Terminal.step

    def stamp_later(self: Door, decision: Any) -> Any:
        append, late = self.journal.append, list[tuple[Entry, bytes | None]]()
        self.journal.append = lambda entry, payload=None: late.append((entry, payload))  # type: ignore[method-assign]
        try:
            shown = stamp(self, decision)
        finally:
            del self.journal.append
        self.journal.__dict__.setdefault("late", []).extend((append, *one) for one in late)
        return shown

    def step_then_write(self: Terminal, now: Reading, events: Any) -> Any:
        for append, entry, payload in self._journal.__dict__.pop("late", []):
            with suppress(StoreFailed, AssertionError):
                append(entry, payload)
        return step(self, now, events)

    patch(Door, "_stamp", stamp_later)
    patch(Terminal, "step", step_then_write)


def dropped_on_full(patch: Patch) -> None:
    """A disk that is full is no reason to bother the worker."""
    stamp = Door._stamp

    def stamp_anyway(self: Door, decision: Any) -> Any:
        append = self.journal.append

        def forgiving(entry: Entry, payload: bytes | None = None) -> None:
            with suppress(StoreFailed):
                append(entry, payload)

        self.journal.append = forgiving  # type: ignore[method-assign]
        try:
            return stamp(self, decision)
        finally:
            del self.journal.append

    patch(Door, "_stamp", stamp_anyway)


def receipt_before_commit(patch: Patch) -> None:
    """The ledger commits what it was given when it is next given something."""

    @contextmanager
    def late(self: Ledger) -> Iterator[None]:
        db = self._connection
        if db.in_transaction:
            db.execute("COMMIT")
        db.execute("BEGIN IMMEDIATE")
        yield

    patch(Ledger, "transaction", late)


def settled_when_sent(patch: Patch) -> None:
    """What was published (or acknowledged by the broker) counts as safe."""
    send = Exchange.send

    def settle_at_once(self: Exchange, now: Reading) -> list[Publish]:
        sent = send(self, now)
        if sent and self.uplink.sent > self.journal.settled:
            size = self.uplink.sent
            note = notes.parse(self.journal.checkpoint(size))
            # Cosigned by ourselves, so that it has the form of a receipt.
            told = self.enrolled.cosign(note, int(now.at.timestamp()))
            self.journal.settle(told.encode(), size)
            self.uplink.settle(size)
        return sent

    patch(Exchange, "send", settle_at_once)


def settled_on_anything(patch: Patch) -> None:
    """A receipt that names our log is believed."""

    def believe(receipt: Receipt, local: receipts.Local, *_: Any) -> receipts.Judgement:
        origin, size = receipt.checkpoint.split("\n")[:2]
        if origin == local.log_key.name and local.settled < int(size) <= local.size:
            return receipts.Settled(int(size), receipt.checkpoint)
        return receipts.Stale()

    patch(receipts, "judge", believe)


def older_kept_back(patch: Patch) -> None:
    """Only what the current segment holds is ever sent again."""
    patch(Exchange, "_resend_older", lambda *_: None)


def sequence_skipped(patch: Patch) -> None:
    """A tap now and then leaves a number out."""
    append = Journal.append

    def skip(self: Journal, entry: Entry, payload: bytes | None = None) -> None:
        if isinstance(entry, Tap) and entry.seq % 3 == 0:
            entry = msgspec.structs.replace(entry, seq=entry.seq + 1)
            size = Journal.size
            with _property(Journal, "size", entry.seq):
                append(self, entry, payload)
            assert Journal.size is size
        else:
            append(self, entry, payload)

    patch(Journal, "append", skip)


@contextmanager
def _property(owner: type, name: str, value: int) -> Iterator[None]:
    before = owner.__dict__[name]
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def direction_inferred(patch: Patch) -> None:
    """Who was stamped IN must be going OUT."""
    attempt = Chooser._attempt

    def toggled(self: Chooser, card: CardRead, direction: Direction, chosen: Any) -> Decision:
        last = self._last.get(card.uid)
        return attempt(self, card, last.direction.opposite if last else Direction.IN, chosen)

    patch(Chooser, "_attempt", toggled)


def bound_too_early(patch: Patch) -> None:
    """The newest bundle is the best one."""

    def newest(self: Held, _now: Reading) -> Any:
        chosen = max(self.known, key=lambda one: one.binding.serial, default=None)
        return None if chosen is None or chosen == self.bound else chosen

    patch(Held, "due", newest)


def sealed_too_early(patch: Patch) -> None:
    """Who is told of two pairs of keys seals to the newer one at once."""
    named = issuing.named

    def newest_first(gateways: Any) -> Any:
        return named(gateways)[::-1]

    patch(following, "named", newest_first)
