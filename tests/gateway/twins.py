"""Twins of the gateway's neighbours: a terminal that journals, people, and an ONSS that answers.

The terminal signs and seals for real; only keys come from labels. Nobody in here exists.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ciao import binding, entries, names, notes, opening, sealing, wire
from ciao.certificate import certify
from ciao.checkpoint import Checkpoint
from ciao.entries import Carried, Entry
from ciao.link import Message
from ciao.notes import COSIGNATURE_V1, Signer
from ciao.reading import ClockQuality, Reading
from ciao.registration import EnterpriseNumber
from ciao.tree import Frontier, leaf_hash
from gateway.onss.answers import Answer, NoAnswer, Outcome, Silence
from provisioning.registry.records import Resolution, Terminal

DOMAIN = "badges.example.be"
GATEWAY = "north"
EMPLOYER = "shiny"
COMPANY = "0123456749"
DECLARATION = "1Y1000NF9KCQZ"
ZONE = timezone(timedelta(hours=1))
START = datetime(2026, 3, 2, 6, 0, tzinfo=ZONE)
TERMINAL_BOOT = "6a0f2f9e-8d0b-4c59-9a51-3a6c5d0b1e77"
# Made up; valid by their check digits only.
ANN, BEN = "00000000196", "00000000295"
UID_ANN, UID_BEN = b"\x04\xa1\xb2\xc3\xd4\xe5\x80", b"\x04\x11\x22\x33\x44\x55\x66"
UID_NEW = b"\x04abcdef"


def secret(label: str) -> bytes:
    return hashlib.sha256(f"ciao gateway test {label}".encode()).digest()


def signer(name: str) -> Signer:
    return Signer(name, Ed25519PrivateKey.from_private_bytes(secret(name)))


COSIGNER = signer(names.cosigner_name(DOMAIN, GATEWAY))
HPKE = X25519PrivateKey.from_private_bytes(secret("hpke"))
HPKE_PUBLIC = HPKE.public_key().public_bytes_raw()
KEY_ID = sealing.key_id(HPKE_PUBLIC)
OPENERS = {KEY_ID: partial(sealing.unseal, HPKE)}


def bound(terminal: str, **changes: Any) -> binding.Binding:
    """A binding of a terminal, unsigned."""
    values: dict[str, Any] = {
        "v": 1,
        "serial": 1772323200,
        "employer": EMPLOYER,
        "terminal": terminal,
        "enrolled": str(enrolled(terminal).verifier()),
        "site": binding.Site("Hall", binding.SiteAddress("1000", "Bruxelles", "Rue X", "3")),
        "declaration": binding.Declaration(DECLARATION),
        "effective_from": "2026-03-01T00:00:00.000+01:00",
        "mode": "buttons",
        "languages": ["fr"],
        "gateways": [
            binding.GatewayKeys(
                GATEWAY,
                base64.b64encode(HPKE_PUBLIC).decode(),
                str(COSIGNER.verifier(COSIGNATURE_V1)),
            )
        ],
        "lateness": binding.Lateness(),
        "time_zone": "Europe/Brussels",
    }
    return binding.Binding(**{**values, **changes})


def enrolled(terminal: str) -> Signer:
    return signer(names.enrolled_key_name(DOMAIN, terminal))


@dataclass
class Badge:
    """Whose a badge is, from when on."""

    worker: str
    ssin: str
    since: datetime = START - timedelta(days=30)
    revoked: bool = False
    employer: str = EMPLOYER
    company: str = COMPANY


@dataclass
class TwinPeople:
    """A registry in memory (`gateway.people.People`)."""

    known: dict[str, Terminal] = field(default_factory=dict)
    badges: dict[bytes, Badge] = field(default_factory=dict)
    bundles: dict[str, binding.Binding] = field(default_factory=dict)
    number: int = 1

    def add_terminal(self, terminal: str) -> None:
        key = enrolled(terminal).verifier()
        self.known[terminal] = Terminal(terminal, EMPLOYER, key, secret(terminal))
        self.bind(bound(terminal))

    def site_of(self, terminal: str) -> str:
        return "hall"

    def bind(self, bundle: binding.Binding) -> str:
        digest = binding.digest(binding.sign(bundle, signer("provisioning")))
        self.bundles[digest] = bundle
        return digest

    def enrol(self, uid: bytes, badge: Badge) -> None:
        self.badges[self.badge_hmac(uid)] = badge
        self.number += 1

    def version(self) -> int:
        return self.number

    def badge_hmac(self, uid: bytes) -> bytes:
        return hashlib.sha256(secret("people") + uid).digest()

    def resolve(self, badge_hmac: bytes, at: datetime) -> Resolution | None:
        badge = self.badges.get(badge_hmac)
        if badge is None or at < badge.since:
            return None
        return Resolution(
            badge.worker,
            badge.ssin,
            EnterpriseNumber(badge.company),
            badge.employer,
            "e1",
            "b1",
            "uid",
            badge.revoked,
        )

    def terminal(self, terminal: str) -> Terminal | None:
        return self.known.get(terminal)

    def terminals(self) -> Sequence[Terminal]:
        return list(self.known.values())

    def binding(self, sha256: str) -> binding.Binding | None:
        return self.bundles.get(sha256)

    def binding_message(self, terminal: str, at: datetime) -> bytes | None:
        return f"bindings {terminal} {self.number}".encode()

    def sealed_roster(self, terminal: str) -> bytes | None:
        return f"roster {terminal} {self.number}".encode()


@dataclass(frozen=True)
class Papers:
    """What provisioning gave a terminal: its enrolled key, the gateway's key, its binding."""

    enrolled: Signer
    gateway: bytes
    binding: str
    declaration: str = DECLARATION
    start: datetime = START


class Journal:
    """A terminal's segment, growing in memory; `batch` cuts any part of it."""

    def __init__(
        self,
        terminal: str,
        segment: str = "5e9a0c0ffee0c1a0",
        label: str = "",
        papers: Papers | None = None,
    ) -> None:
        bundle = binding.digest(binding.sign(bound(terminal), signer("provisioning")))
        self.papers = papers or Papers(enrolled(terminal), HPKE_PUBLIC, bundle)
        self.terminal = terminal
        self.origin = str(names.Origin(DOMAIN, terminal, segment))
        self.signer = Signer(
            self.origin, Ed25519PrivateKey.from_private_bytes(secret(self.origin + label))
        )
        self.certificate = certify(self.papers.enrolled, self.signer.verifier())
        self.leaves: list[bytes] = []
        self.payloads: dict[int, bytes | None] = {}
        self.edges = [Frontier()]

    @property
    def size(self) -> int:
        return len(self.leaves)

    def add_leaf(self, leaf: bytes, payload: bytes | None = None) -> int:
        """Append bytes, whatever they are; return their sequence number."""
        edge, _ = self.edges[-1].append(leaf_hash(leaf))
        self.edges.append(edge)
        self.leaves.append(leaf)
        if payload is not None:
            self.payloads[self.size - 1] = payload
        return self.size - 1

    def add(self, entry: Entry, payload: bytes | None = None) -> int:
        return self.add_leaf(entries.encode(entry), payload)

    def common(
        self, second: float, synced: bool = True, wrong_s: float = 0, boot: str = TERMINAL_BOOT
    ) -> dict[str, Any]:
        """The fields of an entry at `second`, whose clock is wrong by so much."""
        up_ms = round(second * 1000)
        clock = ClockQuality("ntp" if synced else "none", synced)
        at = self.papers.start + timedelta(milliseconds=up_ms, seconds=wrong_s)
        return entries.common(Reading(at, boot, up_ms, clock), self.size)

    def segment(self, second: float = 0, **changes: Any) -> int:
        return self.add(
            entries.Segment(**{**self.common(second), "why": "new", "firmware": "1", **changes})
        )

    def clock_step(
        self, second: float, wrong_s: float, synced: bool = True, boot: str = TERMINAL_BOOT
    ) -> int:
        """The clock, wrong by so much until now, is set right."""
        common = self.common(second, synced, boot=boot)
        wrong = self.common(second, synced, wrong_s)["at"]
        return self.add(entries.ClockStep(**common, before=wrong, after=common["at"]))

    def heartbeat(self, second: float = 0) -> int:
        return self.add(entries.Heartbeat(**self.common(second), works={"reader": True}))

    def refuse(self, second: float = 0) -> int:
        return self.add(entries.Refused(**self.common(second), reason="random_uid"))

    def tap(
        self,
        uid: bytes,
        second: float,
        direction: str = "in",
        *,
        synced: bool = True,
        wrong_s: float = 0,
        carried: Carried | None = None,
        **changes: Any,
    ) -> int:
        """Stamp: the payload sealed to the gateway, for its first place."""
        first = carried or Carried(self.origin, self.size)
        salt = secret(f"{first.origin} {first.seq}")[:16].hex()
        plaintext = opening.encode(opening.Opening(salt, uid.hex()))
        info = sealing.payload_info(first.origin, first.seq)
        sealed = sealing.seal(self.papers.gateway, plaintext, info)
        values: dict[str, Any] = {
            **self.common(second, synced, wrong_s),
            "direction": direction,
            "chosen": "button",
            "declaration": self.papers.declaration,
            "binding": self.papers.binding,
            "tier": "uid",
            "key": sealing.key_id(self.papers.gateway),
            "payload": hashlib.sha256(sealed).hexdigest(),
            "opening": opening.commitment(plaintext),
            "carried": carried,
        }
        return self.add(entries.Tap(**{**values, **changes}), sealed)

    def carry(self, other: Journal, seq: int, **changes: Any) -> int:
        """Take over an entry of an earlier segment, with its payload and its times."""
        entry = entries.decode(other.leaves[seq])
        assert isinstance(entry, entries.Tap)
        fields = {name: getattr(entry, name) for name in entry.__struct_fields__}
        first = entry.carried or Carried(other.origin, seq)
        fields |= {"seq": self.size, "carried": first, **changes}
        return self.add(entries.Tap(**fields), other.payloads[seq])

    def checkpoint(self, size: int) -> str:
        root = self.edges[size].root()
        return self.signer.sign(Checkpoint(self.origin, size, root).text()).encode()

    def batch(self, start: int = 0, end: int | None = None, **changes: Any) -> wire.Batch:
        end = self.size if end is None else end
        values: dict[str, Any] = {
            "origin": self.origin,
            "start": start,
            "leaves": [leaf.decode("utf-8", "surrogateescape") for leaf in self.leaves[start:end]],
            "payloads": {
                str(seq): wire.encode_payload(sealed) if sealed else ""
                for seq, sealed in self.payloads.items()
                if start <= seq < end
            },
            "checkpoint": self.checkpoint(end),
            "notes": [],
            "certificate": self.certificate,
        }
        return wire.Batch(**{**values, **changes})

    def message(self, start: int = 0, end: int | None = None, **changes: Any) -> Message:
        batch = self.batch(start, end, **changes)
        return Message(names.topic(self.terminal, "journal"), wire.encode(batch))

    def receipted_by(self, size: int, cosigner: Signer = COSIGNER) -> bytes:
        """A receipt as the gateway would have published it."""
        cosigned = cosigner.cosign(notes.parse(self.checkpoint(size)), 1772427732).encode()
        return wire.encode(wire.Receipt(cosigned, self.certificate))


def uuids(label: str = "") -> Any:
    """A source of UUIDs that is the same each time."""
    counter = itertools.count()

    def new() -> str:
        digest = secret(f"uuid {label} {next(counter)}").hex()
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"

    return new


TRACE = "0c7e7a3e-5b0f-4f7e-9d57-5d1c5a4e9b10"


def answer(status: int, body: Mapping[str, Any] | bytes = b"", **headers: str) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    kept = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, kept, raw, TRACE)


def problem(status: int, kind: str, **more: Any) -> Answer:
    return answer(status, {"type": f"urn:problem-type:belgif:{kind}", "status": status, **more})


def created(*ids: int, validity: str = "pending", remarks: Sequence[Any] = ()) -> Answer:
    rows = [{"id": one, "validity": validity, "remarks": list(remarks)} for one in ids]
    return answer(200, {"items": [{"createdPresenceRegistration": row} for row in rows]})


def silence(reason: Silence, sent: bool) -> NoAnswer:
    return NoAnswer(reason, sent, TRACE)


@dataclass
class TwinOnss:
    """An ONSS that keeps what is registered, and answers as it is told to, call by call.

    `script` holds, for the next calls: None (as it should be), "lost" (stored, no answer), or
    an outcome to give without storing.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    script: list[Outcome | str | None] = field(default_factory=list)
    calls: int = 0

    def register(self, items: Sequence[Mapping[str, Any]]) -> Outcome:
        self.calls += 1
        told = self.script.pop(0) if self.script else None
        if told is not None and not isinstance(told, str):
            return told
        first = len(self.rows) + 1
        self.rows += [{"id": first + n, **one} for n, one in enumerate(items)]
        if told == "lost":
            return silence(Silence.TIMEOUT, True)
        return created(*range(first, len(self.rows) + 1))

    def search(self, query: Mapping[str, str]) -> Outcome:
        found = [
            {"validity": "pending", "remarks": [], **row}
            for row in self.rows
            if row["ssin"] == query["ssin"]
            and row["type"] == query["type"]
            and query["registrationDateFrom"] <= row["registrationDate"]
            and row["registrationDate"] <= query["registrationDateTo"]
        ]
        return answer(200, {"items": found, "total": len(found)})


def at(second: float, boot: str = "gateway-boot") -> Reading:
    """The gateway's clocks, so many seconds after START."""
    moment = START + timedelta(seconds=second)
    return Reading(moment, boot, 1_000_000 + round(second * 1000), ClockQuality("ntp", True))


def differently(journal: Journal, batch: wire.Batch, **changes: Any) -> Message:
    """The message of a batch with some fields replaced."""
    fields = {name: getattr(batch, name) for name in batch.__struct_fields__}
    return Message(
        names.topic(journal.terminal, "journal"), wire.encode(wire.Batch(**{**fields, **changes}))
    )
