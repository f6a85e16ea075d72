"""Receipts: the largest checkpoint of a log, cosigned once, the same bytes ever after.

A receipt is kept in the transaction that stores its entries, so it is on the disk before it is
published. None is smaller than one that we gave before, whatever happened to our ledger since.
"""

from __future__ import annotations

from ciao import notes, wire
from ciao.link import Publish
from ciao.names import topic
from ciao.notes import COSIGNATURE_V1, Signature, Signer
from ciao.wire import Receipt
from gateway.ledger import Ledger
from gateway.ledger.rows import Log, Moment


class Receipts:
    """Cosigns and publishes; each method runs inside the ledger's transaction."""

    def __init__(self, ledger: Ledger, cosigner: Signer) -> None:
        self._custody = ledger.custody
        self._care = ledger.care
        self._cosigner = cosigner

    def of(self, origin: str, terminal: str, certificate: str, now: Moment) -> list[Publish]:
        """Return the largest receipt of a log as it is to be published.

        None while we hold less than we once cosigned: a smaller one would take that back. Where
        that can't be caught up with, because the terminal signed two trees, it is the one from
        then: it tells the terminal to begin a new segment (DESIGN 3.4).
        """
        owed = self._care.owed(origin)
        if owed is not None:
            return [receipt_of(terminal, owed.note, certificate)] if owed.forked else []
        log = self._custody.log(origin)
        if log is None:
            return []
        return [receipt_of(terminal, self._receipt(log, now), log.certificate)]

    def _receipt(self, log: Log, now: Moment) -> str:
        """Return a log's receipt, always by our present key: by a former one it settles nothing.

        A terminal whose card was rolled back would never learn of it (decision 24).
        """
        ours = self._cosigner.verifier(COSIGNATURE_V1)
        present = {(one.name, one.key_id) for one in _signatures(log.receipt)}
        if (ours.name, ours.key_id) in present:
            return log.receipt
        return self._cosign(log, now)

    def _cosign(self, log: Log, now: Moment) -> str:
        cosigned = self._cosigner.cosign(notes.parse(log.checkpoint), now.at_ms // 1000)
        receipt = cosigned.encode()
        self._custody.receipted(log.id, receipt)
        self._custody.keep_note(log.origin, log.size, receipt)
        return receipt

    def again(self, now: Moment) -> list[Publish]:
        """Return each terminal's newest receipt: a broker may have forgotten it."""
        return [
            receipt_of(log.terminal, self._receipt(log, now), log.certificate)
            for log in self._custody.newest_logs()
            if self._care.owed(log.origin) is None
        ]


def _signatures(receipt: str) -> tuple[Signature, ...]:
    return notes.parse(receipt).signatures if receipt else ()


def receipt_of(terminal: str, receipt: str, certificate: str) -> Publish:
    """Write the retained message of a receipt: always the same bytes for the same receipt."""
    payload = wire.encode(Receipt(receipt, certificate))
    return Publish(topic(terminal, "receipt"), payload, retain=True)
