"""The worked examples in docs/protocol, made by the code; `python -m tests.ciao.pages` writes them.

A page marks a place `<!-- example: name -->`; the fenced block after it is ours.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import msgspec

from ciao import canonical, entries, sealing, wire
from ciao import code as codes
from ciao import enrolment as messages
from ciao.names import Origin
from ciao.notes import COSIGNATURE_V1
from ciao.registration import State, step
from ciao.tree import leaf_hash
from tests.ciao import examples, journals

PAGES = Path(__file__).parents[2] / "docs" / "protocol"
_PLACE = re.compile(r"<!-- example: (?P<name>[a-z-]+) -->\n(\n?```\n.*?\n```\n)?", re.DOTALL)


def _labelled(*lines: tuple[str, str]) -> str:
    """Lay out labels and values, each on its own line."""
    width = max(len(label) for label, _ in lines)
    return "\n".join(f"{label:<{width}}  {value}" for label, value in lines)


def verifier_keys() -> str:
    return _labelled(
        ("provisioning", str(examples.PROVISIONING.verifier())),
        ("enrolled", str(examples.ENROLLED.verifier())),
        ("log", str(examples.SEGMENT.verifier())),
        ("cosigner", str(examples.COSIGNER.verifier(COSIGNATURE_V1))),
        ("HPKE key id", sealing.key_id(examples.GATEWAY_HPKE_PUBLIC)),
    )


def tap() -> str:
    leaf = examples.LEAVES[2]
    return _labelled(
        ("leaf", leaf.decode()),
        ("leaf hash", leaf_hash(leaf).hex()),
        ("leaf hash 0", leaf_hash(examples.LEAVES[0]).hex()),
        ("leaf hash 1", leaf_hash(examples.LEAVES[1]).hex()),
        ("root of 3", examples.CHECKPOINT.root.hex()),
    )


def kinds() -> str:
    return "\n".join(entries.encode(entry).decode() for entry in examples.one_of_each_kind())


def payload() -> str:
    return _labelled(
        ("opening", examples.OPENED.decode()),
        ("its SHA-256", hashlib.sha256(examples.OPENED).hexdigest()),
        ("private key", examples.GATEWAY_HPKE.private_bytes_raw().hex()),
        ("public key", examples.GATEWAY_HPKE_PUBLIC.hex()),
        ("info", sealing.payload_info(examples.ORIGIN, examples.TAP_SEQ).decode()),
        ("sealed", examples.SEALED.hex()),
        ("its SHA-256", hashlib.sha256(examples.SEALED).hexdigest()),
    )


def _indented(message: msgspec.Struct) -> str:
    """A message as sent, spread over lines to be read."""
    return json.dumps(json.loads(wire.encode(message)), indent=1, ensure_ascii=False)


def roster() -> str:
    digest = hashlib.sha256(examples.SEALED_ROSTER).hexdigest()
    size = len(examples.SEALED_ROSTER)
    return f"{examples.ROSTER_NOTE}\nsealed: {size} bytes, SHA-256 {digest}"


def enrolment() -> str:
    code = codes.Code(examples.secret("a code")[:10], codes.fingerprint(b"a root certificate"))
    enrolled = b64encode(examples.ENROLLED.verifier().public).decode()
    tls = hashlib.sha256(b"a TLS key").hexdigest()
    enrol = messages.enrol_text(code.bearer, enrolled, examples.BINDING.gateways[0].hpke, tls)
    trust = messages.trust_text(
        examples.TERMINAL, examples.DOMAIN, str(examples.PROVISIONING.verifier())
    )
    return _labelled(
        ("code", str(code)),
        ("secret", code.secret.hex()),
        ("bearer", code.bearer),
        ("office key", code.office_key.hex()),
        ("enrol text", repr(enrol.decode())),
        ("its proof", messages.prove(code.office_key, enrol)),
        ("its signature", messages.sign(examples.ENROLLED.private, enrol)),
        ("trust text", repr(trust.decode())),
        ("its proof", messages.prove(code.office_key, trust)),
    )


def states() -> str:
    path = [
        State.RECORDED,
        State.SUBMITTED,
        State.UNKNOWN,
        State.RECORDED,
        State.SUBMITTED,
        State.ACCEPTED,
        State.VALID,
    ]
    for before, after in pairwise(path):
        step(before, after)
    return " → ".join(path)


def responsibility() -> str:
    """A line cut for four minutes, as terminal and gateway saw it, judged."""
    found = journals.told(journals.cut(5, 9), journals.silent(5, 9), witnessed=True)
    return "\n".join(
        f"{affected:<9} {span.begin:%H:%M} {span.minutes:>3} min  {span.of:<12}"
        f" {span.cause or '-':<13} grade {span.grade}"
        f"  {', '.join(_place(at) for at in span.rests_on)}"
        for affected, spans in (("register", found.register), ("submit", found.submit))
        for span in spans
    )


def _place(at: entries.SeqRange) -> str:
    return f"{Origin.parse(at.origin).owner} #{at.first}-{at.last}"


def policy() -> str:
    cosigner, employer = (
        examples.COSIGNER.verifier(COSIGNATURE_V1),
        examples.PROVISIONING.verifier(),
    )
    return f"witness north {cosigner}\nquorum north\nprovisioning {employer}"


EXAMPLES: dict[str, Callable[[], str]] = {
    "verifier-keys": verifier_keys,
    "tap": tap,
    "kinds": kinds,
    "payload": payload,
    "certificate": lambda: examples.CERTIFICATE.rstrip("\n"),
    "checkpoint": lambda: examples.COSIGNED_CHECKPOINT.rstrip("\n"),
    "batch": lambda: _indented(examples.BATCH),
    "receipt": lambda: _indented(examples.RECEIPT),
    "hint": lambda: f"{_indented(examples.RESEND)}\n{_indented(examples.REFUSED)}",
    "outcomes": lambda: _indented(examples.OUTCOMES),
    "online": lambda: f"{_indented(examples.ONLINE)}\n{_indented(examples.GATEWAY_ONLINE)}",
    "binding": lambda: (
        f"{examples.BINDING_NOTE.rstrip()}\n\nnamed by: {examples.BINDING_SHA256}\n"
        f"its JSON: {len(canonical.encode(examples.BINDING))} bytes"
    ),
    "bindings": lambda: f"{examples.SUCCESSION}\n{_indented(examples.BINDINGS)}",
    "roster": roster,
    "enrolment": enrolment,
    "states": states,
    "responsibility": responsibility,
    "policy": policy,
}


def names_in(page: str) -> list[str]:
    """The examples that a page asks for, in order."""
    return [found["name"] for found in _PLACE.finditer(page)]


def filled(page: str) -> str:
    """Return a page with all its examples made anew; KeyError for one that nobody makes."""

    def block(found: re.Match[str]) -> str:
        return f"{found[0].splitlines()[0]}\n\n```\n{EXAMPLES[found['name']]()}\n```\n"

    return _PLACE.sub(block, page)


def main() -> None:
    for path in sorted(PAGES.glob("*.md")):
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
