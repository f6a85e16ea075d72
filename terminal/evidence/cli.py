"""Edge: `ciao-terminal export`: a bundle from this terminal's own files, without any network."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import click

from ciao.errors import BadInput
from ciao.evidence import exporting
from ciao.evidence.source import Terminal
from ciao.evidence.writer import Asked
from ciao.journal import StoreFailed
from ciao.journal.archive import archives
from terminal import config as configuration
from terminal.config import Config
from terminal.held import kept_bindings


@click.command()
@exporting.options
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("terminal.toml"),
    show_default=True,
    metavar="FILE",
    help="The terminal's settings.",
)
def export(
    out: Path,
    start: str | None,
    end: str | None,
    lang: Literal["fr", "nl", "de", "en"],
    config: Path,
) -> None:
    """Write an evidence bundle from this terminal's journal alone.

    It needs no network, changes nothing, and may be asked while the terminal runs.
    What no gateway has cosigned yet is in it, marked as the terminal's word alone.
    Who held a badge this terminal can't say. Check the bundle with `ciao-verify`.
    """
    loaded = configuration.load(config)
    first, last = exporting.period(start, end, loaded.zone, datetime.now(UTC))
    now = datetime.now(loaded.zone)
    made_at = now.replace(microsecond=now.microsecond // 1000 * 1000)
    asked = Asked(first, last, made_at, "terminal", lang, claims=True)
    with ExitStack() as stack:
        terminal = _terminal(loaded, stack)
        try:
            exporting.export(out, asked, [terminal])
        except StoreFailed as error:
            raise BadInput(str(error), "ciao-terminal doctor says more") from error


def _terminal(config: Config, stack: ExitStack) -> Terminal:
    """Open what this terminal keeps; raise BadInput where there is nothing."""
    found, unreadable = archives(config.journal)
    for archive in found:
        stack.callback(archive.close)
    for name in unreadable:
        click.echo(f"left out, since it can't be read whole: {name}", err=True)
    if not found:
        raise BadInput(f"there is no journal in {config.journal}", "start the terminal once")
    bindings, succession = kept_bindings(config.state)
    return Terminal(config.settings.terminal, list(found), bindings, succession)
