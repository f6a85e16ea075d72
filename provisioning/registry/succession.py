"""Provisioning keys that follow one another: each is named by the one before it.

A terminal that was off for a year follows the links from the key that it was enrolled with; what
the keys before signed stays good, so nothing need be signed again (docs/protocol/binding.md).
"""

from __future__ import annotations

from ciao import binding
from ciao.errors import BadInput
from ciao.notes import Signer, VerifierKey
from provisioning.registry.registry import Registry
from provisioning.registry.store import Change

LINKS_MAX = 16


def succeed(
    registry: Registry, change: Change, employer: str, before: Signer, following: VerifierKey
) -> None:
    """Let an employer's next provisioning key take over, signed for by the one it has."""
    if len(registry.succession(employer)) >= LINKS_MAX:
        raise BadInput(
            f"{employer} has had {LINKS_MAX} keys after its first",
            "that is as far as terminals follow: enrol them again under another employer id",
        )
    change.append("successions", {"id": employer, "note": binding.succeed(before, following)})
    row = registry.store.row("SELECT * FROM employers_now WHERE id = ?", [employer])
    assert row is not None
    values = {name: row[name] for name in row if name not in ("row", "change", "replaces")}
    change.append("employers", values | {"provisioning_key": str(following)}, replaces=row["row"])
