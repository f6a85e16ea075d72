"""`ciao-provision site`: the places of work, as the ONSS wants them named (Q18)."""

from __future__ import annotations

import click

from ciao import binding
from ciao.errors import BadInput
from provisioning import listing
from provisioning.commands.shared import add_list_and_show, done, json_option
from provisioning.office import Office, with_office
from provisioning.registry import organisation


@click.group()
def site() -> None:
    """Places of work, each with an address or coordinates."""


@site.command()
@click.argument("site_id", metavar="ID")
@click.option("--name", required=True, help="As people call it.")
@click.option("--post-code")
@click.option("--municipality")
@click.option("--street")
@click.option("--number", "house_number", help="The house number.")
@click.option("--box")
@click.option("--coordinates", help="Instead of an address: longitude,latitude (WGS 84).")
@json_option
@with_office
def add(
    office: Office,
    site_id: str,
    name: str,
    post_code: str | None,
    municipality: str | None,
    street: str | None,
    house_number: str | None,
    box: str | None,
    coordinates: str | None,
    as_json: bool,
) -> None:
    """Add a place of work.

    \b
      site add tower --name "Tower" --post-code 1000 --municipality Brussel \\
          --street Grasmarkt --number 1
      site add bridge --name "Bridge" --coordinates 4.3517,50.8466
    """
    parts = (post_code, municipality, street, house_number)
    if coordinates is not None and any((*parts, box)):
        raise BadInput("an address and coordinates", "give one of them")
    what = binding.Site(
        organisation.name(name, "name"),
        address=_address(parts, box) if coordinates is None else None,
        coordinates=_coordinates(coordinates) if coordinates is not None else None,
    )
    with office.change(f"site add {site_id}") as (change, _):
        added = organisation.add_site(office.registry, change, site_id, what)
    done(f"added site {site_id}", listing.site(added), as_json)


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
    lambda office: [listing.site(one) for one in office.registry.sites()],
)
