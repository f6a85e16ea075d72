"""Edge: `ciao-gateway acknowledge`: what a person decides of what waits for them.

A decision is one row in the ledger, appended while the gateway may be running; the gateway alone
does what it says (decision 9).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click

from ciao.commands import Commands
from ciao.errors import BadInput
from ciao.registration import State
from gateway.config import CONFIG_NAME, load
from gateway.deciding import ABANDONABLE, LOOKED_UP, RELEASABLE
from gateway.ledger import Ledger, LedgerFailed, waiting
from gateway.ledger.care import DecisionKind
from gateway.ledger.history import holder_of
from gateway.logs import masked

WHY_MAX = 500
TAPS_MAX = 1_000
ONSS_ID_MAX = 100

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
@click.argument("tap", type=click.IntRange(1), metavar="TAP")
@click.option("--id", "onss_id", required=True, metavar="ID", help="The ONSS's id of it.")
@_why
@config_option
def found(tap: int, onss_id: str, why: str, config: Path) -> None:
    """Say that a tap without an answer is at the ONSS after all, under this id.

    For when no search tells; `ciao-gateway held TAP` shows what was sent, to look for.
    """
    if not onss_id.isprintable() or not 0 < len(onss_id.strip()) <= ONSS_ID_MAX:
        raise BadInput("--id is empty or too long", "give it as the ONSS shows it, such as 17611")
    onss_id = onss_id.strip()
    if (other := holder_of(_ledger(config), tap, onss_id)) is not None:
        raise BadInput(f"tap {other} has that id already", "one id is one registration")
    _decide_on_taps(config, "found", LOOKED_UP, [tap], why, onss_id)


@acknowledge.command()
@click.argument("taps", nargs=-1, required=True, type=click.IntRange(1), metavar="TAP...")
@_why
@config_option
def absent(taps: Sequence[int], why: str, config: Path) -> None:
    """Say that taps without an answer are not at the ONSS: they are sent again.

    Only after looking there by hand, a while after the call, for what `ciao-gateway held TAP` says
    was sent, whatever the registry says since: what is there already would be registered twice, and
    nothing takes one away.
    """
    _decide_on_taps(config, "absent", LOOKED_UP, taps, why)


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
    config: Path,
    what: DecisionKind,
    allowed: frozenset[State],
    taps: Sequence[int],
    why: str,
    value: str = "",
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
        if what == "release" and waiting.is_forgotten(ledger, tap):
            why = f"tap {tap} can't be sent: whose it was was deleted after its time"
            raise BadInput(why, "abandon gives it up")
    _decide(ledger, what, [str(tap) for tap in taps], why, value)


def _decide(
    ledger: Path, what: DecisionKind, subjects: Sequence[str], why: str, value: str = ""
) -> None:
    if not why.strip() or len(why) > WHY_MAX:
        raise BadInput("--why is empty or too long", f"a reason has 1 to {WHY_MAX} characters")
    try:
        with closing(Ledger.open(ledger)) as opened, opened.transaction():
            opened.care.decide(what, subjects, masked(why), time.time_ns() // 1_000_000, value)
    except LedgerFailed as error:
        raise BadInput(
            f"can't write {ledger}: {error}", "look at its disk, and try again"
        ) from error
    click.echo("Noted. A running gateway does it at once, a stopped one when it starts.")


def _ledger(config: Path) -> Path:
    return config.parent / load(config).ledger
