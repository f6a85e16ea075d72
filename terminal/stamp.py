"""From a decision to an entry and its sealed payload. Pure: sealing and salt come in."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

from ciao import entries, opening
from ciao.binding import Signed
from ciao.keys import RandomBytes
from ciao.sealing import Sealer, key_id, payload_info
from hardware.events import CardRead
from terminal.direction import Refuse, Stamp


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry will stand."""

    origin: str
    seq: int


@dataclass(frozen=True, slots=True)
class Sealing:
    """What sealing needs from outside: HPKE, or its seeded twin, and salt."""

    seal: Sealer
    random_bytes: RandomBytes


@dataclass(frozen=True, slots=True)
class _Sealed:
    payload: bytes
    fields: dict[str, Any]


def tap(stamp: Stamp, place: Place, bound: Signed, sealing: Sealing) -> tuple[entries.Tap, bytes]:
    """Write a stamp: the entry, and the payload that only the gateway can open."""
    sealed = _seal(stamp.card, place, bound, sealing)
    entry = entries.Tap(
        **entries.common(stamp.card.reading, place.seq),
        **sealed.fields,
        direction=stamp.direction.value,
        chosen=stamp.chosen,
        declaration=bound.binding.declaration.number,
        binding=bound.sha256,
        tier=stamp.card.tier,
    )
    return entry, sealed.payload


def refusal(
    refuse: Refuse, place: Place, bound: Signed | None, sealing: Sealing
) -> tuple[entries.Refused, bytes | None]:
    """Write a refusal; without a binding there is no key to seal to, and no payload."""
    common = entries.common(refuse.reading, place.seq)
    if refuse.card is None or bound is None:
        return entries.Refused(**common, reason=refuse.reason), None
    sealed = _seal(refuse.card, place, bound, sealing)
    return entries.Refused(**common, **sealed.fields, reason=refuse.reason), sealed.payload


def _seal(card: CardRead, place: Place, bound: Signed, sealing: Sealing) -> _Sealed:
    said = opening.Opening(
        salt=sealing.random_bytes(opening.SALT_SIZE).hex(),
        uid=card.uid.hex(),
        picc=card.picc,
        cmac=card.cmac,
    )
    plaintext = opening.encode(said)
    public = base64.b64decode(bound.binding.gateways[0].hpke)
    payload = sealing.seal(public, plaintext, payload_info(place.origin, place.seq))
    fields = {
        "key": key_id(public),
        "payload": hashlib.sha256(payload).hexdigest(),
        "opening": opening.commitment(plaintext),
    }
    return _Sealed(payload, fields)
