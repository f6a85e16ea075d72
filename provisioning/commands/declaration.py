"""`ciao-provision declaration`: the works declarations that stamps are made under."""

from __future__ import annotations

from datetime import date

import click

from ciao import identifiers
from ciao.errors import BadInput
from provisioning import listing
from provisioning.commands.shared import add_list_and_show, done, json_option
from provisioning.office import Office, only, with_office
from provisioning.registry import organisation


@click.group()
def declaration() -> None:
    """Works declarations: a number of the ONSS, and the days it is valid."""


@declaration.command()
@click.argument("number")
@click.option("--employer", help="Whose it is; need not be given where there is one employer.")
@click.option("--from", "first", help="The first day it is valid, such as 2026-01-01.")
@click.option("--until", "last", help="The last day it is valid.")
@json_option
@with_office
def add(
    office: Office,
    number: str,
    employer: str | None,
    first: str | None,
    last: str | None,
    as_json: bool,
) -> None:
    """Add a works declaration by its number: 13 characters, no I and no O."""
    checked, warning = identifiers.declaration_number(number)
    days = (_day(first), _day(last))
    with office.change(f"declaration add {checked}") as (change, _):
        owner = only("employer", employer, [one.id for one in office.registry.employers()])
        added = organisation.add_declaration(office.registry, change, owner, checked, days)
    if warning is not None:
        click.echo(f"warning: {warning}", err=True)
    done(f"added declaration {checked}", listing.declaration(added), as_json)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{text!r} is no day", "such as 2026-01-31") from error


add_list_and_show(
    declaration,
    "declaration",
    "declarations",
    lambda office: [listing.declaration(one) for one in office.registry.declarations()],
    key="number",
)
