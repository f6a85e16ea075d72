"""From the keys that the inspector brought to a log's own key. Pure.

policy → provisioning keys (and those they name as successors) → bindings → a terminal's enrolled
keys → the certificate of each of its logs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ciao import binding
from ciao.binding import BindingRefused, Signed
from ciao.certificate import certified_key
from ciao.names import GATEWAY_PREFIX, Origin
from ciao.notes import NoteBroken, VerifierKey
from ciao.verifier.findings import Findings, at


@dataclass(slots=True)
class Trust:
    """The bindings that hold, by the hash that stamps name them by, and the keys they name."""

    bindings: dict[str, Signed] = field(default_factory=dict)
    enrolled: dict[str, list[VerifierKey]] = field(default_factory=lambda: defaultdict(list))

    def log_key(self, origin: str, certificate: str) -> VerifierKey | None:
        """Return a log's key as certified by its terminal; None where nobody trusted did."""
        try:
            owner = Origin.parse(origin).owner
        except ValueError:
            return None
        for enrolled in self.enrolled[owner]:
            try:
                key = certified_key(certificate, enrolled)
            except NoteBroken:
                continue
            if key.name == origin:
                return key
        return None


def _add_gateways(found: Trust, opened: Signed) -> None:
    """A gateway certifies the segments of its own journal by the key that it cosigns with."""
    for gateway in opened.binding.gateways:
        cosigner = VerifierKey.parse(gateway.cosigner)
        certifies = VerifierKey(cosigner.name, cosigner.public)
        known = found.enrolled[GATEWAY_PREFIX + gateway.id]
        if certifies not in known:
            known.append(certifies)


def trust(
    roots: Sequence[VerifierKey],
    succession: Sequence[str],
    signed: Iterable[tuple[str, str]],
    findings: Findings,
) -> Trust:
    """Open the bundle's bindings, each (file name, note), by the keys that are trusted."""
    keys = [key for root in roots for key in binding.trusted_keys(root, succession)]
    found = Trust()
    for name, note in signed:
        try:
            opened = binding.open_signed(note, keys)
        except BindingRefused as error:
            signature = error.reason == "signature"
            code = "binding_signature" if signature else "binding_form"
            findings.fail(code, at("file", file=name))
            continue
        if name != f"{opened.sha256}.note":
            findings.fail("binding_form", at("file", file=name))
            continue
        found.bindings[opened.sha256] = opened
        enrolled = opened.binding.enrolled_key()
        if enrolled not in found.enrolled[opened.binding.terminal]:
            found.enrolled[opened.binding.terminal].append(enrolled)
        _add_gateways(found, opened)
    return found
