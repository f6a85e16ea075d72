"""`ciao-provision terminal`: terminals, their folders, and what they are bound to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ciao import binding, names
from ciao.errors import BadInput
from ciao.keys import new_sealing_key, new_signing_key, private_pem
from ciao.notes import Signer
from provisioning import ca, listing, templates
from provisioning.commands.shared import (
    add_list_and_show,
    done,
    json_option,
    warn_of_expiry,
)
from provisioning.files import NewFiles
from provisioning.office import Office, moment, only, with_office
from provisioning.registry import Terminal, issuing

READERS = {
    "buttons": {"main": "/dev/ttyS0"},
    "lanes": {"in": "/dev/ttyS0", "out": "/dev/ttyS1"},
}


@click.group()
def terminal() -> None:
    """Terminals: where they stand, and under which works declaration they stamp."""


def _terms_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(
        (
            click.option("--site", help="Where it stands; need not be given where there is one."),
            click.option("--declaration", help="Under which works declaration; likewise."),
            click.option(
                "--mode",
                type=click.Choice(["buttons", "lanes"]),
                help="IN and OUT by a button, or by two readers (Q19); buttons at first.",
            ),
            click.option("--languages", help="Such as fr,nl,de; the first leads."),
            click.option("--from", "start", help="From when; now unless given."),
            click.option("--lateness", type=click.Choice(["send", "hold", "evidence-only"])),
            click.option(
                "--send-hours",
                type=click.IntRange(0, 8784),
                help="With `send`: older stamps are held for a person.",
            ),
        )
    ):
        command = option(command)
    return command


@terminal.command()
@click.argument("terminal_id", metavar="ID")
@_terms_options
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="The terminal's own folder."
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

    The folder goes to the terminal and to nobody else: its private keys are nowhere here.
    """
    names.terminal_id(terminal_id)
    enrolled = new_signing_key(office.edges.random_bytes)
    seal = new_sealing_key(office.edges.random_bytes)
    signer = Signer(names.enrolled_key_name(office.settings.domain, terminal_id), enrolled)
    with office.change(f"terminal add {terminal_id}") as (change, files):
        terms = _terms(office, options, None)
        owner = _owner(office, terms.declaration)
        added = Terminal(
            terminal_id, owner, signer.verifier(), seal.public_key().public_bytes_raw()
        )
        issuing.add_terminal(office.registry, change, added, office.edges.random_bytes)
        issuing.bind(office.registry, change, terminal_id, terms, office.signer_for, office.now())
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise BadInput(f"{out} exists already", "give --out a folder that is empty or new")
        files.folder(out)
        files.secret(out / "enrolled.pem", private_pem(enrolled))
        files.secret(out / "seal.pem", private_pem(seal))
        _certificate(office, files, terminal_id, out)
        text = _settings(office, added, terms, _readers(terms.mode, reader))
        files.secret(out / "terminal.toml", text.encode())
    done(f"added terminal {terminal_id}: {out}", _record(office, added), as_json)


@terminal.command()
@click.argument("terminal_id", metavar="ID")
@_terms_options
@json_option
@with_office
def bind(office: Office, /, terminal_id: str, as_json: bool, **options: Any) -> None:
    """Bind a terminal anew, from now or from a moment to come; what isn't given stays."""
    with office.change(f"terminal bind {terminal_id}") as (change, _):
        issued = office.registry.bindings(terminal_id)
        if not issued:
            raise BadInput(
                f"there is no terminal {terminal_id!r}", "see: ciao-provision terminal list"
            )
        last = office.registry.opened(issued[-1]).binding
        terms = _terms(office, options, (issued[-1].site, last))
        fresh = issuing.bind(
            office.registry, change, terminal_id, terms, office.signer_for, office.now()
        )
    known = office.registry.terminal(terminal_id)
    assert known is not None
    text = f"bound {terminal_id}: serial {fresh.serial}" if fresh else f"{terminal_id}: unchanged"
    done(text, _record(office, known), as_json)


def _terms(
    office: Office, options: dict[str, Any], last: tuple[str, binding.Binding] | None
) -> issuing.Terms:
    """Read the terms from the options, and where one isn't given, from the last bundle."""
    site, declaration, mode, languages = (
        options[name] for name in ("site", "declaration", "mode", "languages")
    )
    lateness = binding.Lateness()
    if last is not None:
        site = site or last[0]
        declaration = declaration or last[1].declaration.number
        mode = mode or last[1].mode
        languages = languages or ",".join(last[1].languages)
        lateness = last[1].lateness
    hours = options["send_hours"]
    return issuing.Terms(
        site=only("site", site, [one.id for one in office.registry.sites()]),
        declaration=only(
            "declaration", declaration, [one.number for one in office.registry.declarations()]
        ),
        mode=mode or "buttons",
        languages=tuple(part.strip() for part in (languages or "fr,nl,de,en").split(",")),
        time_zone=office.settings.time_zone,
        lateness=binding.Lateness(
            options["lateness"] or lateness.policy, lateness.send_hours if hours is None else hours
        ),
        starts=moment(options["start"], office.zone) if options["start"] else office.now(),
    )


def _owner(office: Office, number: str) -> str:
    for one in office.registry.declarations():
        if one.number == number:
            return one.employer
    raise BadInput(f"there is no declaration {number!r}", "see: ciao-provision declaration list")


def _readers(mode: str, given: tuple[str, ...]) -> dict[str, str]:
    readers = dict(READERS[mode])
    for one in given:
        name, equals, path = one.partition("=")
        if not equals or name not in readers or not path:
            raise BadInput(
                f"--reader {one!r} is not allowed",
                f"with {mode}: {', '.join(f'{name}=PATH' for name in readers)}",
            )
        readers[name] = path
    return readers


def _certificate(office: Office, files: NewFiles, terminal_id: str, out: Path) -> None:
    """Issue the terminal's TLS certificate: its name is what the broker lets it write."""
    if not office.settings.broker.tls:
        return
    authority = office.authority()
    client = ca.issue_client(
        authority,
        terminal_id,
        now=office.edges.now(),
        random_bytes=office.edges.random_bytes,
    )
    files.secret(out / "tls.key", client.key_pem)
    files.public(out / "tls.pem", client.certificate_pem)
    files.public(out / "ca.pem", authority.certificate_pem)


def _settings(
    office: Office, added: Terminal, terms: issuing.Terms, readers: dict[str, str]
) -> str:
    broker = office.settings.broker
    return templates.terminal_toml(
        terminal=added.id,
        domain=office.settings.domain,
        provisioning_key=str(office.signer_for(added.employer).verifier()),
        time_zone=terms.time_zone,
        language=terms.languages[0],
        broker=templates.Broker(broker.host, broker.port, broker.tls),
        readers=readers,
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


add_list_and_show(
    terminal,
    "terminal",
    "terminals",
    lambda office: [_record(office, one) for one in office.registry.terminals()],
    more=_bindings,
    after=warn_of_expiry,
)
