"""One small made-up world, always the same: keys, entries and messages for pages and tests.

Every key comes from a label, so every signature here can be computed again, byte for byte.
Nothing in it belongs to anybody. Never use these keys for anything.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta, timezone

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ciao import binding, canonical, certificate, entries, names, opening, roster, sealing, wire
from ciao.checkpoint import Checkpoint
from ciao.entries import Carried, Entry, Previous, SeqRange
from ciao.notes import COSIGNATURE_V1, Signer, parse
from ciao.reading import ClockQuality, Reading
from ciao.tree import Frontier, leaf_hash
from tests.ciao import hpke9180

DOMAIN = "badges.example.be"
TERMINAL = "hall-3"
GATEWAY = "north"
EMPLOYER = "shiny"
ORIGIN = str(names.Origin(DOMAIN, TERMINAL, "5e9a0c0ffee0c1a0"))
EARLIER_ORIGIN = str(names.Origin(DOMAIN, TERMINAL, "0123456789abcdef"))
DECLARATION = "1Y1000NF9KCQZ"
UID = bytes.fromhex("04a1b2c3d4e580")
BOOT = "6a0f2f9e-8d0b-4c59-9a51-3a6c5d0b1e77"
OUTAGE = "9d3c1f6e-2b40-4f0c-8f0e-5b7a1c2d3e4f"
BRUSSELS_WINTER = timezone(timedelta(hours=1))
COSIGNED_AT_S = 1772427732


def secret(label: str) -> bytes:
    """32 bytes that follow from a label."""
    return hashlib.sha256(f"ciao example {label}".encode()).digest()


def signer(name: str) -> Signer:
    return Signer(name, Ed25519PrivateKey.from_private_bytes(secret(name)))


ENROLLED = signer(names.enrolled_key_name(DOMAIN, TERMINAL))
SEGMENT = signer(ORIGIN)
COSIGNER = signer(names.cosigner_name(DOMAIN, GATEWAY))
PROVISIONING = signer(names.provisioning_key_name(DOMAIN, EMPLOYER))
NEXT_PROVISIONING = Signer(
    PROVISIONING.name, Ed25519PrivateKey.from_private_bytes(secret("the next provisioning key"))
)
GATEWAY_HPKE = X25519PrivateKey.from_private_bytes(secret("gateway hpke"))
TERMINAL_HPKE = X25519PrivateKey.from_private_bytes(secret("terminal hpke"))
GATEWAY_HPKE_PUBLIC = GATEWAY_HPKE.public_key().public_bytes_raw()
TERMINAL_HPKE_PUBLIC = TERMINAL_HPKE.public_key().public_bytes_raw()


def reading(second: int, millisecond: int = 0) -> Reading:
    """A moment on the morning of 2026-03-02, so many seconds after 06:02."""
    at = datetime(2026, 3, 2, 6, 2, tzinfo=BRUSSELS_WINTER) + timedelta(
        seconds=second, milliseconds=millisecond
    )
    return Reading(at, BOOT, 88_000 + 1000 * second + millisecond, ClockQuality("ntp", True, 3))


def seal(public: bytes, plaintext: bytes, info: bytes) -> bytes:
    """Seal with an ephemeral key that follows from what is sealed: for examples only."""
    return hpke9180.seal(public, hashlib.sha256(info + plaintext).digest(), info, b"", plaintext)


OPENING = opening.Opening(salt=secret("salt")[:16].hex(), uid=UID.hex())
OPENED = opening.encode(OPENING)
TAP_SEQ = 2
SEALED = seal(GATEWAY_HPKE_PUBLIC, OPENED, sealing.payload_info(ORIGIN, TAP_SEQ))

SITE = binding.Site(
    name="Hall 3",
    address=binding.SiteAddress("1000", "Bruxelles", "Rue de l'Exemple", "3"),
)
BINDING = binding.Binding(
    v=1,
    serial=1772323200,
    employer=EMPLOYER,
    terminal=TERMINAL,
    enrolled=str(ENROLLED.verifier()),
    site=SITE,
    declaration=binding.Declaration(DECLARATION, "2026-03-01", "2026-12-31"),
    effective_from="2026-03-01T00:00:00.000+01:00",
    mode="buttons",
    languages=["fr", "nl"],
    gateways=[
        binding.GatewayKeys(
            GATEWAY,
            base64.b64encode(GATEWAY_HPKE_PUBLIC).decode(),
            str(COSIGNER.verifier(COSIGNATURE_V1)),
        )
    ],
    lateness=binding.Lateness(),
    time_zone="Europe/Brussels",
)
BINDING_NOTE = binding.sign(BINDING, PROVISIONING)
BINDING_SHA256 = binding.digest(BINDING_NOTE)
SUCCESSION = binding.succeed(PROVISIONING, NEXT_PROVISIONING.verifier())
BINDINGS = binding.Bindings([BINDING_NOTE], [SUCCESSION])

CERTIFICATE = certificate.certify(ENROLLED, SEGMENT.verifier())


def hashed(label: str) -> str:
    """A SHA-256 in hex where the thing hashed does not matter."""
    return secret(label).hex()


def tap(seq: int = TAP_SEQ) -> entries.Tap:
    return entries.Tap(
        **entries.common(reading(11, 480), seq),
        direction="in",
        chosen="button",
        declaration=DECLARATION,
        binding=BINDING_SHA256,
        tier="uid",
        key=sealing.key_id(GATEWAY_HPKE_PUBLIC),
        payload=hashlib.sha256(SEALED).hexdigest(),
        opening=opening.commitment(OPENED),
    )


def one_of_each_kind() -> list[Entry]:
    """A (made-up) journal that holds every kind of entry once, in the order of its numbers."""

    def common(seq: int) -> dict[str, object]:
        return entries.common(reading(seq * 5), seq)

    probes = {"anchor-1": "timeout", "anchor-2": "timeout", "router": "ok"}
    outage = {"outage": OUTAGE, "cause": "isp_upstream", "affected": "submit", "probes": probes}
    previous = Previous(EARLIER_ORIGIN, 120_481, hashed("root"), hashed("note"))
    works = {"reader": True, "panel": True, "disk": True, "link": True, "broker": True}
    # The keyword arguments are checked where the leaf is decoded again.
    made: list[Entry] = [
        entries.Segment(**common(0), why="yearly", firmware="0.1.0", previous=previous),  # type: ignore[arg-type]
        entries.BindingChanged(**common(1), serial=BINDING.serial, binding=BINDING_SHA256),  # type: ignore[arg-type]
        tap(2),
        entries.Refused(**common(3), reason="random_uid", **badge()),  # type: ignore[arg-type]
        entries.Heartbeat(
            **common(4),  # type: ignore[arg-type]
            works={**works, "gateway": True},  # type: ignore[dict-item]
            note=hashed("cosigned note"),
            refused={"malformed": 1},
        ),
        entries.OutageBegin(**common(5), **outage),  # type: ignore[arg-type]
        entries.OutageUpdate(**common(6), **{**outage, "cause": "dns_isp"}),  # type: ignore[arg-type]
        entries.OutageEnd(
            **common(7),  # type: ignore[arg-type]
            **outage,  # type: ignore[arg-type]
            well_since="2026-03-02T06:02:31.000+01:00",
        ),
        entries.Annotation(
            **common(8),  # type: ignore[arg-type]
            outage=OUTAGE,
            document=hashed("letter"),
            text=hashed("text"),
        ),
        entries.ClockStep(
            **common(9),  # type: ignore[arg-type]
            before="2026-03-02T06:02:45.000+01:00",
            after="2026-03-02T06:02:46.250+01:00",
        ),
        entries.MaintenanceBegin(**common(10)),  # type: ignore[arg-type]
        entries.MaintenanceEnd(**common(11)),  # type: ignore[arg-type]
        entries.Deletion(
            **common(12),  # type: ignore[arg-type]
            ranges=[SeqRange(EARLIER_ORIGIN, 0, 90_000)],
            why="retention",
        ),
        entries.Shutdown(**common(13)),  # type: ignore[arg-type]
        entries.Boot(**common(14), clean=True, carried=Carried(EARLIER_ORIGIN, 120_480)),  # type: ignore[arg-type]
        entries.Timestamp(**common(15), document=hashed("list")),  # type: ignore[arg-type]
        entries.TimestampFailed(**common(16), why="the authority answered 503"),  # type: ignore[arg-type]
    ]
    return made


def badge() -> dict[str, object]:
    """The three fields of an entry that holds what a badge said."""
    taken = tap()
    return {"key": taken.key, "payload": taken.payload, "opening": taken.opening}


LEAVES = [entries.encode(entry) for entry in one_of_each_kind()[:3]]


def root_of(leaves: list[bytes]) -> bytes:
    edge = Frontier()
    for leaf in leaves:
        edge, _ = edge.append(leaf_hash(leaf))
    return edge.root()


CHECKPOINT = Checkpoint(ORIGIN, len(LEAVES), root_of(LEAVES))
SIGNED_CHECKPOINT = SEGMENT.sign(CHECKPOINT.text()).encode()
COSIGNED_CHECKPOINT = COSIGNER.cosign(parse(SIGNED_CHECKPOINT), COSIGNED_AT_S).encode()

BATCH = wire.Batch(
    origin=ORIGIN,
    start=2,
    leaves=[LEAVES[2].decode()],
    payloads={"2": wire.encode_payload(SEALED)},
    checkpoint=SIGNED_CHECKPOINT,
    notes=[],
    certificate=CERTIFICATE,
)
RECEIPT = wire.Receipt(COSIGNED_CHECKPOINT, CERTIFICATE)
RESEND = wire.Hint(resend_from=wire.ResendFrom(ORIGIN, 2))
REFUSED = wire.Hint(
    refused=wire.Refusal("signature", hashlib.sha256(SIGNED_CHECKPOINT.encode()).hexdigest())
)
OUTCOMES = wire.Outcomes(
    [wire.Outcome(ORIGIN, 2, "accepted"), wire.Outcome(ORIGIN, 3, "held", "late")]
)
ONLINE = wire.Online(True, "2026-03-02T06:02:00.000+01:00", 3, 1, "0.1.0")
GATEWAY_ONLINE = wire.GatewayOnline(True, "2026-03-02T05:00:00.000+01:00")

ROSTER_KEY = secret("roster")
ROSTER = roster.Roster(
    v=1,
    serial=BINDING.serial,
    terminal=TERMINAL,
    key=base64.b64encode(ROSTER_KEY).decode(),
    badges={
        roster.badge_hash(ROSTER_KEY, UID): roster.Holder("A. B.", "fr"),
        roster.badge_hash(ROSTER_KEY, bytes.fromhex("04000000000001")): roster.Holder(
            "C. D.", "nl", True
        ),
    },
)
ROSTER_NOTE = PROVISIONING.sign(canonical.encode(ROSTER).decode() + "\n").encode()
SEALED_ROSTER = roster.seal_roster(ROSTER, PROVISIONING, TERMINAL_HPKE_PUBLIC, seal)
