"""Edge: `ciao-gateway held` and `acknowledge`: what waits for a person, and what they decide.

A decision is one row in the ledger, appended while the gateway may be running; the gateway alone
does what it says (decision 9).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from ciao.commands import Commands
from ciao.errors import BadInput
from ciao.registration import State
from gateway.config import CONFIG_NAME, load
from gateway.deciding import ABANDONABLE, RELEASABLE
from gateway.ledger import Ledger, LedgerFailed, waiting
from gateway.ledger.care import DecisionKind
from gateway.logs import masked
from gateway.status import WORDS, ago

LIMIT = 200
WHY_MAX = 500
TAPS_MAX = 1_000

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path(CONFIG_NAME),
    show_default=True,
    metavar="FILE",
    help="The gateway's settings; paths in it are relative to its folder.",
)
_why = click.option(
    "--why", required=True, metavar="TEXT", help="The reason, kept with the decision. Name nobody."
)


@click.command()
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
    "--limit", type=click.IntRange(1, 100_000), default=LIMIT, show_default=True, metavar="N"
)
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for programs.")
def held(
    config: Path, terminal: str | None, states: Sequence[str], limit: int, as_json: bool
) -> None:
    """List the taps that wait: held, unresolved, unknown, rejected or withheld, and why.

    Oldest first. The number in front names a tap for `ciao-gateway acknowledge`.
    """
    wanted = [State(state) for state in states] or list(waiting.STATES)
    found = waiting.waiting(_ledger(config), wanted, terminal, limit + 1)
    shown = found[:limit]
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())
        return
    now = datetime.now(UTC)
    for tap in shown:
        click.echo(_line(tap, now))
    if not shown:
        click.echo("No tap waits.")
    if len(found) > limit:
        click.echo(f"… and more: --limit, now {limit}")


def _line(tap: waiting.Waiting, now: datetime) -> str:
    why = f" ({tap.reason})" if tap.reason else ""
    line = (
        click.style(f"{tap.tap:>7}", bold=True)
        + f"  {tap.terminal}  {tap.direction:<3}  {tap.at}  "
        + click.style(f"{tap.state}{why}", fg=WORDS[State(tap.state)][1])
        + f", since {ago(tap.since_ms, now)}"
    )
    if tap.derived_at is not None:
        line += f"; really {tap.derived_at}, by {tap.basis}"
    return line + (f"; {tap.asked} is asked for" if tap.asked else "")


@click.group(cls=Commands)
def acknowledge() -> None:
    """Decide what waits for a person; each decision is kept, with its reason.

    A running gateway does it at once, a stopped one when it starts.
    """


@acknowledge.command()
@click.argument("taps", nargs=-1, required=True, type=click.IntRange(1), metavar="TAP...")
@_why
@config_option
def release(taps: Sequence[int], why: str, config: Path) -> None:
    """Let taps go to the ONSS although they were held, withheld or rejected.

    At their own times, which nothing changes. One without an answer is searched for first.
    """
    _decide_on_taps(config, "release", RELEASABLE, taps, why)


@acknowledge.command()
@click.argument("taps", nargs=-1, required=True, type=click.IntRange(1), metavar="TAP...")
@_why
@config_option
def abandon(taps: Sequence[int], why: str, config: Path) -> None:
    """Give taps up for good: they are kept as evidence and never sent."""
    _decide_on_taps(config, "abandon", ABANDONABLE, taps, why)


@acknowledge.command()
@click.argument("terminal", metavar="ID")
@_why
@config_option
def terminal(terminal: str, why: str, config: Path) -> None:
    """Say that a terminal's alerts were looked into: rolled back, damaged, forked.

    One that was refused for having begun too many segments may go on.
    """
    ledger = _ledger(config)
    if not waiting.has_terminal(ledger, terminal):
        raise BadInput(f"the ledger knows no terminal {terminal}", "ciao-gateway status lists them")
    _decide(ledger, "terminal", [terminal], why)


@acknowledge.command()
@_why
@config_option
def restored(why: str, config: Path) -> None:
    """Say that the ledger was restored from a backup, where the gateway can't see it itself.

    Terminals are asked again, and every tap stamped before now is searched for before it is sent.
    """
    _decide(_ledger(config), "restored", [""], why)


def _decide_on_taps(
    config: Path, what: DecisionKind, allowed: frozenset[State], taps: Sequence[int], why: str
) -> None:
    """Look at every tap before any decision is written."""
    ledger = _ledger(config)
    if len(taps) > TAPS_MAX:
        raise BadInput(f"{len(taps)} taps at once", f"at most {TAPS_MAX}")
    for tap in taps:
        state = waiting.state_of(ledger, tap)
        if state is None:
            raise BadInput(f"there is no tap {tap}", "ciao-gateway held lists those that wait")
        if state not in allowed:
            can = ", ".join(sorted(allowed))
            raise BadInput(f"tap {tap} is {state}", f"{what} is for taps that are {can}")
    _decide(ledger, what, [str(tap) for tap in taps], why)


def _decide(ledger: Path, what: DecisionKind, subjects: Sequence[str], why: str) -> None:
    if not why.strip() or len(why) > WHY_MAX:
        raise BadInput("--why is empty or too long", f"a reason has 1 to {WHY_MAX} characters")
    try:
        with closing(Ledger.open(ledger)) as opened, opened.transaction():
            opened.care.decide(what, subjects, masked(why), time.time_ns() // 1_000_000)
    except LedgerFailed as error:
        raise BadInput(
            f"can't write {ledger}: {error}", "look at its disk, and try again"
        ) from error
    click.echo("Noted. A running gateway does it at once, a stopped one when it starts.")


def _ledger(config: Path) -> Path:
    return config.parent / load(config).ledger
