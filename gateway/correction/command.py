"""Edge: `ciao-gateway correction`: dossiers for the one thing that can still be changed (Q35)."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from ciao import printing
from ciao.commands import Commands
from ciao.errors import BadInput
from ciao.keys import secret_path
from ciao.moments import BELGIUM
from ciao.texts import translations
from gateway.acknowledging import WHY_MAX, config_option
from gateway.config import load
from gateway.correction import proofs
from gateway.correction.dossier import Dossier, dossier, known
from gateway.correction.letter import OFFICIAL, TEMPLATE, WORKING, Letter
from gateway.correction.rules import (
    DAYS,
    DECLINED,
    TAPS_MAX,
    Wrong,
    days_left,
    judge,
    last_day,
    number,
    what_is_wrong,
)
from gateway.ledger import Ledger, LedgerFailed
from gateway.ledger.corrections import DossierRow, NewDossier
from gateway.logs import masked
from provisioning.office import account
from provisioning.registry import Registry
from provisioning.registry.disclosing import disclose

LISTED_MAX = 1_000
_dossier_argument = click.argument("dossier_number", type=click.IntRange(1), metavar="DOSSIER")
_json_option = click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")


@click.group(cls=Commands)
def correction() -> None:
    """Ask the ONSS to change a wrong company or declaration number; nothing else can be.

    Within 30 days of the registration, by the employer (Q35). A dossier gathers the stamps, what
    they were bound to, the proofs and a letter; a person checks it, signs it and sends it.
    """


@correction.command("open")
@click.argument("taps", nargs=-1, required=True, type=click.IntRange(1), metavar="TAP...")
@click.option(
    "--wrong",
    required=True,
    metavar="WHAT",
    help=f"What is wrong: {' or '.join(Wrong)}. For {', '.join(DECLINED)} it tells the rule.",
)
@click.option("--correct", required=True, metavar="NUMBER", help="The number it should have been.")
@click.option(
    "--registered",
    metavar="NUMBER",
    help="The number that was registered, where the registry was mended since.",
)
@click.option("--why", required=True, metavar="TEXT", help="How it came about. Name nobody.")
@config_option
def open_(
    taps: Sequence[int], wrong: str, correct: str, registered: str | None, why: str, config: Path
) -> None:
    """Open a dossier of registrations of which the same number was wrong.

    TAP is the number that `ciao-gateway held` and `acknowledge` use. Prints the dossier's number.
    """
    what = what_is_wrong(wrong)
    right = number(what, correct)
    was = number(what, registered) if registered else None
    if not why.strip() or len(why) > WHY_MAX:
        raise BadInput("--why is empty or too long", f"a reason has 1 to {WHY_MAX} characters")
    if len(taps) > TAPS_MAX or len(set(taps)) != len(taps):
        raise BadInput("too many taps, or one twice", f"each once, at most {TAPS_MAX}")
    now = _now()
    with _stores(config) as (ledger, registry):
        stamps = [known(ledger, registry, tap).stamp() for tap in taps]
        was = judge(stamps, what, right, was, now)
        employer = stamps[0].employer or ""
        new = NewDossier(employer, what, was, right, masked(why), sorted(taps))
        with _written(config), ledger.transaction():
            made = ledger.corrections.open(new, _ms(now))
        opened = dossier(ledger, registry, made)
    left = days_left(opened.first_at, now)
    click.echo(f"{made}")
    click.echo(
        f"Dossier {opened.reference}: {_count(len(taps), 'registration')}, {was} → {right};"
        f" {_left(left)}, until {last_day(opened.first_at).isoformat()}.\n"
        f"Next: ciao-gateway correction export {made} --language fr --out FOLDER",
        err=True,
    )


@correction.command("list")
@config_option
@_json_option
def list_(config: Path, as_json: bool) -> None:
    """List the dossiers, newest first, with the days that are left of 30."""
    now = _now()
    with _stores(config) as (ledger, registry):
        rows = ledger.corrections.all(LISTED_MAX)
        found = [dossier(ledger, registry, row.id) for row in rows]
    if as_json:
        _print([_summary(one, now) for one in found])
        return
    for one in found:
        click.echo(_line(one, now))
    if not found:
        click.echo("There is no dossier.")


@correction.command()
@_dossier_argument
@config_option
@_json_option
def show(dossier_number: int, config: Path, as_json: bool) -> None:
    """Show a dossier: its stamps, what they were bound to, and the days left for each."""
    now = _now()
    with _stores(config) as (ledger, registry):
        found = dossier(ledger, registry, dossier_number)
    if as_json:
        _print({**_summary(found, now), "stamps": [proofs.stamp(one) for one in found.stamps]})
        return
    click.echo(_line(found, now))
    click.echo(f"  why: {found.row.why}")
    for one in found.stamps:
        click.echo(
            f"  {one.tap.id:>7}  {one.tap.terminal}  {one.tap.direction:<3}  {one.tap.stamped_at}"
            f"  ONSS {one.tap.onss_id}  {one.tap.state}"
        )
        employment = f"employment {one.employment.id}" if one.employment else "holder not known now"
        binding = f"binding {one.issued.serial}" if one.issued else "binding not known"
        click.echo(
            f"{'':9}  {one.site or 'site not known'}, {binding}, declaration"
            f" {one.entry.declaration}, {employment}; {_left(days_left(one.at, now))}"
        )


@correction.command()
@_dossier_argument
@click.option(
    "--language",
    required=True,
    type=click.Choice([*OFFICIAL, WORKING]),
    help="The letter's; en is a working copy.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="A new folder, which only you can read: the letter names people.",
)
@click.option("--without-niss", is_flag=True, help="Leave the column with each NISS out.")
@config_option
def export(dossier_number: int, language: str, out: Path, without_niss: bool, config: Path) -> None:
    """Write a dossier's letter (PDF) and its proofs into a new folder, for you to send.

    Nothing is sent. That it was exported, and the letter's hash, is kept with the dossier.
    """
    now = _now()
    if out.exists():
        raise BadInput(f"{out} is there already", "give a folder that does not exist yet")
    with _stores(config) as (ledger, registry):
        found = dossier(ledger, registry, dossier_number)
        say = translations("gateway", language).gettext
        if not without_niss:
            _note_disclosure(registry, found, now)
        data = Letter(found, language, say, now, not without_niss).data()
        letter = printing.pdf(TEMPLATE, data, now)
        made = [(f"letter-{language}.pdf", letter), *proofs.files(found, ledger.custody.subtree)]
        _write(out, made)
        with _written(config), ledger.transaction():
            digest = hashlib.sha256(letter).digest()
            ledger.corrections.exported(found.row.id, _ms(now), language, digest)
    left = days_left(found.first_at, now)
    click.echo(f"{out}: {_count(len(made), 'file')}; {_left(left)}.")
    if left < 0:
        click.echo(f"The {DAYS} days are over: nothing can be changed any more (Q35).", err=True)
    elif found.row.replaced_by is not None:
        click.echo(f"It was replaced by dossier {found.row.replaced_by}.", err=True)
    else:
        click.echo(f"Check letter-{language}.pdf, sign it, and send it to the ONSS.", err=True)


def _note_disclosure(registry: Registry, found: Dossier, now: datetime) -> None:
    """Note in the registry whose numbers the letter shows, before it is made."""
    people = dict.fromkeys(one.employment.person for one in found.stamps if one.employment)
    with registry.store.change("correction export", now) as change:
        disclose(change, people, "niss", account(), f"correction dossier {found.reference}")


@contextmanager
def _stores(config: Path) -> Iterator[tuple[Ledger, Registry]]:
    loaded, folder = load(config), config.parent
    registry = Registry.open(folder / loaded.registry, secret_path(folder, loaded.registry_key))
    with registry, closing(Ledger.open(folder / loaded.ledger)) as ledger:
        yield ledger, registry


@contextmanager
def _written(config: Path) -> Iterator[None]:
    try:
        yield
    except LedgerFailed as error:
        what = f"can't write the ledger of {config}: {error}"
        raise BadInput(what, "look at its disk, and try again") from error


def _write(out: Path, made: Sequence[tuple[str, bytes]]) -> None:
    """Write files that only their owner can read."""
    try:
        out.mkdir(mode=0o700, parents=True)
        for name, content in made:
            path = out / name
            path.parent.mkdir(mode=0o700, exist_ok=True)
            with os.fdopen(
                os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
            ) as file:
                file.write(content)
    except OSError as error:
        raise BadInput(f"can't write {out}: {error.strerror}", "choose another folder") from error


def _summary(found: Dossier, now: datetime) -> dict[str, object]:
    row: DossierRow = found.row
    return {
        **msgspec.to_builtins(row),
        "reference": found.reference,
        "last_day": last_day(found.first_at).isoformat(),
        "days_left": days_left(found.first_at, now),
    }


def _line(found: Dossier, now: datetime) -> str:
    row, left = found.row, days_left(found.first_at, now)
    opened = datetime.fromtimestamp(row.at_ms / 1000, UTC).astimezone(BELGIUM).date().isoformat()
    colour = "red" if left < 0 else "yellow" if left <= 7 else "green"
    if row.replaced_by is not None:
        how = f"replaced by {row.replaced_by}"
    else:
        how = "exported" if row.exported_ms else "not exported yet"
    return (
        click.style(f"{row.id:>4}", bold=True)
        + f"  {row.wrong} {row.registered} → {row.correct}, "
        + f"{_count(len(row.taps), 'registration')}, opened {opened}, {how}, "
        + click.style(_left(left), fg=colour)
    )


def _left(days: int) -> str:
    if days < 0:
        return f"the {DAYS} days are over"
    return "the last day is today" if days == 0 else f"{_count(days, 'day')} left"


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _print(value: object) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is, Unix seconds; a test gives another as click's object."""

    now_s: Callable[[], float] = time.time


def _now() -> datetime:
    clock = click.get_current_context().find_object(Clock) or Clock()
    return datetime.fromtimestamp(clock.now_s(), UTC)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
