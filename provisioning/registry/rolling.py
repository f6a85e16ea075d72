"""A gateway's keys that follow one another (decision 24).

Between `begin` and `finish` bundles name both pairs: taps are sealed to the old HPKE key, and a
cosignature by either key settles. So it doesn't matter when the gateway takes its new keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ciao.errors import BadInput
from ciao.notes import VerifierKey
from ciao.reading import parse_rfc3339
from provisioning.registry.organisation import GATEWAYS_MAX
from provisioning.registry.records import Cosigner, Gateway, Keys
from provisioning.registry.registry import Registry
from provisioning.registry.store import Change, Row


@dataclass(frozen=True, slots=True)
class Ended:
    """A pair of keys that was succeeded, and when its successor alone counted."""

    keys: Keys
    until: datetime


def begin(registry: Registry, change: Change, gateway: str, following: Keys) -> None:
    """Note the keys that are to succeed a gateway's own; raise BadInput where no bundle has room.

    Who was told of the keys has to be told anew (`following.follow`).
    """
    row = _row(registry, gateway)
    pairs = sum(1 + (one.following is not None) for one in registry.gateways())
    if pairs >= GATEWAYS_MAX:
        raise BadInput(
            f"a binding names at most {GATEWAYS_MAX} keys, and {pairs} are in it",
            "finish the roll that another gateway is in: gateway list",
        )
    values = {"next_hpke": following.hpke, "next_cosigner": str(following.cosigner)}
    change.append("gateways", _kept(row) | values, replaces=row["row"])


def finish(registry: Registry, change: Change, gateway: str) -> None:
    """Let the keys that follow be the only ones; those before them are ended."""
    row = _row(registry, gateway)
    values = {"hpke": row["next_hpke"], "cosigner": row["next_cosigner"]}
    values |= {"next_hpke": None, "next_cosigner": None}
    change.append("gateways", _kept(row) | values, replaces=row["row"])


def cosigners(registry: Registry) -> list[Cosigner]:
    """List every key that gateways cosign or have cosigned with: each gateway's, newest first."""
    found = []
    for gateway in registry.gateways():
        own = [Cosigner(gateway.id, gateway.keys.cosigner, None)]
        if gateway.following is not None:
            own.insert(0, Cosigner(gateway.id, gateway.following.cosigner, None))
        found += own + _before(registry, gateway)
    return found


def generation(registry: Registry, gateway: str) -> int:
    """Count the pairs of keys that a gateway has had, those that follow not included."""
    return len(_ended(registry, gateway)) + 1


def ended(registry: Registry, gateway: str) -> list[Ended]:
    """List a gateway's pairs of keys that were succeeded, newest first."""
    return [
        Ended(Keys(row["hpke"], VerifierKey.parse(row["cosigner"])), parse_rfc3339(row["until"]))
        for row in _ended(registry, gateway)
    ]


def _before(registry: Registry, gateway: Gateway) -> list[Cosigner]:
    return [
        Cosigner(gateway.id, one.keys.cosigner, one.until) for one in ended(registry, gateway.id)
    ]


def _ended(registry: Registry, gateway: str) -> list[Row]:
    """Read the keys that were succeeded, newest first, each with the moment at which it was."""
    return registry.store.rows(
        "SELECT gateways.hpke, gateways.cosigner, changes.at AS until FROM gateways"
        " JOIN gateways AS later ON later.replaces = gateways.row"
        " JOIN changes ON changes.row = later.change"
        " WHERE gateways.id = ? AND later.cosigner <> gateways.cosigner"
        " ORDER BY gateways.row DESC",
        [gateway],
    )


def _row(registry: Registry, gateway: str) -> Row:
    row = registry.store.row("SELECT * FROM gateways_now WHERE id = ?", [gateway])
    if row is None:
        raise BadInput(f"there is no gateway {gateway!r}", "see: ciao-provision gateway list")
    return row


def _kept(row: Row) -> Row:
    return {name: row[name] for name in row if name not in ("row", "change", "replaces")}
