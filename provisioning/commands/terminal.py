"""`ciao-provision terminal`: terminals, their folders, and what they are bound to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ciao import names
from ciao.commands import Commands
from ciao.errors import BadInput
from ciao.keys import new_sealing_key, new_signing_key, private_pem
from ciao.notes import Signer
from ciao.terminal_toml import Broker, terminal_toml
from provisioning import ca, listing
from provisioning.commands.enrolling import accept, code, revoke
from provisioning.commands.shared import add_list_and_show, done, json_option, warn_of_expiry
from provisioning.commands.terms import owner, readers, terms, terms_options
from provisioning.files import NewFiles
from provisioning.office import Office, with_office
from provisioning.registry import Terminal, certificates, issuing
from provisioning.registry.store import Change


@click.group(cls=Commands)
def terminal() -> None:
    """Terminals: where they stand, and under which works declaration they stamp."""


@terminal.command()
@click.argument("terminal_id", metavar="ID")
@terms_options
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="The terminal's own folder.",
)
@click.option("--reader", multiple=True, metavar="NAME=PATH", help="main, or in and out.")
@json_option
@with_office
def add(
    office: Office,
    /,
    terminal_id: str,
    out: Path,
    reader: tuple[str, ...],
    as_json: bool,
    **options: Any,
) -> None:
    """Add a terminal, make its folder of keys and settings, and bind it.

    The folder goes to the terminal and to nobody else: its private keys are nowhere here. With
    `terminal code` they are born on the terminal, and never travel.
    """
    names.terminal_id(terminal_id)
    enrolled = new_signing_key(office.edges.random_bytes)
    seal = new_sealing_key(office.edges.random_bytes)
    signer = Signer(names.enrolled_key_name(office.settings.domain, terminal_id), enrolled)
    with office.change(f"terminal add {terminal_id}") as (change, files):
        wanted = terms(office, options, None)
        employer = owner(office, wanted.declaration)
        added = Terminal(
            terminal_id,
            employer,
            signer.verifier(),
            seal.public_key().public_bytes_raw(),
        )
        issuing.add_terminal(office.registry, change, added, office.edges.random_bytes)
        issuing.bind(
            office.registry,
            change,
            terminal_id,
            wanted,
            office.signer_for,
            office.now(),
        )
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise BadInput(f"{out} exists already", "give --out a folder that is empty or new")
        files.folder(out)
        files.secret(out / "enrolled.pem", private_pem(enrolled))
        files.secret(out / "seal.pem", private_pem(seal))
        _certificate(office, change, files, added, out)
        text = _settings(office, added, wanted, readers(wanted.mode, reader))
        files.secret(out / "terminal.toml", text.encode())
    done(f"added terminal {terminal_id}: {out}", _record(office, added), as_json)


@terminal.command()
@click.argument("terminal_id", metavar="ID")
@terms_options
@json_option
@with_office
def bind(office: Office, /, terminal_id: str, as_json: bool, **options: Any) -> None:
    """Bind a terminal anew, from now or from a moment to come; what isn't given stays."""
    with office.change(f"terminal bind {terminal_id}") as (change, _):
        issued = office.registry.bindings(terminal_id)
        if not issued:
            raise BadInput(
                f"there is no terminal {terminal_id!r}",
                "see: ciao-provision terminal list",
            )
        last = office.registry.opened(issued[-1]).binding
        wanted = terms(office, options, (issued[-1].site, last))
        fresh = issuing.bind(
            office.registry,
            change,
            terminal_id,
            wanted,
            office.signer_for,
            office.now(),
        )
    known = office.registry.terminal(terminal_id)
    assert known is not None
    text = f"bound {terminal_id}: serial {fresh.serial}" if fresh else f"{terminal_id}: unchanged"
    done(text, _record(office, known), as_json)


def _certificate(
    office: Office, change: Change, files: NewFiles, added: Terminal, out: Path
) -> None:
    """Issue the terminal's TLS certificate: its name is what the broker lets it write."""
    if not office.settings.broker.tls:
        return
    issuer, edges = office.issuer(), office.edges
    key = ca.new_key(edges.random_bytes)
    certificate = ca.issue_terminal(
        issuer,
        added.id,
        key.public_key(),
        now=edges.now(),
        random_bytes=edges.random_bytes,
    )
    certificates.record(change, added.id, added.enrolled, certificate)
    client = ca.Identity(certificate, key)
    files.secret(out / "tls.key", client.key_pem)
    files.public(out / "tls.pem", client.certificate_pem + issuer.certificate_pem)
    files.public(out / "ca.pem", office.authority().certificate_pem)


def _settings(office: Office, added: Terminal, bound: issuing.Terms, paths: dict[str, str]) -> str:
    broker = office.settings.broker
    return terminal_toml(
        terminal=added.id,
        domain=office.settings.domain,
        provisioning_key=str(office.signer_for(added.employer).verifier()),
        time_zone=bound.time_zone,
        language=bound.languages[0],
        broker=Broker(broker.host, broker.port, broker.tls),
        readers=paths,
        server=office.settings.enrolment,
    )


def _record(office: Office, one: Terminal) -> dict[str, Any]:
    return listing.terminal(one, office.registry.bindings(one.id), office.zone)


def _bindings(office: Office, terminal_id: str) -> dict[str, Any]:
    """List every bundle a terminal was ever given."""
    bundles = [
        listing.bound(one, office.registry.opened(one).binding, office.zone)
        for one in office.registry.bindings(terminal_id)
    ]
    return {"bindings": bundles}


for command in (code, accept, revoke):
    terminal.add_command(command)

add_list_and_show(
    terminal,
    "terminal",
    "terminals",
    lambda office: [_record(office, one) for one in office.registry.terminals()],
    more=_bindings,
    after=warn_of_expiry,
)
