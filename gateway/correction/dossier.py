"""A dossier whole: its stamps with all that is known of each, out of ledger and registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ciao.binding import BindingRefused
from ciao.entries import Tap as TapEntry
from ciao.errors import BadInput
from ciao.reading import parse_rfc3339
from ciao.registration import Address, Coordinates
from gateway.correction.rules import Stamp, Wrong
from gateway.forwarding.resolution import entry_of
from gateway.ledger import Ledger
from gateway.ledger.corrections import Custody, DossierRow
from gateway.ledger.rows import Tap
from provisioning.registry import Employer, Employment, IssuedBinding, Registry
from provisioning.registry.records import Resolution, place

NOTHING_LEFT = "nothing can be asked of it any more; what was asked is in the letter"


@dataclass(frozen=True, slots=True)
class Known:
    """One tap: the ledger's row and entry, the bundle in force, and whose it was, if known."""

    tap: Tap
    at: datetime
    entry: TapEntry
    custody: Custody
    issued: IssuedBinding | None
    site: str
    place: Address | Coordinates | None
    holder: Resolution | None = field(repr=False)
    employment: Employment | None

    def stamp(self) -> Stamp:
        """Return what the rules look at."""
        holder = self.holder
        return Stamp(
            self.tap.id,
            self.at,
            self.tap.state,
            holder.employer if holder else self.tap.employer,
            self.entry.declaration,
            holder.company.number if holder else None,
        )


@dataclass(frozen=True, slots=True)
class Dossier:
    """What was asked, by whom, and everything of its stamps."""

    row: DossierRow
    employer: Employer | None
    stamps: Sequence[Known]

    @property
    def wrong(self) -> Wrong:
        """What is wrong."""
        return Wrong(self.row.wrong)

    @property
    def reference(self) -> str:
        """How a letter and its answer name it."""
        return f"C-{self.row.id}"

    @property
    def first_at(self) -> datetime:
        """The stamp whose days end first."""
        return min(known.at for known in self.stamps)


def known(ledger: Ledger, registry: Registry, number: int) -> Known:
    """Gather a tap; raise BadInput where there is none."""
    tap = ledger.taps.find(number)
    if tap is None:
        raise BadInput(f"there is no tap {number}", "ciao-gateway held and status list taps")
    sealed = ledger.taps.sealed(tap)
    if not sealed.leaf:
        raise BadInput(f"tap {number} was deleted with its log, after its time", NOTHING_LEFT)
    entry = entry_of(sealed)
    at = parse_rfc3339(tap.stamped_at)
    issued = next(
        (one for one in registry.bindings(tap.terminal) if one.sha256 == entry.binding), None
    )
    site, where = _site(registry, issued)
    holder = registry.resolve(tap.badge, at) if tap.badge else None
    return Known(
        tap,
        at,
        entry,
        ledger.corrections.custody(tap.id),
        issued,
        site,
        where,
        holder,
        registry.employment(holder.employment) if holder else None,
    )


def _site(
    registry: Registry, issued: IssuedBinding | None
) -> tuple[str, Address | Coordinates | None]:
    if issued is None:
        return "", None
    try:
        site = registry.opened(issued).binding.site
    except BindingRefused:
        return "", None
    return site.name, place(site)


def dossier(ledger: Ledger, registry: Registry, number: int) -> Dossier:
    """Gather a dossier; raise BadInput where there is none."""
    row = ledger.corrections.find(number)
    if row is None:
        raise BadInput(f"there is no dossier {number}", "ciao-gateway correction list lists them")
    stamps = [known(ledger, registry, tap) for tap in row.taps]
    return Dossier(row, registry.employer(row.employer), stamps)
