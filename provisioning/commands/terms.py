"""What a terminal is to be bound to: the options of several commands, and how they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ciao import binding
from ciao.errors import BadInput
from provisioning.office import Office, moment, only
from provisioning.registry import issuing

READERS = {
    "buttons": {"main": "/dev/ttyS0"},
    "lanes": {"in": "/dev/ttyS0", "out": "/dev/ttyS1"},
}


def terms_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say to what a terminal is bound."""
    for option in reversed(
        (
            click.option("--site", help="Where it stands; need not be given where there is one."),
            click.option("--declaration", help="Under which works declaration; likewise."),
            click.option(
                "--mode",
                type=click.Choice(["buttons", "lanes"]),
                help="IN and OUT by a button, or by two readers (Q19); buttons at first.",
            ),
            click.option("--languages", help="Such as fr,nl,de; the first leads."),
            click.option("--from", "start", help="From when; now unless given."),
            click.option(
                "--lateness",
                type=click.Choice(["send", "hold", "evidence-only"]),
                help="What becomes of stamps that arrive late; `send` unless given.",
            ),
            click.option(
                "--send-hours",
                type=click.IntRange(0, 8784),
                help="With `send`: older stamps are held for a person.",
            ),
        )
    ):
        command = option(command)
    return command


def terms(
    office: Office, options: dict[str, Any], last: tuple[str, binding.Binding] | None
) -> issuing.Terms:
    """Read the terms from the options, and where one isn't given, from the last bundle."""
    site, declaration, mode, languages = (
        options[name] for name in ("site", "declaration", "mode", "languages")
    )
    lateness = binding.Lateness()
    if last is not None:
        site = site or last[0]
        declaration = declaration or last[1].declaration.number
        mode = mode or last[1].mode
        languages = languages or ",".join(last[1].languages)
        lateness = last[1].lateness
    hours = options["send_hours"]
    return issuing.Terms(
        site=only("site", site, [one.id for one in office.registry.sites()]),
        declaration=only(
            "declaration",
            declaration,
            [one.number for one in office.registry.declarations()],
        ),
        mode=mode or "buttons",
        languages=tuple(part.strip() for part in (languages or "fr,nl,de,en").split(",")),
        time_zone=office.settings.time_zone,
        lateness=binding.Lateness(
            options["lateness"] or lateness.policy,
            lateness.send_hours if hours is None else hours,
        ),
        starts=moment(options["start"], office.zone) if options["start"] else office.now(),
    )


def owner(office: Office, number: str) -> str:
    """Return whose works declaration it is; raise BadInput."""
    for one in office.registry.declarations():
        if one.number == number:
            return one.employer
    raise BadInput(f"there is no declaration {number!r}", "see: ciao-provision declaration list")


def readers(mode: str, given: tuple[str, ...]) -> dict[str, str]:
    """Read `NAME=PATH` options; the readers of a mode unless said otherwise; raise BadInput."""
    paths = dict(READERS[mode])
    for one in given:
        name, equals, path = one.partition("=")
        if not equals or name not in paths or not path:
            raise BadInput(
                f"--reader {one!r} is not allowed",
                f"with {mode}: {', '.join(f'{name}=PATH' for name in paths)}",
            )
        paths[name] = path
    return paths
