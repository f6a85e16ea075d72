"""`ciao-provision forget`, `disclosure list`, and `employment extract`."""

from __future__ import annotations

from pathlib import Path

import click

from ciao import printing
from ciao.commands import Commands
from ciao.errors import BadInput
from ciao.texts import LANGUAGES, spoken
from provisioning import listing
from provisioning.commands.shared import done, json_option
from provisioning.office import Office, with_office
from provisioning.printing import letter
from provisioning.privacy import extract as extracts
from provisioning.registry.disclosing import disclose, disclosures
from provisioning.registry.forgetting import forget as erase
from provisioning.registry.forgetting import forgettable


@click.command()
@click.option("--dry-run", is_flag=True, help="Only list who would be forgotten.")
@json_option
@with_office
def forget(office: Office, dry_run: bool, as_json: bool) -> None:
    """Erase what identifies people who left long ago.

    `people_years` in provision.toml says how long after the end of somebody's last employment
    (5 years unless changed). NISS, name, initials and UIDs go, in every row there ever was; periods
    and company numbers stay, of nobody. Backups of before hold them still: they have an end too.
    """
    years = office.settings.retention.people_years
    people = forgettable(office.registry, office.now(), years)
    if people and not dry_run:
        with office.change("forget") as (change, _):
            erase(office.registry, change, people)
        office.registry.store.fold()
    record = {"years": years, "people": people, "dry_run": dry_run}
    verb = "would be forgotten" if dry_run else "were forgotten"
    who = ", ".join(people) or "nobody"
    done(f"{who} {verb}: left at least {years} years ago", record, as_json)


@click.group(cls=Commands)
def disclosure() -> None:
    """Who was shown whose number, and why."""


@disclosure.command("list")
@click.option("--person", help="Of one person only, such as p1.")
@json_option
@with_office
def list_disclosures(office: Office, person: str | None, as_json: bool) -> None:
    """List every time that somebody's number was shown in full."""
    rows = disclosures(office.registry, person)
    listing.show_all(listing.told(rows, office.zone), as_json)


@click.command()
@click.argument("employment_id", metavar="ID")
@click.option("--out", type=click.Path(path_type=Path), help="A PDF to hand over; replaced.")
@click.option("--language", type=click.Choice(LANGUAGES), help="Theirs unless given.")
@json_option
@with_office
def extract(
    office: Office, employment_id: str, out: Path | None, language: str | None, as_json: bool
) -> None:
    """Extract all that the registry holds of a person, for that person (GDPR, article 15).

    Of all their employments, with badges, changes, and who was shown their number. It shows the
    NISS, so it is noted itself. Their stamps are the gateway's: `ciao-gateway stamps` lists them.
    """
    known = office.registry.employment(employment_id)
    if known is None:
        raise BadInput(
            f"there is no employment {employment_id!r}", "see: ciao-provision employment list"
        )
    with office.change(f"employment extract {employment_id}") as (change, files):
        to = office.edges.account()
        disclose(change, [known.person], "extract", to, "extract for the person")
        told = extracts.extract(office, known.person)
        said = language or spoken(known.language) or "en"
        page = letter.extract(told, said, office.zone)
        if out is not None:
            files.printed(out, printing.pdf(letter.TEMPLATE, page, office.now()))
    if as_json:
        listing.show_one(told, as_json)
    elif out is not None:
        click.echo(f"printed {out}; hand it to the person alone")
    else:
        click.echo("\n".join(letter.lines(page)))
