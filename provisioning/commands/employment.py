"""`ciao-provision employment`: who works for whom (Q3, Q27-32)."""

from __future__ import annotations

import click

from ciao import identifiers
from provisioning import listing
from provisioning.commands.shared import add_list_and_show, asked_for, done, json_option
from provisioning.office import Office, moment, only, with_office
from provisioning.registry import Kind, Period, people


@click.group()
def employment() -> None:
    """Employments: a person, what they are here, and whose number is submitted for them."""


@employment.command()
@asked_for("--ssin", "NISS", "NISS or BIS number")
@click.option("--employer", help="Who registers them; need not be given where there is one.")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in Kind]),
    default=Kind.EMPLOYEE.value,
    show_default=True,
)
@click.option(
    "--company",
    help="Whose number is submitted: of an agency worker the agency's, of a posted worker the "
    "foreign employer's, of the self-employed their own. The employer's unless given.",
)
@click.option("--name", help="For people here; kept encrypted, never sent.")
@click.option("--initials", required=True, help="What a terminal greets them by.")
@click.option("--language", default="fr", show_default=True, help="Two letters.")
@click.option("--from", "start", required=True, help="First day, such as 2026-01-05.")
@click.option("--until", "end", help="Last day, or a moment: give one for a night shift's end.")
@json_option
@with_office
def add(
    office: Office,
    ssin: str,
    employer: str | None,
    kind: str,
    company: str | None,
    name: str | None,
    initials: str,
    language: str,
    start: str,
    end: str | None,
    as_json: bool,
) -> None:
    """Add an employment; prints its id, which `badge add` wants."""
    person = identifiers.ssin(ssin)
    number = None if company is None else identifiers.company(company)
    period = Period(
        moment(start, office.zone), moment(end, office.zone, last=True) if end else None
    )
    with office.change("employment add") as (change, _):
        owner = only("employer", employer, [one.id for one in office.registry.employers()])
        new = people.NewEmployment(owner, Kind(kind), number, name, initials, language, period)
        added = people.add(office.registry, change, person, new)
    done(added.id, listing.employment(office.registry, added, office.zone), as_json)


@employment.command()
@click.argument("employment_id", metavar="ID")
@click.option("--at", required=True, help="The last day, or the moment it ends.")
@json_option
@with_office
def end(office: Office, employment_id: str, at: str, as_json: bool) -> None:
    """End an employment: from then on its badges are nobody's. Again: moves the end."""
    ends = moment(at, office.zone, last=True)
    with office.change(f"employment end {employment_id}") as (change, _):
        ended = people.end(office.registry, change, employment_id, ends)
    record = listing.employment(office.registry, ended, office.zone)
    done(f"{employment_id} ends at {record['until']}", record, as_json)


add_list_and_show(
    employment,
    "employment",
    "employments",
    lambda office: [
        listing.employment(office.registry, one, office.zone)
        for one in office.registry.employments()
    ],
)
