"""A NISS in full, for somebody who says why: noted first, then shown."""

from __future__ import annotations

from typing import Any

from ciao.errors import BadInput
from provisioning.office import Office
from provisioning.registry.disclosing import disclose
from provisioning.registry.disclosing import reason as checked


def reveal(
    office: Office, records: list[dict[str, Any]], reveal_niss: bool, reason: str | None
) -> list[dict[str, Any]]:
    """Return records of employments with each NISS in full; raise BadInput without a reason."""
    if not reveal_niss or reason is None:
        raise BadInput("a NISS is shown for a reason", "give --reveal-niss and --reason together")
    why = checked(reason)
    people = dict.fromkeys(record["person"] for record in records)
    with office.change("employment --reveal-niss") as (change, _):
        disclose(change, people, "niss", office.edges.account(), why)
    return [record | {"ssin": office.registry.ssin_of(record["person"])} for record in records]
