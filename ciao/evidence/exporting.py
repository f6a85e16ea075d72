"""What the exporting commands have in common: their options, the period, and the work itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from ciao import moments
from ciao.errors import BadInput
from ciao.evidence import writer
from ciao.evidence.lines import LANGUAGES, MANIFEST
from ciao.evidence.source import Terminal
from ciao.evidence.writer import Asked, Bundle

# What a month's export covers where no start is given.
DEFAULT_DAYS = 31

F = TypeVar("F", bound=Callable[..., Any])


def options(command: F) -> F:
    """The options that every export has."""
    for option in (
        click.option(
            "--lang",
            type=click.Choice(LANGUAGES),
            default="fr",
            show_default=True,
            help="The language of README and report.csv.",
        ),
        click.option(
            "--to", "end", metavar="DAY", help="The last day or moment; now unless given."
        ),
        click.option(
            "--from", "start", metavar="DAY", help=f"The first; {DEFAULT_DAYS} days before --to."
        ),
        click.option(
            "--out",
            required=True,
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="A new folder for the bundle.",
        ),
    ):
        command = option(command)
    return command


def period(
    start: str | None, end: str | None, zone: ZoneInfo, now: datetime
) -> tuple[datetime, datetime]:
    """Read the period, at most up to now; raise BadInput."""
    here = moments.milliseconds(now.astimezone(zone))
    last = min(here, moments.moment(end, zone, last=True)) if end else here
    first = moments.moment(start, zone) if start else last - timedelta(days=DEFAULT_DAYS)
    return first, last


def export(
    folder: Path,
    asked: Asked,
    terminals: Sequence[Terminal],
    attach: Callable[[Bundle], None] = lambda _: None,
) -> None:
    """Write the bundle, with a progress bar for people, and say what is in it; raise BadInput.

    `attach` adds what else belongs into it (a report, time stamps), before the manifest.
    """
    bundle = writer.begin(folder, asked)
    total = sum(log.size for terminal in terminals for log in terminal.logs)
    shown = sys.stderr.isatty()
    try:
        bar = click.progressbar(length=total, file=sys.stderr, hidden=not shown, label="exporting")
        with bar:
            bundle.add_terminals(terminals, bar.update)
            bar.update(total)
        if not bundle.stretches:
            raise BadInput("there is nothing of that period", "ciao-gateway status says what is")
        attach(bundle)
    except OSError as error:
        writer.abandon(bundle)
        raise BadInput(f"can't write {folder}: {error.strerror}", "look at its disk") from error
    except BaseException:
        writer.abandon(bundle)
        raise
    bundle.finish()
    for stretch in bundle.stretches:
        until = "not known to be complete"
        if stretch.end:
            until = f"complete up to {moments.shown_text(stretch.end)}"
        click.echo(f"{stretch.terminal}: {until}")
    click.echo(f"wrote {folder}; it is a bundle by its {MANIFEST}. Check it with: ciao-verify")
