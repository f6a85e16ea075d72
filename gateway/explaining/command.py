"""Edge: `ciao-gateway held`: what waits for a person, and all that is known of one tap."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from ciao.errors import BadInput
from ciao.moments import BELGIUM, shown_text
from ciao.registration import State
from ciao.sealing import SealBroken
from ciao.texts import LANGUAGES, N_, preferred, translations
from gateway import sealing
from gateway.acknowledging import config_option
from gateway.config import load
from gateway.explaining.frame import decision_names, direction, late_lines, since, state_names
from gateway.explaining.story import Story
from gateway.explaining.words import Say, explain
from gateway.ledger import waiting
from gateway.ledger.history import history
from gateway.report.shapes import Shapes
from gateway.status import WORDS
from gateway.watch.lateness import Late, as_fields, lateness

LIMIT = 200
# The longest word for IN or OUT in any language.
DIRECTION_WIDTH = 6


@click.command()
@click.argument("tap", required=False, type=click.IntRange(1), metavar="[TAP]")
@config_option
@click.option("--terminal", metavar="ID", help="Only this terminal's.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([str(state) for state in waiting.STATES]),
    help="Only these; may be given again.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=LIMIT,
    show_default=True,
    metavar="N",
    help="So many, the oldest.",
)
@click.option(
    "--lang",
    "--language",
    "language",
    type=click.Choice(LANGUAGES),
    help="The language; as the environment says (LANG), unless given.",
)
@click.option("--raw", is_flag=True, help="With TAP: what the ONSS answered, each NISS masked.")
@click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")
def held(
    tap: int | None,
    config: Path,
    terminal: str | None,
    states: Sequence[str],
    limit: int,
    language: str | None,
    raw: bool,
    as_json: bool,
) -> None:
    """List the taps that wait: held, unresolved, unknown, rejected or withheld, and why.

    Oldest first. The number in front names a tap for `ciao-gateway acknowledge`. With it as TAP,
    all that is known of that one tap is shown, whether it waits or not: each call with its trace
    id and what was answered, each search, what was decided, and what can be decided now.
    """
    language = language or preferred(os.environ)
    say, shapes = translations("gateway", language).gettext, Shapes(language, BELGIUM)
    if tap is not None:
        _tell(config, tap, say, raw, as_json)
        return
    wanted = [State(state) for state in states] or list(waiting.STATES)
    found = waiting.waiting(config.parent / load(config).ledger, wanted, terminal, limit + 1)
    shown = found[:limit]
    late = lateness(load(config), config.parent, shown)
    if as_json:
        told = [_with_lateness(one, late.get(one.tap)) for one in shown]
        click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
        return
    now = datetime.now(UTC)
    for one in shown:
        click.echo(_line(one, now, say, shapes))
        for said in late_lines(late.get(one.tap), say):
            click.echo(f"{'':9}{said}")
        if words := explain(one.reason, say):
            click.echo(f"{'':9}{words}")
    if not shown:
        click.echo(say(N_("No tap waits.")))
    if len(found) > limit:
        click.echo(say(N_("… and more: --limit, now {limit}")).format(limit=limit))


def _tell(config: Path, tap: int, say: Say, raw: bool, as_json: bool) -> None:
    """Show one tap whole."""
    loaded, folder = load(config), config.parent
    found = history(folder / loaded.ledger, tap)
    if found is None:
        raise BadInput(f"there is no tap {tap}", "ciao-gateway held lists those that wait")
    key = sealing.load(folder / loaded.keys.answers, os.urandom)

    def open_(sealed: bytes, info: bytes) -> bytes | None:
        try:
            return key.open(sealed, info)
        except SealBroken:
            return None

    story = Story(found, open_, say, raw, bool(loaded.onss.search_path))
    late = lateness(loaded, folder, [found.tap]).get(tap)
    if as_json:
        told = {**story.as_json(), **as_fields(late)}
        click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
        return
    for line in story.lines():
        click.echo(line)
    for line in late_lines(late, say):
        click.echo(line)


def _with_lateness(tap: waiting.Waiting, late: Late | None) -> dict[str, Any]:
    return {**msgspec.to_builtins(tap), **as_fields(late)}


def _line(tap: waiting.Waiting, now: datetime, _: Say, shapes: Shapes) -> str:
    """One tap in a line: which, where, when, how it stands, and what is asked for."""
    state = State(tap.state)
    where = f"{tap.terminal}  {direction(tap.direction, _):<{DIRECTION_WIDTH}}"
    why = f" ({tap.reason})" if tap.reason else ""
    line = (
        click.style(f"{tap.tap:>7}", bold=True)
        + f"  {where}  {shown_text(tap.at)}  "
        + click.style(f"{state_names(_)[state]}{why}", fg=WORDS[state][1])
        + f", {since(tap.since_ms, round(now.timestamp() * 1000), _, shapes)}"
    )
    if tap.derived_at is not None:
        really = _("really {at}, by {basis}")
        line += "; " + really.format(at=shown_text(tap.derived_at), basis=tap.basis)
    if tap.asked:
        asked = decision_names(_)[tap.asked]
        line += "; " + _("{what} is asked for").format(what=asked)
    return line
