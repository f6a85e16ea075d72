"""`ciao-provision`: makes the keys and keeps the registry. Clock and randomness enter here."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import click

from ciao.commands import Commands
from ciao.sealing import seal
from provisioning.commands.badge import badge
from provisioning.commands.broker import broker
from provisioning.commands.certificate import certificate
from provisioning.commands.declaration import declaration
from provisioning.commands.employer import employer
from provisioning.commands.employment import employment
from provisioning.commands.gateway import gateway
from provisioning.commands.init import init
from provisioning.commands.policy import policy
from provisioning.commands.site import site
from provisioning.commands.terminal import terminal
from provisioning.importing.command import import_file
from provisioning.office import Edges
from provisioning.printing.command import notice, poster
from provisioning.privacy.command import disclosure, extract, forget


@click.group(cls=Commands)
@click.pass_context
def main(context: click.Context) -> None:
    """Bind terminals to works declarations, and badges to people.

    Every change is signed where a terminal must trust it, and nothing that was true is lost:
    `show` prints the history. NISS and UIDs are kept encrypted, and masked in what is printed.

    \b
    Where to begin:    ciao-provision init --help
    Many people:       ciao-provision import --help
    For programs:      --json, on every command that prints something
    """
    if context.obj is None:
        context.obj = Edges(lambda: datetime.now(UTC), os.urandom, seal)


for command in (
    init,
    employer,
    declaration,
    site,
    terminal,
    employment,
    badge,
    import_file,
    poster,
    notice,
    disclosure,
    forget,
    gateway,
    broker,
    certificate,
    policy,
):
    main.add_command(command)

employment.add_command(extract)


if __name__ == "__main__":
    main(prog_name="ciao-provision")
