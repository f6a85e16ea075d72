"""Who was shown whose number, when and why: noted before it is shown, and never removed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ciao.errors import BadInput
from provisioning.registry import organisation
from provisioning.registry.registry import Registry
from provisioning.registry.store import Change, Row

REASON_SIZE_MAX = 200
_NUMBER = re.compile(r"(?:[0-9][ .-]?){9}")


def reason(text: str) -> str:
    """Return a reason if it is one, with nobody's number in it; raise BadInput."""
    if _NUMBER.search(text):
        raise BadInput("a reason with a long number in it", "say why, and not who")
    return organisation.name(text, "reason", REASON_SIZE_MAX)


def disclose(change: Change, people: Iterable[str], what: str, shown_to: str, why: str) -> None:
    """Note that `what` of some people is about to be shown to an account."""
    for person in people:
        values = {"person": person, "what": what, "shown_to": shown_to, "reason": why}
        change.append("disclosures", values)


def disclosures(registry: Registry, person: str | None = None) -> list[Row]:
    """List what was shown of everybody or of one person, oldest first."""
    return registry.store.rows(
        "SELECT changes.at, person, disclosures.what, shown_to, reason FROM disclosures"
        " JOIN changes ON changes.row = disclosures.change"
        " WHERE :person IS NULL OR person = :person ORDER BY disclosures.row",
        {"person": person},
    )
