"""What the nouns' commands have in common: `--json`, `list` and `show`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ciao.errors import BadInput
from provisioning import listing
from provisioning.office import Office, with_office

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
broker_option = click.option(
    "--broker",
    type=click.Path(path_type=Path),
    help="The broker's folder; `broker` in the office's unless given.",
)

ANSWER_SIZE_MAX = 256


def asked_for(flag: str, explained: str) -> Callable[..., Any]:
    """An option for `answered`: unless given it is asked for, so no NISS is on a command line."""
    return click.option(flag, help=f"{explained}; asked for unless given.")


def answered(given: str | None, flag: str, question: str) -> str:
    """Return what was given, or ask for it: last, once all else that was said can be used.

    A person at a terminal is asked on stderr, so that what a command prints is its answer alone;
    a program writes one line to standard input.
    """
    if given is not None:
        return given
    if sys.stdin.isatty():
        return str(click.prompt(question, err=True))
    answer = sys.stdin.readline(ANSWER_SIZE_MAX).strip()
    if not answer:
        raise BadInput(f"no {question} was given", f"give {flag}, or a line on standard input")
    return answer


Records = Callable[[Office], list[dict[str, Any]]]


# Unmasks records: the office, what was found, `reveal_niss` and `reason`.
Reveal = Callable[..., list[dict[str, Any]]]


def reveal_options(command: Callable[..., None]) -> Callable[..., None]:
    """Let numbers be asked for unmasked, with a reason that is noted."""
    why = click.option(
        "--reason", help="Why; noted for good, and told to who asks about themselves."
    )
    what = click.option(
        "--reveal-niss", is_flag=True, help="Show each NISS in full; needs --reason."
    )
    return what(why(command))


def _no_options(command: Callable[..., None]) -> Callable[..., None]:
    return command


def add_list_and_show(
    group: click.Group,
    kind: str,
    table: str,
    records: Records,
    key: str = "id",
    more: Callable[[Office, str], dict[str, Any]] = lambda _office, _id: {},
    after: Callable[[Office], None] = lambda _office: None,
    reveal: Reveal | None = None,
) -> None:
    """Give a noun its `list` and `show`; `records` makes what is printed, masked.

    `more` is what `show` alone prints of one; `after` says on stderr what to look at; `reveal`
    unmasks records where somebody asks for it with a reason.
    """
    options = reveal_options if reveal else _no_options

    def told(
        office: Office, found: list[dict[str, Any]], asked: dict[str, Any]
    ) -> list[dict[str, Any]]:
        return reveal(office, found, **asked) if reveal and any(asked.values()) else found

    @group.command("list", help=f"List every {kind} as it is now.")
    @options
    @json_option
    @with_office
    def list_all(office: Office, /, as_json: bool, **asked: Any) -> None:
        listing.show_all(told(office, records(office), asked), as_json)
        after(office)

    @group.command("show", help=f"Show one {kind}, and the changes it went through.")
    @click.argument("wanted", metavar=key.upper())
    @options
    @json_option
    @with_office
    def show(office: Office, /, wanted: str, as_json: bool, **asked: Any) -> None:
        for record in records(office):
            if record[key] == wanted:
                history = listing.told(office.registry.history(table, wanted), office.zone)
                shown = (
                    told(office, [record], asked)[0] | more(office, wanted) | {"history": history}
                )
                listing.show_one(shown, as_json)
                return
        raise BadInput(f"there is no {kind} {wanted!r}", f"see: ciao-provision {kind} list")


def done(text: str, record: dict[str, Any], as_json: bool) -> None:
    """Say what was done, or print the record."""
    if as_json:
        listing.show_one(record, as_json)
    else:
        click.echo(text)


def made(new_id: str, text: str, record: dict[str, Any], as_json: bool) -> None:
    """Print the id that was given, alone, for a script to keep; and to a person what comes next."""
    done(new_id, record, as_json)
    if not as_json:
        click.echo(text, err=True)


def warn_of_expiry(office: Office) -> None:
    """Say which works declarations end while terminals stamp under them."""
    for one in office.registry.expiring(office.now()):
        click.echo(f"warning: {one.text}", err=True)


def bound_anew(terminals: list[str]) -> str:
    """Tell which terminals were bound anew because of a change."""
    return f"; bound anew: {', '.join(terminals)}" if terminals else ""
