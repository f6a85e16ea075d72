"""The other side: batches out, and what comes back in: receipts, hints, bindings, outcomes.

Every message may be lost, repeated, reordered or forged. What is refused is counted, told in
the next heartbeat, and changes nothing.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field

from ciao import names, wire
from ciao.binding import BindingRefused
from ciao.journal import Journal, StoreDamaged, StoreFailed
from ciao.journal.store import note_digest
from ciao.link import Connected, Disconnected, LinkEvent, Message, Publish
from ciao.notes import Signer, VerifierKey
from ciao.reading import Reading, rfc3339
from terminal import batches, receipts
from terminal.again import Again, Place
from terminal.disk import Disk
from terminal.held import Held
from terminal.uplink import Uplink


@dataclass(frozen=True, slots=True)
class Told:
    """What the rest of the terminal should know after a message."""

    settled: bool = False
    rebound: bool = False
    outcomes: tuple[wire.Outcome, ...] = ()


NOTHING = Told()


@dataclass(slots=True)
class Exchange:
    """One terminal's conversation with the gateway."""

    terminal: str
    enrolled: Signer
    firmware: str
    journal: Journal
    held: Held
    disk: Disk
    uplink: Uplink = field(default_factory=Uplink)
    again: Again = field(default_factory=Again)
    _since: str = ""

    def subscriptions(self) -> list[str]:
        """The topics a terminal reads."""
        own = ("receipt", "hint", "outcome", "binding", "roster")
        return [*(names.topic(self.terminal, part) for part in own), names.GATEWAYS_ONLINE]

    def take(self, now: Reading, event: LinkEvent) -> Told:
        """Take one event of the session."""
        match event:
            case Connected():
                self.uplink.connect()
                self.again.forget()
                self._since = rfc3339(now.at)
                return NOTHING
            case Disconnected(refused=refused):
                self.uplink.disconnect(refused=refused)
                return NOTHING
            case Message():
                return self._arrived(now, event)

    def send(self, now: Reading) -> list[Publish]:
        """Send the next batch, if the window has room: strictly in order from what is settled.

        Where there is none, one of an older segment that a gateway asked for.
        """
        start = self._start(now)
        if start is None:
            return self._send_again(now)
        try:
            batch = batches.build(self.journal, start)
        except StoreDamaged:
            # Noticed by the journal; it carries on in another segment, and that is sent.
            self.disk.refused["disk"] += 1
            return []
        except StoreFailed:
            # What can't be read now is not sent; stamping goes on.
            self.disk.refused["disk"] += 1
            self.uplink.pause(now.up_ms)
            return []
        assert batch is not None, "the window looked beyond the journal's end"
        self.uplink.sent_to(batch.end, now.up_ms, note_digest(batch.checkpoint))
        return [self._batch(batch)]

    def has_more(self, now: Reading) -> bool:
        """Say whether `send` would send right away."""
        return self._start(now) is not None or self._asked(now) is not None

    def presence(self, online: bool) -> Publish:
        """What everybody may know of this terminal; retained, and its will with False."""
        try:
            size, backlog = self.journal.size, self.journal.backlog()
        except StoreFailed:
            # The disk gives nothing back now; that we are there is true all the same.
            size = backlog = 0
        state = wire.Online(online, self._since, size, backlog, self.firmware)
        return Publish(names.topic(self.terminal, "online"), wire.encode(state), retain=True)

    def begin(self, now: Reading) -> None:
        """The journal is open, or began a segment: send from what is settled."""
        self._since = self._since or rfc3339(now.at)
        self.uplink.begin(self.journal.settled)

    def _start(self, now: Reading) -> int | None:
        if self.journal.damaged or not self.journal.is_open:
            return None
        return self.uplink.next_start(now.up_ms, self.journal.size)

    def _asked(self, now: Reading) -> Place | None:
        if self.journal.damaged or not self.journal.is_open:
            return None
        return self.again.asked if self.uplink.listened(now.up_ms) else None

    def _send_again(self, now: Reading) -> list[Publish]:
        """Send one batch of an older segment; whatever can't be sent is only counted."""
        place = self._asked(now)
        if place is None:
            return []
        self.again.forget()
        origin, seq = place
        try:
            older = self.journal.older(origin)
            if older is not None:
                with closing(older):
                    batch = batches.build(older, seq)
                if batch is not None:
                    return [self._batch(batch)]
        except StoreFailed:
            pass
        self.disk.refused["resend_unreadable"] += 1
        return []

    def _batch(self, batch: wire.Batch) -> Publish:
        return Publish(names.topic(self.terminal, "journal"), wire.encode(batch))

    def _arrived(self, now: Reading, message: Message) -> Told:
        try:
            owner, channel = names.split_topic(message.topic)
            if owner == "_gateway":
                presence = wire.decode(wire.GatewayOnline, message.payload)
                self.uplink.gateway(channel, presence.online)
                return NOTHING
            if owner != self.terminal:
                raise ValueError(f"another terminal's topic: {message.topic}")
            match channel:
                case "receipt":
                    return self._receipt(now, wire.decode(wire.Receipt, message.payload))
                case "hint":
                    self._hint(now, wire.decode(wire.Hint, message.payload))
                case "outcome":
                    outcomes = wire.decode(wire.Outcomes, message.payload).outcomes
                    return Told(outcomes=tuple(outcomes))
                case "binding":
                    self.held.bindings_arrived(message.payload)
                    return Told(rebound=True)
                case "roster":
                    self.held.roster_arrived(message.payload)
                    return Told(rebound=True)
        except BindingRefused as error:
            self.disk.refused[f"binding_{error.reason}"] += 1
        except wire.WireBroken as error:
            self.disk.refused[error.reason] += 1
        except ValueError:
            self.disk.refused["malformed"] += 1
        except StoreFailed:
            # Not kept, so it counts for nothing; it comes again, being retained or sent anew.
            self.disk.refused["disk"] += 1
        return NOTHING

    def _receipt(self, now: Reading, receipt: wire.Receipt) -> Told:
        local = receipts.Local(
            log_key=self.journal.log_key,
            size=self.journal.size,
            settled=self.journal.settled,
            origins=self.journal.origins,
            enrolled=self.enrolled.verifier(),
            root=self.journal.root,
        )
        judgement = receipts.judge(receipt, local, self._cosigners())
        match judgement:
            case receipts.Settled(size, note):
                self.uplink.answered()
                self.journal.settle(note, size)
                self.uplink.settle(size)
                return Told(settled=True)
            case receipts.RolledBack():
                self.journal.begin("rolled_back", now, receipt.checkpoint)
                self.begin(now)
            case receipts.Refused(reason):
                self.disk.refused[f"receipt_{reason}"] += 1
            case receipts.Stale() if self.uplink.settled < self.journal.settled:
                # The disk kept it after all, and said that it did not.
                self.uplink.settle(self.journal.settled)
            case receipts.Stale():
                pass
        return NOTHING

    def _hint(self, now: Reading, hint: wire.Hint) -> None:
        wanted = hint.resend_from
        if wanted is not None and wanted.origin == self.journal.origin:
            self.uplink.resend(wanted.seq, now.up_ms)
        elif wanted is not None:
            self._resend_older(now, wanted)
        refusal = hint.refused
        if refusal is None:
            return
        self.disk.refused[f"batch_{refusal.reason}"] += 1
        sent = self.uplink.sent
        if self.uplink.refuse(refusal.note, now.up_ms) and refusal.reason == "root":
            # Our own tree decides whether it is we who are wrong: damage is noticed here.
            self.journal.check(self.journal.settled, sent)

    def _resend_older(self, now: Reading, wanted: wire.ResendFrom) -> None:
        """Look whether there is anything to send before what else is asked for has to wait."""
        try:
            older = self.journal.older(wanted.origin)
        except StoreDamaged:
            self.disk.refused["resend_unreadable"] += 1
            return
        if older is None:
            self.disk.refused["resend_unknown"] += 1
            return
        with closing(older):
            if wanted.seq < older.end:
                self.again.ask(wanted.origin, wanted.seq, now.up_ms)

    def _cosigners(self) -> list[VerifierKey]:
        # The newest message counts, whichever bundle of it is in force: what a clock that can't be
        # believed keeps from beginning must not keep a key alive that was ended.
        bound = self.held.bound
        known = self.held.known or ([bound] if bound else [])
        keys = {gateway.cosigner for signed in known for gateway in signed.binding.gateways}
        return [VerifierKey.parse(key) for key in sorted(keys)]
