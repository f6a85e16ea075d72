"""Edge: `ciao-gateway outages` and `annotate`: what failed and when, and what people know of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from ciao.errors import BadInput
from ciao.listing import Outage, Piece
from ciao.moments import shown_text
from ciao.names import GATEWAY_PREFIX
from ciao.reading import rfc3339
from gateway.acknowledging import config_option
from gateway.config import load
from gateway.watch.annotations import Left
from gateway.watch.building import all_outages, annotations_of

LIMIT = 50
TEXT_MAX = 4_000


class Listed(msgspec.Struct, frozen=True):
    """One outage with the notes on it, as `--json` prints it."""

    outage: Outage
    notes: list[str]


@click.command()
@config_option
@click.option("--terminal", metavar="ID", help="Only this terminal's.")
@click.option("--open", "only_open", is_flag=True, help="Only what lasts.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=LIMIT,
    show_default=True,
    metavar="N",
    help="So many, the newest.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for programs.")
def outages(config: Path, terminal: str | None, only_open: bool, limit: int, as_json: bool) -> None:
    """List outages, the newest last: the gateway's own side, and its terminals'.

    The first eight characters name one for `ciao-gateway annotate`. Whose doing
    a cause is proposed to be is a proposal, not a legal decision.
    """
    loaded, folder = load(config), config.parent
    found = [
        one for one in all_outages(loaded, folder, terminal) if one.ended is None or not only_open
    ]
    notes = annotations_of(loaded, folder)
    shown = [Listed(one, [note.id for note in notes.of(one.outage)]) for one in found[-limit:]]
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())
        return
    if len(found) > limit:
        click.echo(f"… {len(found) - limit} older ones: --limit, now {limit}")
    for one in shown:
        click.echo(_line(one))
        for piece in one.outage.pieces if len(one.outage.pieces) > 1 else ():
            click.echo(_piece(piece))
    if not shown:
        click.echo("No outage is in the journals.")


def _piece(piece: Piece) -> str:
    """One cause of several, with its own time."""
    until = shown_text(piece.ended) if piece.ended else "now"
    proposed = piece.proposed.replace("_", " ")
    return f"{'':10}{shown_text(piece.begun)} – {until}  {piece.cause}, proposed: {proposed}"


def _line(listed: Listed) -> str:
    one = listed.outage
    who = one.terminal or ("the gateway" + (f", for {one.employer}" if one.employer else ""))
    until = shown_text(one.ended) if one.ended else "now"
    line = (
        click.style(one.outage[:8], bold=True)
        + f"  {shown_text(one.begun)} – {until}  {who}: "
        + click.style(_causes(one), fg="red" if one.ended is None else "yellow")
        + f" ({one.affected})"
    )
    if len(one.pieces) == 1:
        line += f", proposed: {one.proposed.replace('_', ' ')}"
    if one.seen_by.startswith(GATEWAY_PREFIX) and one.terminal:
        line += ", as the gateway saw it"
    if not one.synced:
        line += ", on a clock that was not right"
    notes = len(listed.notes)
    return line + (f", {notes} note{'s' if notes > 1 else ''}" if notes else "")


def _causes(one: Outage) -> str:
    return one.cause if len(one.pieces) == 1 else f"{len(one.pieces)} causes in turn"


@click.command()
@click.argument("outage", metavar="OUTAGE")
@click.option(
    "--document",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A third party's: a ticket, a notice, a bill. Kept as it is.",
)
@click.option("--text", default="", metavar="TEXT", help="What is known. Name nobody.")
@config_option
def annotate(outage: str, document: Path | None, text: str, config: Path) -> None:
    """Add a note to an outage: a document, words, or both.

    Only salted hashes go into the gateway's journal, for good; the document and the salts stay
    in the gateway's folder. A note is never changed; add another one instead.
    """
    loaded, folder = load(config), config.parent
    if document is None and not text.strip():
        raise BadInput("a note of nothing", "give --document FILE, --text TEXT, or both")
    if len(text) > TEXT_MAX:
        raise BadInput("--text is too long", f"at most {TEXT_MAX} characters; give a --document")
    one = _named(outage, all_outages(loaded, folder))
    left = annotations_of(loaded, folder).leave(
        one.outage, rfc3339(_now()), document, text.strip(), os.urandom
    )
    click.echo(_said(left))


def _named(text: str, found: Sequence[Outage]) -> Outage:
    """Find the outage that some first characters name; raise BadInput."""
    fitting = [one for one in found if one.outage.startswith(text.lower())] if text else []
    if len(fitting) != 1:
        what = "more than one outage is" if fitting else "no outage is"
        raise BadInput(f"{what} named {text!r}", "ciao-gateway outages lists them")
    return fitting[0]


def _said(left: Left) -> str:
    return (
        f"Kept in {left.folder}. A running gateway journals its hashes at once, a stopped one"
        " when it starts."
    )


def _now() -> datetime:
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
