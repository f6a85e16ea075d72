"""A terminal and the gateway that cosigns it, made by hand: a clock to move, entries to write.

`Twin` is an honest terminal unless it is told to lie; `log` is the segment it writes now. What a
gateway cosigns here is whatever the terminal shows it, as a real one would: it can't know better.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ciao import binding, canonical, certificate, opening
from ciao.checkpoint import Checkpoint
from ciao.evidence.source import Terminal
from ciao.journal.store import KeptNote, Row, note_digest
from ciao.names import Origin, cosigner_name
from ciao.notes import COSIGNATURE_V1, Signer, parse
from ciao.reading import rfc3339
from ciao.tree import HASH_SIZE, Frontier, completed_by, leaf_hash, root_at
from ciao.verifier.policy import Policy
from ciao.verifier.policy import parse as parse_policy
from tests.ciao import examples
from tests.ciao.examples import DOMAIN, TERMINAL, signer

START = datetime(2026, 3, 2, 6, 0, tzinfo=examples.BRUSSELS_WINTER)
STRANGER = signer(cosigner_name(DOMAIN, "stranger"))
WITNESS = signer(cosigner_name(DOMAIN, "outside"))
SECOND_BINDING = binding.sign(
    binding.Binding(
        **{
            **{
                name: getattr(examples.BINDING, name) for name in examples.BINDING.__struct_fields__
            },
            "serial": examples.BINDING.serial + 1,
            "effective_from": "2026-03-02T06:30:00.000+01:00",
            "declaration": binding.Declaration("1Y1000003EQCZ"),
        }
    ),
    examples.PROVISIONING,
)
POLICY_TEXT = f"""# whom the inspector trusts
witness north {examples.COSIGNER.verifier(COSIGNATURE_V1)}
witness outside {WITNESS.verifier(COSIGNATURE_V1)}
group all-of-them all north outside
quorum north
provisioning {examples.PROVISIONING.verifier()}
"""


def policy(quorum: str = "north") -> Policy:
    return parse_policy(POLICY_TEXT.replace("quorum north", f"quorum {quorum}"), "policy")


@dataclass(slots=True)
class TwinLog:
    """One segment in memory (a `ciao.evidence.source.Log`)."""

    signer: Signer
    leaves: list[bytes] = field(default_factory=list)
    payloads: list[bytes | None] = field(default_factory=list)
    kept: list[KeptNote] = field(default_factory=list)
    claims: bool = False
    _hashes: list[bytes] = field(default_factory=list)
    _frontier: Frontier = field(default_factory=Frontier)

    @property
    def origin(self) -> str:
        return self.signer.name

    @property
    def certificate(self) -> str:
        return certificate.certify(examples.ENROLLED, self.signer.verifier())

    @property
    def size(self) -> int:
        return len(self.leaves)

    def append(self, leaf: bytes, payload: bytes | None = None) -> None:
        self.leaves.append(leaf)
        self.payloads.append(payload)
        self._frontier, hashes = self._frontier.append(leaf_hash(leaf))
        self._hashes.append(hashes)

    def checkpoint(self, size: int | None = None) -> str:
        at = self.size if size is None else size
        return self.signer.sign(
            Checkpoint(self.origin, at, root_at(at, self.subtree)).text()
        ).encode()

    def rows(self, start: int, end: int) -> Iterator[Row]:
        for seq in range(start, min(end, self.size)):
            yield Row(seq, self.leaves[seq], self.payloads[seq])

    def note_from(self, size: int) -> KeptNote | None:
        return next((note for note in self.kept if note.size >= size), None)

    def note_upto(self, size: int) -> KeptNote | None:
        return next((note for note in reversed(self.kept) if note.size <= size), None)

    def notes(self, low: int, high: int) -> Iterator[KeptNote]:
        return (note for note in self.kept if low <= note.size <= high)

    def named(self, sha256: str) -> KeptNote | None:
        return next((note for note in self.kept if note_digest(note.note) == sha256), None)

    def subtree(self, level: int, index: int) -> bytes:
        seq, offset = completed_by(level, index)
        return self._hashes[seq][offset : offset + HASH_SIZE]

    def claim(self) -> str | None:
        return self.checkpoint() if self.claims else None


@dataclass(slots=True)
class Twin:
    """A terminal that lives: `now` is the true time, `off` how wrong its own clock is."""

    now: datetime = START
    off: timedelta = timedelta()
    boot: str = examples.BOOT
    synced: bool = True
    error_ms: int | None = 3
    logs: list[TwinLog] = field(default_factory=list)
    log: TwinLog = field(init=False)
    newest: KeptNote | None = None
    bound: str = examples.BINDING_SHA256
    declaration: str = examples.DECLARATION
    _numbered: int = 0

    def __post_init__(self) -> None:
        self.begin("new")

    @property
    def terminal(self) -> Terminal:
        notes = [examples.BINDING_NOTE, SECOND_BINDING]
        return Terminal(TERMINAL, list(self.logs), notes, [examples.SUCCESSION])

    def wait(self, seconds: float) -> Twin:
        self.now += timedelta(seconds=seconds)
        return self

    def clock(self, at: datetime | None = None) -> dict[str, Any]:
        quality: dict[str, Any] = {"source": "ntp" if self.synced else "none"}
        quality["synced"] = self.synced
        if self.synced and self.error_ms is not None:
            quality["error_ms"] = self.error_ms
        shown = (at or self.now) + self.off
        up_ms = round((self.now - START).total_seconds() * 1000) + 1_000
        return {"v": 1, "at": rfc3339(shown), "boot": self.boot, "up_ms": up_ms, "clock": quality}

    def write(
        self, kind: str, *, at: datetime | None = None, beside: bytes | None = None, **more: Any
    ) -> bytes:
        said = {**self.clock(at), "kind": kind, "seq": self.log.size, **more}
        leaf = canonical.encode(said)
        self.log.append(leaf, beside)
        return leaf

    def begin(self, why: str, previous: dict[str, Any] | None = None) -> None:
        """Begin a segment; what it says of the one before is the truth unless given."""
        self._numbered += 1
        segment = hashlib.sha256(f"segment {self._numbered}".encode()).hexdigest()[:16]
        before = self.logs[-1] if self.logs else None
        self.log = TwinLog(signer(str(Origin(DOMAIN, TERMINAL, segment))))
        self.logs.append(self.log)
        said: dict[str, Any] = {"why": why, "firmware": "0.1.0"}
        if previous is not None:
            said["previous"] = previous
        elif before is not None:
            said["previous"] = ending(before)
        self.write("segment", **said)
        self.newest = None

    def tap(self, direction: str = "in", *, at: datetime | None = None, **more: Any) -> bytes:
        """A badge, now or `at` the time when it was laid, before the press."""
        plain = self.opened(f"{self._numbered} {self.log.size} {self.now}")
        sealed = b"sealed " + plain
        said = {
            "direction": direction,
            "chosen": "button",
            "declaration": self.declaration,
            "binding": self.bound,
            "tier": "uid",
            "key": "a3bd8e2c5387ea38",
            "payload": hashlib.sha256(sealed).hexdigest(),
            "opening": opening.commitment(plain),
        }
        return self.write("tap", at=at, beside=sealed, **{**said, **more})

    @staticmethod
    def opened(label: str) -> bytes:
        salt = hashlib.sha256(label.encode()).hexdigest()[:32]
        return opening.encode(opening.Opening(salt, "04a1b2c3d4e580"))

    def bind(self, sha256: str = examples.BINDING_SHA256, declaration: str = "") -> None:
        self.bound = sha256
        self.declaration = declaration or examples.DECLARATION
        self.write("binding", serial=examples.BINDING.serial, binding=sha256)

    def beat(self, **more: Any) -> bytes:
        """A minute passed: a heartbeat that names the newest receipt."""
        said: dict[str, Any] = {"works": {"reader": True, "gateway": True}, **more}
        if self.newest is not None and "note" not in said:
            said["note"] = note_digest(self.newest.note)
        return self.write("heartbeat", **said)

    def receipt(self, *cosigners: Signer, heard: bool = True, at: datetime | None = None) -> None:
        """The gateway holds all that there is now, and cosigns; the terminal hears it or not."""
        note = parse(self.log.checkpoint())
        for cosigner in cosigners or (examples.COSIGNER,):
            note = cosigner.cosign(note, int((at or self.now).timestamp()))
        kept = KeptNote(self.log.origin, self.log.size, note.encode())
        self.log.kept.append(kept)
        if heard:
            self.newest = kept

    def minutes(self, number: int) -> None:
        """Live: a stamp, a heartbeat, a receipt, each minute."""
        for index in range(number):
            self.wait(17).tap("in" if index % 2 else "out")
            self.wait(43).beat()
            self.receipt()

    def carry(self, log: TwinLog, start: int) -> None:
        """Take over entries of a log before, from `start` on, as they were."""
        for row in log.rows(start, log.size):
            said = canonical.decode(row.leaf, 4096)
            said.setdefault("carried", {"origin": log.origin, "seq": row.seq})
            said["seq"] = self.log.size
            self.log.append(canonical.encode(said), row.payload)


def ending(log: TwinLog, size: int | None = None) -> dict[str, Any]:
    """Say where a log ended, as entry 0 of the next one does."""
    at = log.size if size is None else size
    said = {"origin": log.origin, "size": at, "root": root_at(at, log.subtree).hex()}
    return said | ({"note": note_digest(log.kept[-1].note)} if log.kept else {})


def honest() -> Twin:
    """A terminal that lived through everything that may happen to an honest one."""
    twin = Twin()
    twin.write("boot", clean=True)
    twin.bind()
    twin.minutes(3)
    # On the boundary of a second: 999 ms after the cosignature's whole second, still before it.
    twin.now = twin.now.replace(second=59, microsecond=999_000)
    twin.tap("in")
    twin.receipt()
    # The press comes ten seconds after the badge, and a receipt and a heartbeat between the two.
    twin.wait(30)
    badge = twin.now
    twin.wait(9)
    twin.receipt()
    twin.beat()
    twin.wait(1)
    twin.tap("out", at=badge)
    twin.receipt()
    twin.write("refused", reason="random_uid")
    twin.write("from_the_future", anything={"that": "it says"})
    twin.write("tap", direction="sideways")
    outage = {"outage": examples.OUTAGE, "cause": "isp_upstream", "affected": "submit"}
    twin.wait(20).write("outage_begin", **outage, probes={"router": "ok"})
    twin.wait(30).tap("in")
    twin.wait(30).beat()
    twin.write("outage_update", **{**outage, "cause": "dns_isp"}, probes={"router": "ok"})
    twin.wait(30).write(
        "outage_end", **outage, probes={"router": "ok"}, well_since=rfc3339(twin.now)
    )
    twin.receipt()
    twin.write("annotation", outage=examples.OUTAGE, text="0" * 64)
    twin.write("maintenance_begin")
    twin.wait(10).write("maintenance_end")
    # Started without a time server: a clock of 1970, put right later.
    twin.write("shutdown")
    twin.boot, twin.synced, twin.off = (
        "7a0f2f9e-8d0b-4c59-9a51-3a6c5d0b1e77",
        False,
        -timedelta(20000),
    )
    twin.wait(20).write("boot", clean=True)
    twin.wait(5).tap("in")
    twin.beat()
    twin.receipt()
    before, twin.synced, twin.off = rfc3339(twin.now + twin.off), True, timedelta()
    twin.write("clock_step", **{"from": before, "to": rfc3339(twin.now)})
    twin.minutes(2)
    ranges = [{"origin": twin.log.origin, "first": 0, "last": 9}]
    twin.write("deletion", ranges=ranges, why="retention")
    twin.minutes(1)
    _changes(twin)
    return twin


def _changes(twin: Twin) -> None:
    """Three changes of segment: planned, damaged, rolled back; and another binding."""
    twin.begin("yearly")
    twin.wait(60).beat()
    twin.receipt()
    twin.minutes(2)
    # Taps that no receipt covers; then the store is damaged, and one entry of it is lost.
    twin.wait(10).tap("in")
    twin.tap("out")
    twin.wait(20).beat()
    broken = twin.log
    twin.begin("damaged")
    twin.carry(broken, broken.kept[-1].size + 1)
    lost = {"origin": broken.origin, "first": broken.kept[-1].size, "last": broken.kept[-1].size}
    twin.write("deletion", ranges=[lost], why="unreadable")
    twin.receipt()
    # The card is put back to what it was two minutes ago; what it writes then is another tree.
    twin.minutes(3)
    whole = twin.log
    older = TwinLog(whole.signer)
    for row in whole.rows(0, whole.size - 4):
        older.append(row.leaf, row.payload)
    older.kept = [note for note in whole.kept if note.size <= older.size]
    twin.log = older
    twin.wait(10).tap("out")
    forked = ending(older) | {"note": note_digest(whole.kept[-1].note)}
    twin.begin("rolled_back", forked)
    twin.carry(older, older.kept[-1].size)
    twin.receipt()
    twin.wait(1800)
    twin.bind(binding.digest(SECOND_BINDING), "1Y1000003EQCZ")
    twin.minutes(3)
