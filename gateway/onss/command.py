"""`ciao-gateway onss`: what is known of the ONSS's service, and whether it is so."""

from __future__ import annotations

import click
import msgspec

from ciao.commands import Commands
from gateway.onss import table
from gateway.onss.cases import TABLE


@click.group(cls=Commands)
def onss() -> None:
    """Look into the ONSS's service: what is done with each answer, and whether it is as we think.

    What is sure, likely and unknown of it stands in docs/protocol/onss.md.
    """


@onss.command()
@click.option("--markdown", is_flag=True, help="As docs/protocol/onss.md holds it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for programs.")
def cases(markdown: bool, as_json: bool) -> None:
    """List every case of an answer, or of none, and what becomes of the stamp in it.

    The name in front is what `ciao-gateway held` shows as the reason, and a terminal is told.
    """
    if as_json:
        rows = [{"case": case, **msgspec.to_builtins(row)} for case, row in TABLE.items()]
        click.echo(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode())
        return
    if markdown:
        for line in table.markdown():
            click.echo(line)
        return
    for case, row in TABLE.items():
        tell = click.style("  tells somebody", fg="yellow") if row.person else ""
        click.echo(click.style(f"{case:<20}", bold=True) + f" {row.seen}")
        click.echo(f"{'':<20} {row.act}: {row.because}{tell}")
