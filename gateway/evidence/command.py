"""Edge: `ciao-gateway evidence export`: a bundle of a site and a period, while the gateway runs."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import click

from ciao.commands import Commands
from ciao.errors import BadInput
from ciao.evidence import exporting
from ciao.evidence.source import Terminal
from ciao.evidence.writer import Asked, Bundle
from ciao.journal.archive import archives
from ciao.journal.retention import cosigned_at_s
from ciao.keys import secret_path
from ciao.moments import zone
from ciao.names import GATEWAY_PREFIX
from ciao.reading import rfc3339
from gateway.acknowledging import config_option
from gateway.config import Config, load
from gateway.evidence import attaching
from gateway.evidence.choosing import stood_at
from gateway.evidence.disclosing import Disclosing
from gateway.ledger import Ledger, LedgerFailed
from gateway.ledger.evidence import (
    LedgerLog,
    deletions_said,
    has_thrown_away,
    is_deleted,
    logs_of,
    open_to_read,
)
from gateway.logs import masked
from gateway.openers import openers
from gateway.report.deleted import Kept
from gateway.report.making import Told
from gateway.report.signing import load_seal
from gateway.report.stamper import Stamper
from gateway.report.witnessing import Witness, witness_of
from gateway.timestamping.authority import Authority, load_roots
from gateway.timestamping.shelf import Shelf
from gateway.witness.settings import witness_key
from provisioning.registry.registry import Registry

REASON_MAX = 500


@click.group(cls=Commands)
def evidence() -> None:
    """Evidence that an inspector can check without trusting us or the employer."""


@evidence.command()
@exporting.options
@click.option("--site", metavar="ID", help="Only the terminals that stood there; all unless given.")
@click.option("--full", is_flag=True, help="Disclose what badges said; for those entitled to it.")
@click.option("--reason", metavar="TEXT", help="Why --full; kept with the gateway's decisions.")
@click.option("--time-zone", default="Europe/Brussels", show_default=True, help="What a day means.")
@click.option("--report/--no-report", default=True, show_default=True, help="With report.pdf.")
@config_option
def export(
    out: Path,
    start: str | None,
    end: str | None,
    lang: Literal["fr", "nl", "de", "en"],
    site: str | None,
    full: bool,
    reason: str | None,
    time_zone: str,
    report: bool,
    config: Path,
) -> None:
    """Write a bundle: every entry of the period, what proves it, a table and a report for people.

    It only reads the ledger, so the gateway may be running or not. It names nobody;
    with --full it discloses badges' UIDs, and that this was done is written down first.
    Whoever gets it checks it with `ciao-verify`.
    """
    loaded, folder = load(config), config.parent
    first, last = exporting.period(start, end, zone(time_zone), datetime.now(UTC))
    if full and not (reason or "").strip():
        raise BadInput("--full discloses who tapped, and there is no --reason", "say who asked")
    with ExitStack() as stack:
        # The journal before the ledger: what it names the ledger has.
        own = _own_journal(loaded, folder, stack)
        db = stack.enter_context(closing(open_to_read(folder / loaded.ledger)))
        terminals, name = _terminals(loaded, folder, db, site, first, last)
        disclose = None
        if full:
            _noted(folder / loaded.ledger, terminals, first, last, reason or "")
            disclose = Disclosing(openers(loaded.keys, folder), partial(is_deleted, db))
        now = datetime.now(ZoneInfo(time_zone))
        asked = Asked(first, last, _whole(now), "gateway", lang, name, disclose=disclose)
        deletions = partial(_add_deletions, db, own, [one.name for one in terminals])
        attach = partial(_attach, loaded, folder, report, deletions)
        exporting.export(out, asked, [*terminals, own], attach)


def _own_journal(config: Config, folder: Path, stack: ExitStack) -> Terminal:
    """Open what this gateway wrote of itself, of the ONSS and of the notes that it cosigned."""
    found, unreadable = archives(folder / config.journal)
    for archive in found:
        stack.callback(archive.close)
    for name in unreadable:
        click.echo(f"left out, since it can't be read whole: {name}", err=True)
    return Terminal(GATEWAY_PREFIX + config.gateway, list(found), [], [])


def _add_deletions(
    db: sqlite3.Connection, own: Terminal, terminals: Sequence[str], bundle: Bundle
) -> None:
    """Add the entries of our own journal that say what of the bundle was deleted, and say so."""
    said = deletions_said(db, bundle.parts, terminals)
    if number := attaching.add_deletions(bundle, own.logs, said):
        what = "some of what badges said, or whole logs, was deleted after its time"
        click.echo(f"{what}: {number} entries of the gateway's journal say so")


def _attach(
    config: Config,
    folder: Path,
    report: bool,
    deletions: Callable[[Bundle], None],
    bundle: Bundle,
) -> None:
    """Add what was deleted, what an authority stamped, and the report."""
    deletions(bundle)
    authority, stamped = None, 0
    if config.timestamping is not None:
        settings = config.timestamping
        authority = Authority(settings.url, load_roots(folder / settings.roots))
        stamped = attaching.add_stamps(bundle, Shelf(folder / settings.folder).each())
    if not report:
        return
    seal = None
    if config.report is not None:
        stamper = Stamper(authority) if authority else None
        seal = load_seal(folder / config.report.certificate, folder / config.report.key, stamper)
    told = Told(
        witnesses=_witnesses(config, bundle),
        stamped_by=[authority.url] if authority and stamped else [],
        kept=Kept(config.retention.payload_days, config.retention.segment_days),
    )
    attaching.add_report(bundle, told, seal, lambda line: click.echo(line, err=True))


def _witnesses(config: Config, bundle: Bundle) -> list[Witness]:
    """Say who outside did cosign our journal in that time, whatever is configured."""
    if config.witness is None:
        return []
    found = witness_of(bundle.folder, witness_key(config.witness))
    if found is None:
        click.echo("report.pdf is grade C: the witness cosigned nothing of this period", err=True)
    return [found] if found else []


def _terminals(
    config: Config,
    folder: Path,
    db: sqlite3.Connection,
    site: str | None,
    start: datetime,
    end: datetime,
) -> tuple[list[Terminal], str | None]:
    """Choose the terminals, and name the site."""
    found = []
    with Registry.open(
        folder / config.registry, secret_path(folder, config.registry_key)
    ) as registry:
        sites = {one.id: one.site.name for one in registry.sites()}
        if site is not None and site not in sites:
            raise BadInput(f"there is no site {site!r}", f"one of: {', '.join(sorted(sites)[:8])}")
        for terminal in registry.terminals():
            issued = registry.bindings(terminal.id)
            if site is not None and not stood_at(site, issued, start, end):
                continue
            logs = logs_of(db, terminal.id)
            notes, links = [one.note for one in issued], registry.succession(terminal.employer)
            since = _begins(db, terminal.id, logs, start)
            found.append(Terminal(terminal.id, list(logs), notes, links, since))
    return found, sites[site] if site is not None else None


def _begins(
    db: sqlite3.Connection, terminal: str, logs: Sequence[LedgerLog], start: datetime
) -> datetime | None:
    """Say from when on there is anything of a terminal; None where nothing was deleted whole."""
    note = logs[0].note_from(0) if logs and has_thrown_away(db, terminal) else None
    if note is None:
        return None
    since = datetime.fromtimestamp(cosigned_at_s(note.note), start.tzinfo)
    if since > start:
        click.echo(f"{terminal}: all before {rfc3339(since)} was deleted whole, after its time")
    return since


def _noted(
    ledger: Path, terminals: Sequence[Terminal], start: datetime, end: datetime, reason: str
) -> None:
    """Write down that identities are disclosed, before they are."""
    if len(reason) > REASON_MAX:
        raise BadInput("--reason is too long", f"at most {REASON_MAX} characters")
    names = [f"{one.name} {rfc3339(start)} {rfc3339(end)}" for one in terminals]
    try:
        with closing(Ledger.open(ledger)) as opened, opened.transaction():
            at_ms = time.time_ns() // 1_000_000
            opened.care.decide("disclose", names, masked(reason), at_ms)
    except LedgerFailed as error:
        raise BadInput(
            f"can't write {ledger}: {error}", "look at its disk, and try again"
        ) from error


def _whole(now: datetime) -> datetime:
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
