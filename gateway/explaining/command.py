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
from ciao.moments import shown_text
from ciao.registration import State
from ciao.sealing import SealBroken
from ciao.texts import LANGUAGES, translations
from gateway import sealing
from gateway.acknowledging import config_option
from gateway.config import load
from gateway.explaining.story import Story
from gateway.explaining.words import Say, explain
from gateway.ledger import waiting
from gateway.ledger.history import history
from gateway.status import WORDS, ago
from gateway.watch.lateness import Late, lateness

LIMIT = 200


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
    "--language",
    type=click.Choice(LANGUAGES),
    default="en",
    show_default=True,
    help="What reasons are explained in.",
)
@click.option("--raw", is_flag=True, help="With TAP: what the ONSS answered, each NISS masked.")
@click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")
def held(
    tap: int | None,
    config: Path,
    terminal: str | None,
    states: Sequence[str],
    limit: int,
    language: str,
    raw: bool,
    as_json: bool,
) -> None:
    """List the taps that wait: held, unresolved, unknown, rejected or withheld, and why.

    Oldest first. The number in front names a tap for `ciao-gateway acknowledge`. With it as TAP,
    all that is known of that one tap is shown, whether it waits or not: each call with its trace
    id and what was answered, each search, what was decided, and what can be decided now.
    """
    say = translations("gateway", language).gettext
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
        click.echo(_line(one, now))
        for said in late[one.tap].lines() if one.tap in late else ():
            click.echo(f"{'':9}{said}")
        if words := explain(one.reason, say):
            click.echo(f"{'':9}{words}")
    if not shown:
        click.echo("No tap waits.")
    if len(found) > limit:
        click.echo(f"… and more: --limit, now {limit}")


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
        told = {**story.as_json(), **_lateness(late)}
        click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
        return
    for line in story.lines():
        click.echo(line)
    for line in late.lines() if late is not None else ():
        click.echo(line)


def _with_lateness(tap: waiting.Waiting, late: Late | None) -> dict[str, Any]:
    return {**msgspec.to_builtins(tap), **_lateness(late)}


def _lateness(late: Late | None) -> dict[str, Any]:
    return {} if late is None else dict(msgspec.to_builtins(late))


def _line(tap: waiting.Waiting, now: datetime) -> str:
    why = f" ({tap.reason})" if tap.reason else ""
    line = (
        click.style(f"{tap.tap:>7}", bold=True)
        + f"  {tap.terminal}  {tap.direction:<3}  {shown_text(tap.at)}  "
        + click.style(f"{tap.state}{why}", fg=WORDS[State(tap.state)][1])
        + f", since {ago(tap.since_ms, now)}"
    )
    if tap.derived_at is not None:
        line += f"; really {shown_text(tap.derived_at)}, by {tap.basis}"
    return line + (f"; {tap.asked} is asked for" if tap.asked else "")
