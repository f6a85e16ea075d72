"""Edge: `ciao-gateway retention`: what was deleted, what will be, and when; it deletes nothing."""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path

import click
import msgspec

from ciao.texts import LANGUAGES, preferred, translations
from gateway.acknowledging import config_option
from gateway.config import load
from gateway.ledger.custody import Custody
from gateway.ledger.deletions import Deletions
from gateway.ledger.store import connect_read_only, explained
from gateway.retention.outlook import lines, outlook


@click.command()
@config_option
@click.option(
    "--lang",
    "--language",
    "language",
    type=click.Choice(LANGUAGES),
    help="The language; as the environment says (LANG), unless given.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
def retention(config: Path, language: str | None, as_json: bool) -> None:
    """Show what is deleted after its time: what went, what is due, what waits and why.

    It only reads. A running gateway looks once a day, where its clock is synchronised, writes
    into its own journal what goes, and only then deletes it: what badges said, whose taps they
    were, what the ONSS answered; years later whole logs. How long each is kept [retention] in
    gateway.toml says.
    """
    loaded, folder = load(config), config.parent
    path = folder / loaded.ledger
    with closing(connect_read_only(path)) as db, explained(path):
        db.execute("BEGIN")
        now_ms = time.time_ns() // 1_000_000
        found = outlook(Deletions(db), Custody(db), loaded.retention.settings(), now_ms)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    say = translations("gateway", language or preferred(os.environ)).gettext
    for line in lines(found, say):
        click.echo(line)
