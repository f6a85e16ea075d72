"""`ciao-provision import`: people and badges from a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from ciao.errors import BadInput
from provisioning import listing
from provisioning.commands.shared import json_option
from provisioning.importing import columns, table
from provisioning.importing.applying import Tally, apply
from provisioning.importing.problems import BadCell, Problem
from provisioning.listing import counted
from provisioning.office import Office, moment, with_office
from provisioning.registry.store import Change


class _TakenBack(Exception):
    """Nothing is to stay of what was written."""


def _template(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print a file to begin with: the columns, and a made-up line."""
    if not wanted or context.resilient_parsing:
        return
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerows([list(columns.EXAMPLE), list(columns.EXAMPLE.values())])
    click.echo("\ufeff" + out.getvalue(), nl=False)
    context.exit()


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Do all of it, tell, and take it back.")
@click.option("--update", is_flag=True, help="Put names and last days right where they differ.")
@click.option(
    "--template",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_template,
    help="Print a file to begin with, and end.",
)
@json_option
@with_office
def import_file(office: Office, file: Path, dry_run: bool, update: bool, as_json: bool) -> None:
    """Import people and badges from a CSV file: every line, or none.

    \b
      ciao-provision import --template > people.csv      open it in Excel, fill it in
      ciao-provision import people.csv --dry-run         what would happen, every bad line
      ciao-provision import people.csv                   again: changes nothing

    The first line names the columns: niss and from, and as you need them name, initials, language,
    employer, kind, company, until, badge (its UID in hex), `badge from`. French, Dutch and German
    names do as well. Days as 2026-01-05 or 05/01/2026. Format the columns of numbers as text:
    spreadsheets drop zeros in front.
    """
    read = table.read(_bytes(file))
    ours = columns.recognised(read.columns)
    tally = Tally()
    problems = list(read.problems)
    try:
        with office.change(f"import {'(dry run)' if dry_run else ''}".strip()) as (change, _):
            tally, bad = _all(office, change, read.lines, ours, update)
            problems += bad
            if problems or dry_run or not tally.changes:
                raise _TakenBack
    except _TakenBack:
        pass
    _report(len(read.lines) + len(read.problems), tally, problems, dry_run, as_json)


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(table.FILE_SIZE_MAX + 1)
    except OSError as error:
        raise BadInput(f"can't read {file}: {error.strerror}", "check the path") from error


def _all(
    office: Office,
    change: Change,
    lines: Sequence[table.Line],
    ours: dict[str, str],
    update: bool,
) -> tuple[Tally, list[Problem]]:
    """Try every line, each in a savepoint; return what was done, and what is wrong."""
    employers = [one.id for one in office.registry.employers()]
    now = office.now()
    tally = Tally()
    problems: list[Problem] = []

    def read(text: str, last: bool) -> datetime:
        return moment(text, office.zone, last=last)

    with click.progressbar(
        lines, label="lines", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as shown:
        for line in shown:
            try:
                with change.attempt():
                    cells = {name: line.cells.get(theirs, "") for name, theirs in ours.items()}
                    wish = columns.wanted(cells, employers, read)
                    tally += apply(office.registry, change, wish, now, update)
            except BadCell as error:
                column = ours.get(error.column, error.column)
                problems.append(Problem(line.number, column, error.what, error.hint))
    return tally, problems


def _report(
    lines: int, tally: Tally, problems: list[Problem], dry_run: bool, as_json: bool
) -> None:
    problems.sort(key=lambda one: one.line)
    if as_json:
        told = {"lines": lines, "dry_run": dry_run, **asdict(tally)}
        click.echo(json.dumps(told | {"problems": [asdict(one) for one in problems]}, indent=2))
    elif problems:
        listing.show_all([asdict(one) for one in problems], as_json=False)
    if problems:
        bad = len({one.line for one in problems})
        raise BadInput(
            f"{bad} of {counted(lines, 'line')} can't be imported, so none was",
            "put right what is listed, and import the file again",
        )
    if not as_json:
        click.echo(_told(lines, tally, dry_run))


def _told(lines: int, tally: Tally, dry_run: bool) -> str:
    if not tally.changes:
        all_lines = "its one line is" if lines == 1 else f"all {lines} lines are"
        return f"nothing to do: {all_lines} in the registry already"
    new = [(tally.employments, "employment"), (tally.badges, "badge")]
    added = " and ".join(counted(number, what) for number, what in new if number)
    did = [f"{'would add' if dry_run else 'added'} {added}"] if added else []
    if tally.updated:
        did.append(
            f"{'would update' if dry_run else 'updated'} {counted(tally.updated, 'employment')}"
        )
    if not tally.unchanged:
        return ", ".join(did)
    were = "was" if tally.unchanged == 1 else "were"
    return f"{', '.join(did)}; {tally.unchanged} of {counted(lines, 'line')} {were} there already"
