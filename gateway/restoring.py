"""A ledger restored from a backup: noticed, and made whole again by asking (DESIGN 3.5).

What we cosigned was on our disk. So a note of ours beyond our ledger, wherever it comes from,
says that the ledger is an older one: retained by the broker, named by a batch, or in the entry 0
of a new segment. Or the operator says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ciao import notes, wire
from ciao.checkpoint import Checkpoint
from ciao.link import Publish
from ciao.names import Origin, topic
from ciao.notes import NoteBroken, VerifierKey
from ciao.tree import root_at
from ciao.wire import Hint, Receipt, ResendFrom, WireBroken
from gateway.events import Effect, Report
from gateway.intake import is_doubtful
from gateway.ledger import Ledger
from gateway.ledger.care import OwedRow
from gateway.ledger.rows import Log, Moment, Tap

RESTORED_AT = "restored_ms"
RESTORED_TIMES = "restored_times"
REASON_RESTORED = "restored"
# Hints are never retained, so what is owed is asked for again.
ASK_AGAIN_MS = 60_000
# Where its terminal is heard of (it says something each minute) and doesn't send it, it can't: an
# operator is told, and from then on it is asked for once an hour only.
HEARD_MS = 2 * ASK_AGAIN_MS
FRUITLESS_MAX = 10
RARELY = 60


@dataclass(frozen=True, slots=True)
class Fruitless:
    """How often a log was asked for in vain, and how much was held of it all the while."""

    size: int
    times: int = 0


class Restoring:
    """Keeps what we cosigned, and what of it we lack; each method runs in a transaction.

    `cosigners` are the keys that this gateway cosigns and has cosigned with.
    """

    def __init__(self, ledger: Ledger, cosigners: Sequence[VerifierKey]) -> None:
        self._custody = ledger.custody
        self._care = ledger.care
        self._cosigners = cosigners
        self._asked_ms = 0
        self._fruitless: dict[str, Fruitless] = {}
        self._to_ask: dict[str, None] = {}
        self.at_ms: int | None = None
        self.times = 0

    def begin(self) -> None:
        """Read back what the ledger says of itself."""
        self._care.begin()
        self.at_ms = self._custody.fact(RESTORED_AT)
        self.times = self._custody.fact(RESTORED_TIMES) or 0

    def mark(self, now: Moment) -> None:
        """From here on, every tap stamped before now is searched for before it may be sent."""
        self.at_ms, self.times = now.at_ms, self.times + 1
        self._custody.put_fact(RESTORED_AT, now.at_ms)
        self._custody.put_fact(RESTORED_TIMES, self.times)

    def doubts(self, tap: Tap) -> bool:
        """Say whether a tap must be searched for before it may be sent."""
        return is_doubtful(tap, self.at_ms, self.times)

    def retained(self, terminal: str, payload: bytes, now: Moment) -> list[Effect] | None:
        """Read a receipt that the broker retained; None where it is none."""
        try:
            receipt = wire.decode(Receipt, payload)
            notes.parse(receipt.checkpoint)
        except (WireBroken, NoteBroken):
            return None
        return self.noted(terminal, [receipt.checkpoint], now)

    def noted(self, terminal: str, texts: Sequence[str], now: Moment) -> list[Effect]:
        """Keep notes that we cosigned for a terminal; one beyond our ledger tells on it."""
        effects: list[Effect] = []
        for text in texts:
            if not self._custody.has_note(text):
                checkpoint = self._ours(terminal, text)
                if checkpoint is not None:
                    effects += self._new(terminal, text, checkpoint, now)
        return effects

    def _ours(self, terminal: str, text: str) -> Checkpoint | None:
        try:
            note = notes.parse(text)
            checkpoint = Checkpoint.parse(note.text)
            if Origin.parse(checkpoint.origin).owner != terminal:
                return None
        except ValueError:
            return None
        return checkpoint if any(_by(note, key) for key in self._cosigners) else None

    def _new(self, terminal: str, text: str, checkpoint: Checkpoint, now: Moment) -> list[Effect]:
        self._custody.keep_note(checkpoint.origin, checkpoint.size, text)
        log = self._custody.log(checkpoint.origin)
        size = log.size if log else 0
        if checkpoint.size <= size:
            return self._compared(log, checkpoint, now)
        self.mark(now)
        self._to_ask[checkpoint.origin], self._asked_ms = None, now.up_ms
        owed = OwedRow(
            checkpoint.origin, terminal, checkpoint.size, checkpoint.root, text, forked=False
        )
        self._care.owe(owed, now.at_ms)
        return [Report("restored", {"terminal": terminal, "held": size, "once": checkpoint.size})]

    def _compared(self, log: Log | None, checkpoint: Checkpoint, now: Moment) -> list[Effect]:
        """Hold a note to the tree that we have; it may be from before a backup, of another one."""
        if log is None:
            return []
        held = root_at(
            checkpoint.size, lambda level, index: self._custody.subtree(log.id, level, index)
        )
        if held == checkpoint.root:
            return []
        detail = f"we cosigned another tree of {checkpoint.size} entries"
        self._care.alert(log.terminal, "fork", log.origin, detail, now.at_ms)
        return [Report("fork", {"terminal": log.terminal, "detail": detail})]

    def ask_again(self, now: Moment, terminal: str | None = None) -> list[Effect]:
        """Ask for what is owed: of a terminal that has come online, or now and then of all.

        Also of a log of which its terminal signed two trees: what both of them have in common it
        sends once it has begun another segment.
        """
        if terminal is not None:
            return [self._ask(owed) for owed in self._care.owed_by(terminal)]
        if now.up_ms - self._asked_ms < ASK_AGAIN_MS:
            return []
        self._asked_ms = now.up_ms
        effects: list[Effect] = []
        before, self._fruitless = self._fruitless, {}
        for owed in self._care.owed_by():
            held = self._held(owed)
            effects += self._ask_anew(owed, before.get(owed.origin, Fruitless(held)), now)
        return effects

    def _ask_anew(self, owed: OwedRow, before: Fruitless, now: Moment) -> list[Effect]:
        """Ask once more; say so where it is in vain, and do it rarely from then on."""
        held = self._held(owed)
        heard = self._custody.heard_since(owed.terminal, now.at_ms - HEARD_MS)
        times = before.times + heard if held == before.size else 0
        self._fruitless[owed.origin] = Fruitless(held, times)
        effects: list[Effect] = []
        if times == FRUITLESS_MAX and times > before.times:
            detail = f"entries {held} to {owed.size - 1} of {owed.origin} don't come again"
            self._care.alert(owed.terminal, "owed", owed.origin, detail, now.at_ms)
            effects.append(Report("owed", {"terminal": owed.terminal, "detail": detail}))
        if times < FRUITLESS_MAX or times % RARELY == 0:
            effects.append(self._ask(owed))
        return effects

    def came(self, origin: str) -> None:
        """A batch of a log was stored: what follows it is asked for, as long as that is owed."""
        self._to_ask[origin] = None

    def ask(self) -> list[Effect]:
        """Ask for what was noticed in this step or follows what it brought, where that is owed."""
        noticed, self._to_ask = self._to_ask, {}
        owed = [self._care.owed(origin) for origin in noticed]
        return [self._ask(one) for one in owed if one is not None]

    def _ask(self, owed: OwedRow) -> Publish:
        return _ask(owed.terminal, owed.origin, self._held(owed))

    def _held(self, owed: OwedRow) -> int:
        log = self._custody.log(owed.origin)
        return log.size if log else 0

    def ask_all(self) -> list[Effect]:
        """Ask every terminal for whatever follows what we hold of its newest segment."""
        return [_ask(log.terminal, log.origin, log.size) for log in self._custody.newest_logs()]


def _by(note: notes.Note, key: VerifierKey) -> bool:
    try:
        notes.cosignature_time(note, key)
    except NoteBroken:
        return False
    return True


def _ask(terminal: str, origin: str, size: int) -> Publish:
    hint = Hint(resend_from=ResendFrom(origin, size))
    return Publish(topic(terminal, "hint"), wire.encode(hint))
