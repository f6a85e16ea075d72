"""The readers of what terminal, gateway and office tell one another."""

from __future__ import annotations

from functools import partial
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from ciao import binding, canonical, code, entries, notes, opening, roster, sealing, wire
from ciao import enrolment as enrolling
from ciao.certificate import certified_key
from ciao.checkpoint import Checkpoint
from ciao.entries import LEAF_SIZE_MAX, LeafBroken, NotUnderstood
from ciao.errors import BadInput
from ciao.names import Origin, split_topic
from ciao.notes import NoteBroken, VerifierKey
from ciao.reading import parse_rfc3339
from ciao.settings import parse as parse_settings
from gateway.config import Config
from provisioning import crl
from terminal.config import TerminalSettings
from terminal.enrolment import trust
from terminal.enrolment.folder import signing_request
from tests.ciao import examples
from tests.security.readers.reader import Reader, text


def message(kind: Any, good: Any) -> Reader:
    return Reader(lambda raw: wire.decode(kind, raw), (wire.WireBroken,), wire.encode(good))


def request(kind: Any, good: bytes) -> Reader:
    return Reader(lambda raw: enrolling.decode(kind, raw), (enrolling.EnrolmentBroken,), good)


def key() -> Any:
    return ec.derive_private_key(7, ec.SECP256R1())


NOTE = examples.COSIGNED_CHECKPOINT
CHAIN = partial(trust.check_chain, authority=b"", terminal="hall-3", key=key().public_key())
TRUSTED = [examples.PROVISIONING.verifier()]
TOML = b'terminal = "a"\ndomain = "b.be"\nprovisioning_key = "k"\n[keys]\nenrolled = "e"\n'

READERS: dict[str, Reader] = {
    "batch": message(wire.Batch, examples.BATCH),
    "receipt": message(wire.Receipt, examples.RECEIPT),
    "hint": message(wire.Hint, examples.RESEND),
    "outcomes": message(wire.Outcomes, examples.OUTCOMES),
    "online": message(wire.Online, examples.ONLINE),
    "gateway online": message(wire.GatewayOnline, examples.GATEWAY_ONLINE),
    "payload in a batch": Reader(text(wire.decode_payload), (wire.WireBroken,), b"AAAA"),
    "canonical JSON": Reader(
        lambda raw: canonical.decode(raw, LEAF_SIZE_MAX), (ValueError,), examples.LEAVES[2]
    ),
    "entry": Reader(entries.decode, (LeafBroken, NotUnderstood), examples.LEAVES[2]),
    "note": Reader(text(notes.parse), (NoteBroken,), NOTE.encode()),
    "checkpoint": Reader(
        text(Checkpoint.parse), (ValueError,), NOTE.partition("\n\n")[0].encode() + b"\n"
    ),
    "verifier key": Reader(text(VerifierKey.parse), (NoteBroken,), str(TRUSTED[0]).encode()),
    "segment certificate": Reader(
        text(lambda one: certified_key(one, examples.ENROLLED.verifier())),
        (NoteBroken,),
        examples.CERTIFICATE.encode(),
    ),
    "bundle": Reader(
        text(lambda one: binding.open_signed(one, TRUSTED)),
        (binding.BindingRefused,),
        examples.BINDING_NOTE.encode(),
    ),
    "binding message": Reader(
        lambda raw: binding.open_message(raw, TRUSTED[0], "hall-3", 0),
        (binding.BindingRefused,),
        wire.encode(examples.BINDINGS),
    ),
    "succession": Reader(
        text(lambda one: binding.trusted_keys(TRUSTED[0], [one])), (), examples.SUCCESSION.encode()
    ),
    "opening": Reader(opening.decode, (ValueError,), examples.OPENED),
    "sealed payload": Reader(
        lambda raw: sealing.unseal(examples.GATEWAY_HPKE, raw, b"info"),
        (sealing.SealBroken,),
        examples.SEALED,
    ),
    "roster": Reader(
        lambda raw: roster.open_roster(raw, examples.GATEWAY_HPKE, TRUSTED, "hall-3", 0),
        (binding.BindingRefused,),
        examples.SEALED_ROSTER,
    ),
    "origin": Reader(text(Origin.parse), (ValueError,), examples.ORIGIN.encode()),
    "topic": Reader(text(split_topic), (ValueError,), b"ciao/1/hall-3/journal"),
    "time": Reader(text(parse_rfc3339), (ValueError,), b"2026-03-02T06:02:11.480+01:00"),
    "enrolment code": Reader(
        text(code.parse), (BadInput,), str(code.Code(b"s" * 10, code.fingerprint(b"ca"))).encode()
    ),
    "enrolment request": request(enrolling.Enrol, b'{"bearer":"00","enrolled":"","seal":""}'),
    "renewal request": request(enrolling.Renew, b'{"terminal":"a","challenge":"b","csr":""}'),
    "enrolment answer": request(enrolling.Welcome, b'{"terminal":"a","readers":{"main":"/dev/x"}}'),
    "challenge": request(enrolling.Challenge, b'{"challenge":"1.00.ff","time":1}'),
    "refusal": request(enrolling.Refused, b'{"refused":"malformed"}'),
    "signing request": Reader(
        text(enrolling.requested_key),
        (enrolling.EnrolmentBroken,),
        signing_request(key(), "a").encode(),
    ),
    "certificate chain": Reader(text(CHAIN), (BadInput,), b"-----BEGIN CERTIFICATE-----\n"),
    "revocation list": Reader(crl.read, (BadInput,), b"-----BEGIN X509 CRL-----\n"),
    "terminal.toml": Reader(
        text(lambda one: parse_settings(TerminalSettings, one, "t")), (BadInput,), TOML
    ),
    "gateway.toml": Reader(text(lambda one: parse_settings(Config, one, "g")), (BadInput,), TOML),
}
