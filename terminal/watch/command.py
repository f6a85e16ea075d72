"""Edge: `ciao-terminal maintenance`, said to the running terminal."""

from __future__ import annotations

from pathlib import Path

import click

from ciao.errors import BadInput
from hardware.control import ask
from terminal import config as configuration

_ERROR = "error: "


@click.command()
@click.argument("what", type=click.Choice(["begin", "end"]))
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("terminal.toml"),
    show_default=True,
    metavar="FILE",
    help="The terminal's settings.",
)
def maintenance(what: str, config: Path) -> None:
    """Say in the journal that somebody works on the terminal: `begin`, and `end`.

    It outlives restarts, so say it before a reader is changed, and again when all
    is well. Nothing else changes: the terminal goes on stamping, and what fails
    meanwhile is journalled as ever, with this beside it.
    """
    answer = ask(configuration.load(config).control, f"maintenance {what}")
    if answer.startswith(_ERROR):
        said, _, hint = answer.removeprefix(_ERROR).partition("; ")
        raise BadInput(said, hint or "see 'ciao-terminal doctor'")
    click.echo("maintenance has begun" if what == "begin" else "maintenance has ended")
