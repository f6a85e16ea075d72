"""`ciao-provision employment`: who works for whom (Q3, Q27-32)."""

from __future__ import annotations

import click

from ciao import identifiers
from ciao.commands import Commands
from ciao.errors import BadInput
from ciao.moments import shown
from provisioning import listing
from provisioning.commands.shared import (
    add_list_and_show,
    answered,
    asked_for,
    done,
    json_option,
    made,
)
from provisioning.office import Office, moment, only, with_office
from provisioning.privacy.revealing import reveal
from provisioning.registry import Kind, Period, people


@click.group(cls=Commands)
def employment() -> None:
    """Employments: a person, what they are here, and whose number is submitted for them."""


@employment.command()
@asked_for("--ssin", "NISS or BIS number")
@click.option("--employer", help="Who registers them; need not be given where there is one.")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in Kind]),
    default=Kind.EMPLOYEE.value,
    show_default=True,
    help="What they are here (Q3, Q30-32); it decides whose number is submitted.",
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
    ssin: str | None,
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
    """Add an employment; its id, which `badge add` wants, is all that goes to standard output."""
    number = None if company is None else identifiers.company(company)
    period = Period(
        moment(start, office.zone), moment(end, office.zone, last=True) if end else None
    )
    owner = only("employer", employer, [one.id for one in office.registry.employers()])
    person = identifiers.ssin(answered(ssin, "--ssin", "NISS"))
    with office.change("employment add") as (change, _):
        new = people.NewEmployment(owner, Kind(kind), number, name, initials, language, period)
        added = people.add(office.registry, change, person, new)
    text = (
        f"added {added.id}: {added.initials} works for {owner} from {shown(period.start)} on;"
        f" next, a badge: ciao-provision badge add --employment {added.id}"
    )
    made(added.id, text, listing.employment(office.registry, added, office.zone), as_json)


@employment.command()
@click.argument("employment_id", metavar="ID")
@click.option("--name", help="For people here; kept encrypted, never sent.")
@click.option("--initials", help="What a terminal greets them by.")
@click.option("--language", help="Two letters.")
@click.option("--from", "start", help="From when they are something else here; see above.")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in Kind]),
    help="What they are here from then on.",
)
@click.option("--company", help="Whose number is submitted from then on.")
@click.option("--employer", help="Who registers them from then on.")
@json_option
@with_office
def change(office: Office, /, employment_id: str, as_json: bool, **given: str | None) -> None:
    """Change an employment; what isn't given stays.

    Names, initials and language are put right as they are, since whenever:

    \b
      employment change e1 --initials AF

    What is registered of a person changes from a day on. The old employment ends, another begins,
    and the badges follow; stamps of before keep the number of before:

    \b
      employment change e1 --from 2026-04-01 --kind agency --company 0765432146
    """
    to = _move(office, given)
    texts = {name: given[name] for name in ("name", "initials", "language")}
    with office.change(f"employment change {employment_id}") as (writing, _):
        if to is None or any(text is not None for text in texts.values()):
            people.correct(office.registry, writing, employment_id, **texts)
        if to is not None:
            people.move(office.registry, writing, employment_id, to)
    last = employment_id if to is None else office.registry.employments()[-1].id
    after = office.registry.employment(last)
    assert after is not None
    text = f"changed {employment_id}" if to is None else f"{employment_id} goes on as {last}"
    done(text, listing.employment(office.registry, after, office.zone), as_json)
    if to is not None and to.at < office.now():
        click.echo(_ALREADY_SENT, err=True)


_ALREADY_SENT = (
    "note: stamps since then that the ONSS holds keep the number they were sent with; "
    "the employer may ask it for a change within 30 days (Q35)"
)


def _move(office: Office, given: dict[str, str | None]) -> people.Move | None:
    """Read what changes from a moment on; None where nothing does."""
    kind, company, employer = given["kind"], given["company"], given["employer"]
    start = given["start"]
    if (start is None) != (not any((kind, company, employer))):
        raise BadInput(
            "a new kind, company or employer begins on a day",
            "give --from with --kind, --company or --employer",
        )
    if start is None:
        return None
    return people.Move(
        at=moment(start, office.zone),
        employer=employer,
        kind=Kind(kind) if kind else None,
        company=identifiers.company(company) if company else None,
    )


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
    done(f"{employment_id} ends at {shown(record['until'], office.zone)}", record, as_json)


add_list_and_show(
    employment,
    "employment",
    "employments",
    lambda office: [
        listing.employment(office.registry, one, office.zone)
        for one in office.registry.employments()
    ],
    reveal=reveal,
)
