"""`ciao-provision site`: the places of work, as the ONSS wants them named (Q18)."""

from __future__ import annotations

from collections.abc import Callable

import click

from ciao import binding
from ciao.commands import Commands
from ciao.errors import BadInput
from provisioning import listing
from provisioning.commands.shared import add_list_and_show, bound_anew, done, json_option
from provisioning.office import Office, with_office
from provisioning.registry import organisation
from provisioning.registry.following import follow


@click.group(cls=Commands)
def site() -> None:
    """Places of work, each with an address or coordinates."""


def _place_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--coordinates", help="Instead of an address: longitude,latitude (WGS 84)."),
        click.option("--box", help="The box number, where there is one."),
        click.option("--number", "house_number", help="The house number."),
        click.option("--street", help="Without the number."),
        click.option("--municipality", help="In one of its official names."),
        click.option("--post-code", help="Four digits."),
    ):
        command = option(command)
    return command


@site.command()
@click.argument("site_id", metavar="ID")
@click.option("--name", required=True, help="As people call it.")
@_place_options
@json_option
@with_office
def add(office: Office, /, site_id: str, name: str, as_json: bool, **place: str | None) -> None:
    """Add a place of work.

    \b
      site add tower --name "Tower" --post-code 1000 --municipality Brussel \\
          --street Grasmarkt --number 1
      site add bridge --name "Bridge" --coordinates 4.3517,50.8466
    """
    what = _site(name, place)
    with office.change(f"site add {site_id}") as (writing, _):
        added = organisation.add_site(office.registry, writing, site_id, what)
    done(f"added site {site_id}", listing.site(added, office.zone), as_json)


@site.command()
@click.argument("site_id", metavar="ID")
@click.option("--name", help="As people call it.")
@_place_options
@json_option
@with_office
def change(
    office: Office, /, site_id: str, name: str | None, as_json: bool, **place: str | None
) -> None:
    """Put right how a place of work is named; what isn't given stays.

    Its terminals are bound anew. A place somewhere else is another site: add it, and bind the
    terminal there from the day it moves.
    """
    with office.change(f"site change {site_id}") as (writing, _):
        sites = {one.id: one.site for one in office.registry.sites()}
        organisation.found("site", site_id, sites)
        known = sites[site_id]
        given = _completed(place, known)
        after = organisation.change_site(
            office.registry, writing, site_id, _site(name or known.name, given)
        )
        followed = follow(office.registry, writing, office.signer_for, office.now())
    done(f"changed site {site_id}{bound_anew(followed)}", listing.site(after, office.zone), as_json)


@site.command()
@click.argument("site_id", metavar="ID")
@json_option
@with_office
def end(office: Office, site_id: str, as_json: bool) -> None:
    """Note that nobody works there any more, once no terminal is bound there."""
    with office.change(f"site end {site_id}") as (writing, _):
        ended = organisation.end_site(office.registry, writing, site_id, office.now())
    done(f"ended site {site_id}", listing.site(ended, office.zone), as_json)


_PARTS = ("post_code", "municipality", "street", "house_number")


def _site(name: str, place: dict[str, str | None]) -> binding.Site:
    coordinates, box = place["coordinates"], place["box"]
    parts = tuple(place[part] for part in _PARTS)
    if coordinates is not None and any((*parts, box)):
        raise BadInput("an address and coordinates", "give one of them")
    return binding.Site(
        organisation.name(name, "name"),
        address=_address(parts, box) if coordinates is None else None,
        coordinates=_coordinates(coordinates) if coordinates is not None else None,
    )


def _completed(place: dict[str, str | None], known: binding.Site) -> dict[str, str | None]:
    """Take from the place that is known what isn't given."""
    address, coordinates = known.address, known.coordinates
    if coordinates is not None and not any(place.values()):
        return place | {"coordinates": f"{coordinates.longitude},{coordinates.latitude}"}
    if address is None or place["coordinates"] is not None:
        return place
    return place | {part: place[part] or getattr(address, part) for part in (*_PARTS, "box")}


def _address(parts: tuple[str | None, ...], box: str | None) -> binding.SiteAddress:
    post_code, municipality, street, house_number = parts
    if post_code is None or municipality is None or street is None or house_number is None:
        raise BadInput(
            "a site has an address or coordinates, exactly one",
            "give --post-code, --municipality, --street and --number, or --coordinates",
        )
    return binding.SiteAddress(
        organisation.name(post_code, "post code"),
        organisation.name(municipality, "municipality"),
        organisation.name(street, "street"),
        organisation.name(house_number, "house number"),
        None if box is None else organisation.name(box, "box"),
    )


def _coordinates(text: str) -> binding.SiteCoordinates:
    longitude, comma, latitude = text.partition(",")
    if not comma:
        raise BadInput(f"{text!r} are no coordinates", "longitude,latitude, such as 4.3517,50.8466")
    return binding.SiteCoordinates(longitude.strip(), latitude.strip())


add_list_and_show(
    site,
    "site",
    "sites",
    lambda office: [listing.site(one, office.zone) for one in office.registry.sites()],
)
