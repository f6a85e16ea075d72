"""What stands still: employers, works declarations, places of work, gateways.

Each function writes one row in the change it is given, after its checks; raises BadInput. What a
terminal was told of it stays as it was signed, until `following.follow` tells the terminal anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime

import msgspec

from ciao import binding, canonical
from ciao.errors import BadInput
from ciao.notes import VerifierKey
from ciao.registration import Company
from provisioning.registry import rows
from provisioning.registry.published import published
from provisioning.registry.records import (
    Declaration,
    Employer,
    Gateway,
    Keys,
    Site,
    company_kind,
)
from provisioning.registry.registry import Registry
from provisioning.registry.store import Change, Row, instant

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
NAME_SIZE_MAX = 120
GATEWAYS_MAX = 4


def slug(text: str, what: str) -> str:
    """Return a short id if it is one; raise BadInput."""
    if not _SLUG.fullmatch(text):
        raise BadInput(f"{text!r} is no {what} id", "1 to 32 of a-z, 0-9 and '-', such as acme")
    return text


def name(text: str, what: str, size_max: int = NAME_SIZE_MAX) -> str:
    """Return a name on one line if it is one; raise BadInput."""
    if not text.strip() or len(text) > size_max or not text.isprintable():
        raise BadInput(f"that is no {what}", f"one line, 1 to {size_max} characters")
    return text.strip()


def found(kind: str, wanted: str, ids: Iterable[str]) -> None:
    """Raise BadInput unless an id is among those there are."""
    if wanted not in ids:
        raise BadInput(f"there is no {kind} {wanted!r}", f"see: ciao-provision {kind} list")


def _absent(kind: str, wanted: str, ids: Iterable[str]) -> None:
    if wanted in ids:
        raise BadInput(f"there is a {kind} {wanted!r} already", "choose another id")


def add_employer(
    registry: Registry,
    change: Change,
    employer: str,
    called: str,
    company: Company,
    provisioning_key: VerifierKey,
) -> Employer:
    """Add an employer with the public half of its provisioning key."""
    slug(employer, "employer")
    _absent("employer", employer, (known.id for known in registry.employers()))
    added = Employer(employer, name(called, "name"), company, provisioning_key, None)
    change.append("employers", _employer_values(added))
    return added


def set_onss_client(registry: Registry, change: Change, employer: str, client: str) -> None:
    """Note under which client id an employer registers at the ONSS."""
    now = _row(registry, "employer", employer)
    _change(change, "employers", now, onss_client=name(client, "ONSS client id"))


def change_employer(
    registry: Registry,
    change: Change,
    employer: str,
    called: str | None = None,
    company: Company | None = None,
) -> Employer:
    """Give an employer another name, or another number for employments that begin from now on."""
    now = _row(registry, "employer", employer)
    fresh: dict[str, object] = {}
    if called is not None:
        fresh["name"] = name(called, "name")
    if company is not None:
        fresh |= {"company_kind": company_kind(company), "company": company.number}
    _change(change, "employers", now, **fresh)
    return rows.employer(_row(registry, "employer", employer))


def end_employer(registry: Registry, change: Change, employer: str, at: datetime) -> Employer:
    """Note that an employer registers nobody any more, once nobody works for it."""
    now = _row(registry, "employer", employer)
    _not_over(f"employer {employer}", now)
    for one in registry.employments():
        if one.employer == employer and (one.period.end is None or one.period.end > at):
            raise BadInput(
                f"{one.id} still works for {employer}",
                f"end that first: ciao-provision employment end {one.id} --at DATE",
            )
    _change(change, "employers", now, ended_at=instant(at))
    return rows.employer(_row(registry, "employer", employer))


def _row(registry: Registry, kind: str, wanted: str) -> Row:
    """Read the newest row of an id."""
    row = registry.store.row(f"SELECT * FROM {kind}s_now WHERE id = ?", [wanted])
    if row is None:
        raise BadInput(f"there is no {kind} {wanted!r}", f"see: ciao-provision {kind} list")
    return row


def _change(change: Change, table: str, now: Row, **fresh: object) -> None:
    """Append a row that replaces one; where nothing differs, say so."""
    if all(now[column] == value for column, value in fresh.items()):
        raise BadInput("nothing would change", "give what is different now")
    kept = {key: now[key] for key in now if key not in ("row", "change", "replaces")}
    change.append(table, kept | fresh, replaces=now["row"])


def _not_over(what: str, row: Row) -> None:
    if row["ended_at"] is not None:
        raise BadInput(f"{what} ended at {row['ended_at']}", "add it again, under another id")


def _employer_values(employer: Employer) -> dict[str, object]:
    return {
        "id": employer.id,
        "name": employer.name,
        "company_kind": company_kind(employer.company),
        "company": employer.company.number,
        "provisioning_key": str(employer.provisioning_key),
        "onss_client": employer.onss_client,
    }


def add_declaration(
    registry: Registry,
    change: Change,
    employer: str,
    number: str,
    days: tuple[date | None, date | None],
    link: str | None = None,
) -> Declaration:
    """Add a works declaration, its number checked already; `days` are both included."""
    found("employer", employer, (known.id for known in registry.employers()))
    _absent("declaration", number, (known.number for known in registry.declarations()))
    _not_over(f"employer {employer}", _row(registry, "employer", employer))
    values = {"id": number, "employer": employer, "link": link, **_days(days)}
    change.append("declarations", values)
    return Declaration(number, employer, *days, link)


def change_declaration(
    registry: Registry,
    change: Change,
    number: str,
    days: tuple[date | None, date | None],
    link: str | None,
) -> Declaration:
    """Note on which days a works declaration is valid, both included, and the ONSS's link."""
    now = _row(registry, "declaration", number)
    _change(change, "declarations", now, link=link, **_days(days))
    return rows.declaration(_row(registry, "declaration", number))


def _days(days: tuple[date | None, date | None]) -> dict[str, object]:
    first, last = days
    if first and last and last < first:
        raise BadInput(
            f"a declaration valid from {first} until {last}", "the end is on or after the start"
        )
    return {
        "valid_from": first.isoformat() if first else None,
        "valid_until": last.isoformat() if last else None,
    }


def add_site(registry: Registry, change: Change, site: str, what: binding.Site) -> Site:
    """Add a place of work: a name, and exactly one of address and coordinates (Q18)."""
    slug(site, "site")
    _absent("site", site, (known.id for known in registry.sites()))
    text = _place(what)
    change.append("sites", {"id": site, "site": text})
    return Site(site, what)


def change_site(registry: Registry, change: Change, site: str, what: binding.Site) -> Site:
    """Correct how a place of work is named; one that lies elsewhere is another site."""
    now = _row(registry, "site", site)
    _not_over(f"site {site}", now)
    _change(change, "sites", now, site=_place(what))
    return rows.site(_row(registry, "site", site))


def end_site(registry: Registry, change: Change, site: str, at: datetime) -> Site:
    """Note that nobody works at a place any more, once no terminal stands there."""
    now = _row(registry, "site", site)
    _not_over(f"site {site}", now)
    for terminal in registry.terminals():
        if terminal.is_revoked(at):
            continue
        for issued in published(registry.bindings(terminal.id), at):
            if issued.site == site:
                raise BadInput(
                    f"{terminal.id} is bound there from {instant(issued.effective_from)}",
                    f"bind it elsewhere first: ciao-provision terminal bind {terminal.id} --site …",
                )
    _change(change, "sites", now, ended_at=instant(at))
    return rows.site(_row(registry, "site", site))


def _place(what: binding.Site) -> str:
    """Write a place as its column holds it; raise BadInput where it is none."""
    if (what.address is None) == (what.coordinates is None):
        raise BadInput(
            "a site has an address or coordinates, exactly one",
            "give --post-code, --municipality, --street and --number, or --coordinates",
        )
    try:
        text = canonical.encode(what)
        checked = msgspec.json.decode(text, type=binding.Site)
    except msgspec.ValidationError as error:
        raise BadInput(f"that place is not allowed: {error}", "see: site add --help") from error
    _on_earth(checked.coordinates)
    return text.decode()


def _on_earth(coordinates: binding.SiteCoordinates | None) -> None:
    if coordinates is not None and (
        abs(float(coordinates.longitude)) > 180 or abs(float(coordinates.latitude)) > 90
    ):
        raise BadInput(
            f"no such place: longitude {coordinates.longitude}, latitude {coordinates.latitude}",
            "longitude first, then latitude: --coordinates 4.3517,50.8466",
        )


def add_gateway(registry: Registry, change: Change, gateway: str, keys: Keys) -> Gateway:
    """Add a gateway whose keys every binding issued from now on lists."""
    known = registry.gateways()
    _absent("gateway", gateway, (one.id for one in known))
    if len(known) >= GATEWAYS_MAX:
        raise BadInput(f"there are {GATEWAYS_MAX} gateways", "that is the most a binding lists")
    values = {"id": gateway, "hpke": keys.hpke, "cosigner": str(keys.cosigner)}
    change.append("gateways", values)
    return Gateway(gateway, keys)
