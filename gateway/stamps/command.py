"""`ciao-gateway stamps`: what a person stamped, with what became of it (GDPR, article 15)."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from ciao.moments import shown_text
from gateway.acknowledging import config_option
from gateway.config import load
from gateway.explaining.frame import late_lines
from gateway.ledger.stamps import STAMPS_MAX, last_forgotten_ms, stamps_of
from gateway.watch.lateness import as_fields, lateness


@click.command()
@click.argument("person")
@config_option
@click.option(
    "--limit",
    type=click.IntRange(1, STAMPS_MAX),
    default=STAMPS_MAX,
    show_default=True,
    metavar="N",
    help="So many, the newest.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for programs.")
def stamps(person: str, config: Path, limit: int, as_json: bool) -> None:
    """List one person's stamps, newest first; PERSON as the registry names them, such as p1.

    Beside one that came late, which outage kept it, where one did.

    `ciao-provision employment show` tells who is p1, and `employment extract` what else is kept.
    """
    loaded, folder = load(config), config.parent
    found = stamps_of(folder / loaded.ledger, person, limit)
    late = lateness(loaded, folder, found)
    if as_json:
        told = [{**msgspec.to_builtins(one), **as_fields(late.get(one.tap))} for one in found]
        click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
        return
    for one in found:
        onss = f"  ONSS {one.onss_id}" if one.onss_id else ""
        why = f" ({one.reason})" if one.reason else ""
        at = shown_text(one.at)
        click.echo(f"{at}  {one.direction.upper():3}  {one.terminal}  {one.state}{why}{onss}")
        for said in late_lines(late.get(one.tap), str):
            click.echo(f"{'':27}{said}")
    if not found:
        click.echo(f"no stamps of {person} are known here")
    forgotten_ms = last_forgotten_ms(folder / loaded.ledger)
    if forgotten_ms is not None:
        days = loaded.retention.payload_days
        click.echo(
            f"Older stamps are nobody's any more: whose they were is deleted after {days} days."
        )
