"""`ciao-provision declaration`: the works declarations that stamps are made under."""

from __future__ import annotations

from datetime import date

import click

from ciao import identifiers
from ciao.commands import Commands
from ciao.errors import BadInput
from provisioning import listing
from provisioning.commands.shared import (
    add_list_and_show,
    bound_anew,
    done,
    json_option,
    warn_of_expiry,
)
from provisioning.office import Office, only, with_office
from provisioning.printing import poster
from provisioning.registry import organisation
from provisioning.registry.following import follow


@click.group(cls=Commands)
def declaration() -> None:
    """Works declarations: a number of the ONSS, and the days it is valid."""


@declaration.command()
@click.argument("number")
@click.option("--employer", help="Whose it is; need not be given where there is one employer.")
@click.option("--from", "first", help="The first day it is valid, such as 2026-01-01.")
@click.option("--until", "last", help="The last day it is valid.")
@click.option("--link", help="What its QR code leads to, as the ONSS gave it (Q14).")
@json_option
@with_office
def add(
    office: Office,
    number: str,
    employer: str | None,
    first: str | None,
    last: str | None,
    link: str | None,
    as_json: bool,
) -> None:
    """Add a works declaration by its number: 13 characters, no I and no O."""
    checked, warning = identifiers.declaration_number(number)
    days = (_day(first), _day(last))
    with office.change(f"declaration add {checked}") as (change, _):
        owner = only("employer", employer, [one.id for one in office.registry.employers()])
        page = poster.link(link) if link else None
        added = organisation.add_declaration(office.registry, change, owner, checked, days, page)
    if warning is not None:
        click.echo(f"warning: {warning}", err=True)
    done(f"added declaration {checked}", listing.declaration(added, office.now().date()), as_json)


@declaration.command()
@click.argument("number")
@click.option("--from", "first", help="The first day it is valid; `none` for no first day.")
@click.option("--until", "last", help="The last day it is valid; `none` for no last day.")
@click.option("--link", help="What its QR code leads to, as the ONSS gave it (Q14).")
@json_option
@with_office
def change(
    office: Office,
    number: str,
    first: str | None,
    last: str | None,
    link: str | None,
    as_json: bool,
) -> None:
    """Change on which days a works declaration is valid, or its link; what isn't given stays.

    Its terminals are bound anew, so that they show the same.
    """
    _set(office, "change", number, (first, last), link, as_json)


@declaration.command()
@click.argument("number")
@click.option("--at", "last", required=True, help="The last day it is valid.")
@json_option
@with_office
def end(office: Office, number: str, last: str, as_json: bool) -> None:
    """End a works declaration: the works are over, or go on under another number.

    Terminals that go on are bound to the other one from the day after:

    \b
      terminal bind door-1 --declaration OTHER --from 2026-07-01
    """
    _set(office, "end", number, (None, last), None, as_json)


def _set(
    office: Office,
    verb: str,
    number: str,
    given: tuple[str | None, str | None],
    link: str | None,
    as_json: bool,
) -> None:
    checked, _ = identifiers.declaration_number(number)
    with office.change(f"declaration {verb} {checked}") as (writing, _files):
        declarations = {one.number: one for one in office.registry.declarations()}
        organisation.found("declaration", checked, declarations)
        before = declarations[checked]
        days = (_day(given[0], before.valid_from), _day(given[1], before.valid_until))
        page = poster.link(link) if link else before.link
        after = organisation.change_declaration(office.registry, writing, checked, days, page)
        followed = follow(office.registry, writing, office.signer_for, office.now())
    text = f"{checked} is valid from {days[0] or 'ever'} until {days[1] or 'further notice'}"
    done(text + bound_anew(followed), listing.declaration(after, office.now().date()), as_json)


def _day(text: str | None, otherwise: date | None = None) -> date | None:
    if text is None:
        return otherwise
    if text == "none":
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{text!r} is no day", "such as 2026-01-31") from error


add_list_and_show(
    declaration,
    "declaration",
    "declarations",
    lambda office: [
        listing.declaration(one, office.now().date()) for one in office.registry.declarations()
    ],
    key="number",
    after=warn_of_expiry,
)
