"""`ciao-provision employer`: who answers for the works, with the keys to sign and to register."""

from __future__ import annotations

import click
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc.jwk import RSAKey

from ciao import identifiers, names
from ciao.commands import Commands
from ciao.errors import BadInput
from ciao.keys import load_rsa_key, new_signing_key, private_pem
from ciao.notes import Signer
from provisioning import listing, templates
from provisioning.commands.shared import add_list_and_show, done, json_option
from provisioning.files import NewFiles
from provisioning.office import Office, moment, successor_name, with_office
from provisioning.registry import organisation, people, succession
from provisioning.registry.store import Change

RSA_BITS = 3072
RSA_EXPONENT = 65537


@click.group(cls=Commands)
def employer() -> None:
    """Employers: each has a provisioning key and a client at the ONSS."""


@employer.command()
@click.argument("employer_id", metavar="ID")
@click.option("--name", required=True, help="As it is registered.")
@click.option("--company", required=True, help="Enterprise number, or a foreign number (Q27, Q28).")
@click.option("--onss-client", help="The client id, where the ONSS gave one already.")
@json_option
@with_office
def add(
    office: Office,
    employer_id: str,
    name: str,
    company: str,
    onss_client: str | None,
    as_json: bool,
) -> None:
    """Add an employer, and make its keys.

    keys/ID.pem signs what its terminals are bound to: keep it from the gateway.
    gateway/onss-ID.pub.pem is for the ONSS; the client id that it gives you goes in with
    `employer onss`.
    """
    organisation.slug(employer_id, "employer")
    number = identifiers.company(company)
    private = new_signing_key(office.edges.random_bytes)
    signer = Signer(names.provisioning_key_name(office.settings.domain, employer_id), private)
    with office.change(f"employer add {employer_id}") as (change, files):
        added = organisation.add_employer(
            office.registry, change, employer_id, name, number, signer.verifier()
        )
        path = office.provisioning_key_path(employer_id)
        files.folder(path.parent)
        files.secret(path, private_pem(private))
        _new_onss_key(office, files, employer_id)
        if onss_client is not None:
            _enter_client(office, change, files, employer_id, onss_client)
    text = f"added employer {employer_id}; for the ONSS: {_onss_path(employer_id, '.pub.pem')}"
    done(
        text, listing.employer(office.registry.employer(employer_id) or added, office.zone), as_json
    )


@employer.command()
@click.argument("employer_id", metavar="ID")
@with_office
def roll(office: Office, employer_id: str) -> None:
    """Let a new provisioning key take over: from now on it signs what terminals are bound to.

    The key that there is signs for it, so terminals follow by themselves, also one that was off
    meanwhile. Put the old file away afterwards: what it signed stays good. Where a key was stolen
    this is no help, for its thief can do the same: enrol the terminals again.
    """
    before = office.signer_for(employer_id)
    private = new_signing_key(office.edges.random_bytes)
    following = Signer(before.name, private).verifier()
    old = office.provisioning_key_path(employer_id)
    with office.change(f"employer roll {employer_id}") as (change, files):
        files.secret(old.parent / successor_name(employer_id, following), private_pem(private))
        succession.succeed(office.registry, change, employer_id, before, following)
    path = office.provisioning_key_path(employer_id)
    click.echo(f"{employer_id} signs with {path.name} from now on; put {old.name} away")


@employer.command()
@click.argument("employer_id", metavar="ID")
@click.option("--client", required=True, help="The client id that the ONSS gave.")
@with_office
def onss(office: Office, employer_id: str, client: str) -> None:
    """Enter an employer's client id at the ONSS, here and in the gateway's settings."""
    with office.change(f"employer onss {employer_id}") as (change, files):
        _enter_client(office, change, files, employer_id, client)
    click.echo(f"entered; the gateway registers for {employer_id} when it is started again")


@employer.command()
@click.argument("employer_id", metavar="ID")
@click.option("--name", help="As it is registered now.")
@click.option("--company", help="The number it has from --from on, after a merger for instance.")
@click.option("--from", "start", help="With --company: the first day; employments follow.")
@json_option
@with_office
def change(
    office: Office,
    employer_id: str,
    name: str | None,
    company: str | None,
    start: str | None,
    as_json: bool,
) -> None:
    """Change an employer's name, or its number from a day on.

    A new number is a new employment for each who is registered under the old one; their badges
    follow. Stamps of before keep the number of before.
    """
    if (company is None) != (start is None):
        raise BadInput("a number needs a first day", "give --company and --from together")
    number = None if company is None else identifiers.company(company)
    with office.change(f"employer change {employer_id}") as (writing, _):
        before = office.registry.employer(employer_id)
        after = organisation.change_employer(office.registry, writing, employer_id, name, number)
        if number is not None and start is not None and before is not None:
            to = people.Move(moment(start, office.zone), company=number)
            if to.at > office.now():
                raise BadInput(
                    "a number of a day to come",
                    "enter it on that day or later: employments added before would take it",
                )
            people.move_all(office.registry, writing, before, to)
    done(f"changed employer {employer_id}", listing.employer(after, office.zone), as_json)


@employer.command()
@click.argument("employer_id", metavar="ID")
@click.option("--at", help="The last day; now unless given.")
@json_option
@with_office
def end(office: Office, employer_id: str, at: str | None, as_json: bool) -> None:
    """Note that an employer is here no more, once nobody works for it."""
    ends = moment(at, office.zone, last=True) if at else office.now()
    with office.change(f"employer end {employer_id}") as (writing, _):
        ended = organisation.end_employer(office.registry, writing, employer_id, ends)
    done(f"ended employer {employer_id}", listing.employer(ended, office.zone), as_json)


def _enter_client(
    office: Office, change: Change, files: NewFiles, employer_id: str, client: str
) -> None:
    known = office.registry.employer(employer_id)
    if known is not None and known.onss_client is not None:
        raise BadInput(
            f"{employer_id} has the client id {known.onss_client} already",
            f"change it in {office.path(office.settings.gateway)}",
        )
    organisation.set_onss_client(office.registry, change, employer_id, client)
    key = _onss_path(employer_id, ".pem")
    private = load_rsa_key(office.path(key))
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    table = templates.onss_credentials(
        employer=employer_id,
        client_id=client,
        key=key,
        # RFC 7638: the same name for the key wherever it is computed
        kid=RSAKey.import_key(public).thumbprint(),
    )
    files.append(office.path(office.settings.gateway), table.encode())


def _new_onss_key(office: Office, files: NewFiles, employer_id: str) -> None:
    """Make the RSA key of the client assertion (RS256), and its public half to hand over."""
    private = rsa.generate_private_key(RSA_EXPONENT, RSA_BITS)
    files.folder(office.path("gateway"))
    files.secret(
        office.path(_onss_path(employer_id, ".pem")),
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    files.public(office.path(_onss_path(employer_id, ".pub.pem")), public)


def _onss_path(employer_id: str, suffix: str) -> str:
    return f"gateway/onss-{employer_id}{suffix}"


add_list_and_show(
    employer,
    "employer",
    "employers",
    lambda office: [listing.employer(one, office.zone) for one in office.registry.employers()],
)
