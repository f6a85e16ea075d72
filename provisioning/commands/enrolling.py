"""`ciao-provision terminal code|accept|revoke`: whom to trust from now on, and whom no longer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from ciao import code as codes
from ciao import names
from ciao.enrolment import prove, trust_text
from ciao.errors import BadInput
from ciao.keys import read_secret, replace_file
from ciao.moments import shown
from provisioning.commands.shared import broker_option, done, json_option
from provisioning.commands.terms import owner, readers, terms, terms_options
from provisioning.office import Office, moment, with_office
from provisioning.registry import certificates, enrolling
from provisioning.revoking import broker_of, enforce

LOOK_AGAIN_S = 1.0
HOURS_MAX = 24 * 30


@click.command("code")
@click.argument("terminal_id", metavar="ID")
@terms_options
@click.option("--reader", multiple=True, metavar="NAME=PATH", help="main, or in and out.")
@click.option("--replace", is_flag=True, help="Other hardware takes an existing terminal's place.")
@click.option(
    "--hours",
    type=click.IntRange(1, HOURS_MAX),
    default=24,
    show_default=True,
    help="Good for.",
)
@click.option("--wait/--no-wait", default=True, help="Wait for the terminal, then bind it.")
@broker_option
@json_option
@with_office
def code(
    office: Office,
    /,
    terminal_id: str,
    reader: tuple[str, ...],
    replace: bool,
    hours: int,
    wait: bool,
    broker: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Make a one-time code with which a new terminal enrols over the network.

    \b
    On the terminal:
      ciao-terminal enrol CODE --server URL --out DIR

    Its private keys are born there and never leave it. The gateway serves the enrolment (it must
    run); this command then binds the terminal, since only the office can: it waits, or do it later
    with `terminal accept`. A code is good once, for this terminal alone; a newer one ends it.
    """
    if office.settings.enrolment is None:
        raise BadInput(
            "there is no enrolment server",
            'set enrolment = "https://HOST:PORT" in provision.toml',
        )
    made = codes.Code(
        office.edges.random_bytes(codes.SECRET_SIZE),
        codes.fingerprint(certificates.der(office.authority().certificate)),
    )
    life = timedelta(hours=hours)
    with office.change(f"terminal code {terminal_id}") as (change, files):
        plan = _plan(office, terminal_id, replace, options, reader, made)
        enrolling.add_code(
            office.registry, change, terminal_id, made.bearer, plan, office.now(), life
        )
        files.folder(_secret(office, terminal_id).parent)
        replace_file(_secret(office, terminal_id), str(made).encode())
    until = office.now() + life
    server = office.settings.enrolment
    record = {
        "terminal": terminal_id,
        "code": str(made),
        "until": until,
        "server": server,
    }
    text = (
        f"For {terminal_id}, once, until {shown(until, office.zone)}:\n\n    {made}\n\n"
        "On the terminal:\n\n"
        f"    ciao-terminal enrol {made} --server {server} --out {terminal_id}\n"
    )
    done(text, record, as_json)
    if wait and not as_json:
        click.echo("Waiting for it; Ctrl-C only ends the waiting (then: terminal accept).")
        _await(office, terminal_id, office.now() + life)
        _accept(office, terminal_id, broker)


@click.command("accept")
@click.argument("terminal_id", metavar="ID")
@broker_option
@with_office
def accept(office: Office, terminal_id: str, broker: Path | None) -> None:
    """Bind a terminal that has used its code, once its keys are proven to be its own.

    Where it replaces other hardware, that one's certificates end at once.
    """
    _accept(office, terminal_id, broker)


@click.command("revoke")
@click.argument("terminal_id", metavar="ID")
@click.option("--why", required=True, help="For the history, such as: stolen.")
@click.option("--at", help="From when; now unless given.")
@broker_option
@with_office
def revoke(office: Office, terminal_id: str, why: str, at: str | None, broker: Path | None) -> None:
    """Take nothing of a terminal any more, from now on: it was stolen, or copied.

    The gateway refuses what it sends, the broker refuses its certificates, and its session is
    ended; all of it has been seen to hold when this command returns. Run again, it sees to the
    broker once more.
    """
    when = moment(at, office.zone) if at else office.now()
    known = office.registry.terminal(terminal_id)
    if known is None or known.revoked_at is None:
        with office.registry.store.change(f"terminal revoke {terminal_id}", office.now()) as change:
            certificates.revoke(office.registry, change, terminal_id, why, when)
    click.echo(f"{terminal_id}: the gateway takes nothing of it any more")
    if office.settings.broker.tls:
        enforce(office, broker_of(office, broker), terminal_id)
        click.echo(f"{terminal_id}: the broker refuses its certificates; its session has ended")


def _plan(
    office: Office,
    terminal_id: str,
    replace: bool,
    options: dict[str, Any],
    reader: tuple[str, ...],
    made: codes.Code,
) -> enrolling.Plan:
    """Decide what the bearer becomes, and prove to it whom it will have to trust."""
    names.terminal_id(terminal_id)
    issued = office.registry.bindings(terminal_id)
    last = (issued[-1].site, office.registry.opened(issued[-1]).binding) if issued else None
    wanted = terms(office, options, last)
    employer = owner(office, wanted.declaration)
    key = str(office.signer_for(employer).verifier())
    trusted = trust_text(terminal_id, office.settings.domain, key)
    return enrolling.Plan(
        employer,
        wanted,
        readers(wanted.mode, reader),
        prove(made.office_key, trusted),
        terminal_id if replace else None,
    )


def _await(office: Office, terminal_id: str, until: Any) -> None:
    """Wait until a terminal's newest code is used; raise BadInput when it has run out."""
    while True:
        newest = enrolling.newest_code(office.registry, terminal_id)
        if newest and enrolling.enrolment(office.registry, newest.row) is not None:
            return
        if office.now() >= until:
            raise BadInput("nobody has used the code, and it has run out", "make another")
        office.edges.pause(LOOK_AGAIN_S)


def _accept(office: Office, terminal_id: str, broker: Path | None) -> None:
    path = _secret(office, terminal_id)
    newest = enrolling.newest_code(office.registry, terminal_id)
    if newest is None or not path.exists():
        raise BadInput(
            f"no code of {terminal_id} waits to be accepted",
            "see: terminal show; terminal code",
        )
    made = codes.parse(read_secret(path).decode("ascii", "replace"))
    with office.change(f"terminal accept {terminal_id}") as (change, _):
        enrolling.accept(
            office.registry,
            change,
            newest,
            made.bearer,
            made.office_key,
            office.signer_for,
            office.now(),
        )
    path.unlink()
    issued = office.registry.bindings(terminal_id)[-1]
    click.echo(f"{terminal_id}: enrolled and bound, serial {issued.serial}")
    if newest.plan.replaces is not None:
        enforce(office, broker_of(office, broker), terminal_id)
        click.echo(f"{terminal_id}: the broker refuses the hardware before it")


def _secret(office: Office, terminal_id: str) -> Path:
    """Where a code is kept until its terminal is bound, beside the provisioning keys."""
    return office.path(office.settings.keys) / f"{terminal_id}.code"
