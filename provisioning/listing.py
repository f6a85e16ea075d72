"""What commands print: records as a table or as JSON, with what identifies people masked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import Any

import click

from ciao import binding, identifiers
from ciao.moments import shown
from ciao.reading import rfc3339
from ciao.registration import Company, EnterpriseNumber
from provisioning.registry import (
    Badge,
    Declaration,
    Employer,
    Employment,
    IssuedBinding,
    Registry,
    Site,
    Terminal,
)

Record = Mapping[str, Any]
_SHOWN = 2


def masked(text: str) -> str:
    """Hide all but the last two characters: enough to compare with a card in hand."""
    return "*" * (len(text) - _SHOWN) + text[-_SHOWN:]


def counted(number: int, what: str) -> str:
    """Say how many, such as "1 badge" or "2 badges"."""
    return f"{number} {what}" + ("" if number == 1 else "s")


def show_all(records: Sequence[Record], as_json: bool) -> None:
    """Print many: a table for people, one JSON array for programs."""
    if as_json:
        click.echo(_json(records))
        return
    if not records:
        click.echo("none")
        return
    titles = list(records[0])
    lines = [titles, *([_text(record[title]) for title in titles] for record in records)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def show_one(record: Record, as_json: bool) -> None:
    """Print one: a line a field for people, a JSON object for programs."""
    if as_json:
        click.echo(_json(record))
        return
    width = max(len(title) for title in record)
    for title, value in record.items():
        values = value if isinstance(value, list) else [value]
        for number, one in enumerate(values):
            click.echo(f"{'' if number else title:<{width}}  {_text(one)}".rstrip())


def employer(one: Employer, zone: tzinfo) -> dict[str, Any]:
    """An employer, for printing."""
    return {
        "id": one.id,
        "name": one.name,
        "company": _company(one.company),
        "onss_client": one.onss_client,
        "ended_at": _moment(one.ended_at, zone),
        "provisioning_key": str(one.provisioning_key),
    }


def declaration(one: Declaration, today: date) -> dict[str, Any]:
    """A works declaration, for printing, with what looks wrong about it."""
    left = one.for_binding().days_left(today)
    odd = identifiers.declaration_number(one.number).warning is not None
    return {
        "number": one.number,
        "employer": one.employer,
        "valid_from": one.valid_from.isoformat() if one.valid_from else None,
        "valid_until": one.valid_until.isoformat() if one.valid_until else None,
        "days_left": left,
        "warning": "check character" if odd else None,
        "link": one.link,
    }


def site(one: Site, zone: tzinfo) -> dict[str, Any]:
    """A place of work, for printing."""
    ended = _moment(one.ended_at, zone)
    return {"id": one.id, "name": one.site.name, "place": place(one.site), "ended_at": ended}


def place(one: binding.Site) -> str:
    """An address on one line, or coordinates."""
    if one.address is not None:
        address = one.address
        box = f" box {address.box}" if address.box else ""
        street = f"{address.street} {address.house_number}{box}"
        return f"{street}, {address.post_code} {address.municipality}"
    assert one.coordinates is not None
    return f"{one.coordinates.longitude},{one.coordinates.latitude}"


def terminal(one: Terminal, issued: Sequence[IssuedBinding], zone: tzinfo) -> dict[str, Any]:
    """A terminal, for printing, with the bundle issued last."""
    last = issued[-1] if issued else None
    return {
        "id": one.id,
        "employer": one.employer,
        "site": last.site if last else None,
        "serial": last.serial if last else None,
        "effective_from": _moment(last.effective_from if last else None, zone),
        "enrolled": str(one.enrolled),
    }


def employment(registry: Registry, one: Employment, zone: tzinfo) -> dict[str, Any]:
    """An employment, for printing: the NISS masked."""
    return {
        "id": one.id,
        "person": one.person,
        "ssin": masked(registry.ssin_of(one.person)),
        "name": one.name,
        "initials": one.initials,
        "language": one.language,
        "employer": one.employer,
        "kind": one.kind.value,
        "company": _company(one.company),
        "from": _moment(one.period.start, zone),
        "until": _moment(one.period.end, zone),
    }


def badge(registry: Registry, one: Badge, zone: tzinfo) -> dict[str, Any]:
    """A badge, for printing: the UID masked."""
    return {
        "id": one.id,
        "uid": masked(registry.uid_of(one.id).hex().upper()),
        "employment": one.employment,
        "tier": one.tier,
        "from": _moment(one.period.start, zone),
        "until": _moment(one.period.end, zone),
        "revoked_at": _moment(one.revoked_at, zone),
        "revoked_why": one.revoked_why,
    }


def bound(one: IssuedBinding, said: binding.Binding, zone: tzinfo) -> dict[str, Any]:
    """A bundle that was issued for a terminal, for printing."""
    return {
        "serial": one.serial,
        "from": _moment(one.effective_from, zone),
        "site": one.site,
        "declaration": said.declaration.number,
        "mode": said.mode,
        "languages": ",".join(said.languages),
        "lateness": said.lateness.policy,
    }


def _company(company: Company) -> str:
    return company.number if isinstance(company, EnterpriseNumber) else f"foreign {company.number}"


def told(rows: Sequence[Record], zone: tzinfo) -> list[dict[str, Any]]:
    """Rows of a history, for printing: `at`, which the registry keeps in UTC, is local."""
    return [{**row, "at": datetime.fromisoformat(row["at"]).astimezone(zone)} for row in rows]


def _moment(moment: datetime | None, zone: tzinfo) -> datetime | None:
    return moment.astimezone(zone) if moment else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=rfc3339)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "  ".join(_text(part) for part in value.values())
    if isinstance(value, datetime):
        return shown(value, value.tzinfo or UTC)
    return "-" if value is None else str(value)
