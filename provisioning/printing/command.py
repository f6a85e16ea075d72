"""`ciao-provision poster`, what hangs beside a terminal; `notice`, what workers are told."""

from __future__ import annotations

from pathlib import Path

import click

from ciao import binding, printing
from ciao.errors import BadInput
from ciao.texts import LANGUAGES
from provisioning import listing
from provisioning.commands.shared import done, json_option
from provisioning.office import Office, only, with_office
from provisioning.printing import letter
from provisioning.printing import poster as posters
from provisioning.registry import Terminal, organisation
from provisioning.registry.published import published

_HERE = Path(__file__).parent


@click.command()
@click.option("--terminal", "terminal_id", help="Beside which one; or:")
@click.option("--site", help="Where; if what hangs there is the same at each terminal.")
@click.option("--link", help="What the code holds; that of the declaration unless given.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The PDF; replaced.")
@json_option
@with_office
def poster(
    office: Office,
    terminal_id: str | None,
    site: str | None,
    link: str | None,
    out: Path,
    as_json: bool,
) -> None:
    """Print the poster for a terminal: A4, four languages, the declaration's QR.

    It tells how to tap, how to take a break, and what to do when the terminal is down. The QR
    holds the link that the ONSS gave with the declaration (`declaration change --link`); without
    one it leads to the ONSS's application, where the number is typed.

    \b
      ciao-provision poster --terminal door-1 --out poster.pdf
    """
    wall = _wall(office, _chosen(office, terminal_id, site), link)
    data = posters.data(wall)
    page = printing.pdf(
        _HERE / "poster.typ", data, office.now(), {"qr.svg": posters.qr(data["qr"])}
    )
    with office.edges.files() as files:
        files.printed(out, page)
    record = {"out": str(out), "terminal": wall.terminal, "number": wall.number, "qr": data["qr"]}
    done(f"printed {out}: {wall.terminal}, declaration {wall.number}", record, as_json)
    if wall.link is None:
        click.echo(
            "note: its QR leads to the ONSS's application, where the number is typed; the link that"
            " came with the declaration goes in with: declaration change --link",
            err=True,
        )


@click.command()
@click.option("--employer", help="Whose workers; need not be given where there is one.")
@click.option("--contact", required=True, help="Whom they ask about their data.")
@click.option("--language", type=click.Choice(LANGUAGES), multiple=True, help="All unless given.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The PDF; replaced.")
@json_option
@with_office
def notice(
    office: Office,
    employer: str | None,
    contact: str,
    language: tuple[str, ...],
    out: Path,
    as_json: bool,
) -> None:
    """Print the notice for workers: what is registered, why, how long, their rights.

    \b
      ciao-provision notice --contact "privacy@acme.example" --out notice.pdf
    """
    employers = {one.id: one.name for one in office.registry.employers()}
    chosen = only("employer", employer, list(employers))
    organisation.found("employer", chosen, employers)
    of = letter.Notice(
        employers[chosen],
        organisation.name(contact, "contact"),
        office.settings.retention.people_years,
    )
    data = letter.notice(of, language or LANGUAGES)
    with office.edges.files() as files:
        files.printed(out, printing.pdf(letter.TEMPLATE, data, office.now()))
    done(f"printed {out}", {"out": str(out), "employer": chosen}, as_json)


def _chosen(office: Office, terminal_id: str | None, site: str | None) -> Terminal:
    """Find the terminal; for a site, one of those that would all have the same poster."""
    terminals = {one.id: one for one in office.registry.terminals()}
    if terminal_id is not None or site is None:
        found = terminals.get(only("terminal", terminal_id, list(terminals)))
        if found is None:
            raise BadInput(
                f"there is no terminal {terminal_id!r}", "see: ciao-provision terminal list"
            )
        return found
    there: dict[tuple[str, str], Terminal] = {}
    for one in terminals.values():
        held, at = _held(office, one)
        if at == site:
            there.setdefault((held.declaration.number, held.mode), one)
    if len(there) != 1:
        ids = ", ".join(one.id for one in there.values())
        raise BadInput(
            f"{len(there)} different posters for site {site!r}",
            f"give --terminal: {ids}" if there else "no terminal is bound there: terminal bind",
        )
    return next(iter(there.values()))


def _held(office: Office, terminal: Terminal) -> tuple[binding.Binding, str]:
    """Return what a terminal is bound to now, or first will be, and its site's id."""
    issued = published(office.registry.bindings(terminal.id), office.now())
    if not issued:
        raise BadInput(f"{terminal.id} is bound to nothing", f"terminal bind {terminal.id}")
    return office.registry.opened(issued[0]).binding, issued[0].site


def _wall(office: Office, terminal: Terminal, link: str | None) -> posters.Wall:
    held, _ = _held(office, terminal)
    employer = office.registry.employer(held.employer)
    known = {one.number: one.link for one in office.registry.declarations()}
    return posters.Wall(
        terminal=terminal.id,
        site=held.site.name,
        place=listing.place(held.site),
        employer=employer.name if employer else held.employer,
        number=held.declaration.number,
        link=posters.link(link) if link else known.get(held.declaration.number),
        lanes=held.mode == "lanes",
        languages=held.languages,
        printed_on=office.now().date().isoformat(),
    )
