"""Whether the gateway has the keys that its terminals use, or used. Pure, by reads of the registry.

What is sealed to a key that is gone waits for a person for ever; what is cosigned by one that was
succeeded settles nothing. Both happen where an older gateway.toml is put back, or a file is lost.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Collection
from datetime import datetime, timedelta

from ciao.errors import BadInput
from ciao.moments import shown
from ciao.notes import VerifierKey
from ciao.sealing import key_id
from provisioning.registry import rolling
from provisioning.registry.registry import Registry


def check(registry: Registry, gateway: str, cosigner: VerifierKey) -> None:
    """Raise BadInput where the key to cosign with was succeeded: no terminal takes its receipts."""
    for one in rolling.ended(registry, gateway):
        if one.keys.cosigner == cosigner:
            raise BadInput(
                f"the keys in gateway.toml were succeeded on {shown(one.until)}: no terminal takes"
                " a receipt by them, and new stamps could not be opened",
                "put back the gateway.toml of after `ciao-provision gateway roll`",
            )


def missing(
    registry: Registry,
    gateway: str,
    held: Collection[str],
    payload_days: float,
    now: datetime,
) -> list[str]:
    """Say which HPKE keys (by their ids, `held` are there) payloads may be sealed to and are not.

    A retired one may go once the payloads of its time are deleted.
    """
    lines = []
    own = next((one for one in registry.gateways() if one.id == gateway), None)
    if own is not None and (key := _id(own.keys.hpke)) not in held:
        lines.append(
            f"The HPKE key {key} that taps are sealed to is not in gateway.toml: none can be"
            " opened. Put its file back."
        )
    for one in rolling.ended(registry, gateway):
        key, last = _id(one.keys.hpke), one.until + timedelta(days=payload_days)
        if key not in held and now < last:
            lines.append(
                f"The retired HPKE key {key} is not in gateway.toml: what was sealed to it until"
                f" {shown(one.until)} can't be opened. Put its file back, and name it in"
                f" retired_hpke, until {shown(last)}."
            )
    return lines


def _id(hpke: str) -> str:
    return key_id(b64decode(hpke))
