"""`ciao-provision badge`: which badge is in whose hands."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from ciao import identifiers
from ciao.commands import Commands
from ciao.errors import BadInput
from ciao.moments import shown
from provisioning import listing
from provisioning.commands.shared import (
    add_list_and_show,
    answered,
    asked_for,
    done,
    json_option,
    made,
)
from provisioning.office import Office, moment, with_office
from provisioning.registry import Badge, badges


@click.group(cls=Commands)
def badge() -> None:
    """Badges: enrolled, given back, revoked; always with their history."""


@badge.command()
@asked_for("--uid", "In hex, such as 04A1B2C3D4E580")
@click.option("--employment", required=True, help="Whose it becomes; see `employment list`.")
@click.option(
    "--tier",
    type=click.Choice(["uid", "sun", "aes"]),
    default="uid",
    show_default=True,
    help="How it proves itself: by nothing but its UID, or by a cryptogram.",
)
@click.option("--from", "start", help="From when.")
@click.option("--until", "end", help="The last day, or the moment it is given back.")
@json_option
@with_office
def add(
    office: Office,
    uid: str | None,
    employment: str,
    tier: str,
    start: str | None,
    end: str | None,
    as_json: bool,
) -> None:
    """Enrol a badge; its id is all that goes to standard output.

    Without --from, a badge that nobody had before counts from the employment's first day, so taps
    made before it was enrolled are resolved; one that somebody had counts from now.
    """
    starts = moment(start, office.zone) if start else None
    ends = moment(end, office.zone, last=True) if end else None
    badges.holder(office.registry, employment)
    raw = identifiers.uid(answered(uid, "--uid", "UID"))
    with office.change(f"badge add {employment}") as (change, _):
        added = badges.add(
            office.registry, change, raw, employment, tier, starts, ends, office.now()
        )
    _made(office, added, as_json)


@badge.command()
@click.option("--employment", multiple=True, help="Whose it becomes; again for the next badge.")
@click.option("--replaces", metavar="BADGE", help="Or: the lost badge that this one stands for.")
@click.option("--why", default="lost", show_default=True, help="With --replaces; no names.")
@click.option("--at", help="With --replaces: from when the lost one's taps are held; or now.")
@click.option(
    "--reader",
    type=click.Path(path_type=Path),
    default=Path("/dev/ttyUSB0"),
    show_default=True,
    envvar="CIAO_DESK_READER",
    show_envvar=True,
    help="The desk reader's serial port.",
)
@click.option(
    "--wait", type=click.FloatRange(0, 3600), default=60, show_default=True, help="Seconds a badge."
)
@json_option
@with_office
def enrol(
    office: Office,
    employment: tuple[str, ...],
    replaces: str | None,
    why: str,
    at: str | None,
    reader: Path,
    wait: float,
    as_json: bool,
) -> None:
    """Lay a badge on the desk reader: it becomes somebody's.

    \b
      badge enrol --employment e1 --employment e2     one badge after the other
      badge enrol --replaces b7 --why lost            the lost one's taps are held from now
    """
    if (replaces is None) == (not employment):
        raise BadInput("whose badge?", "give --employment, again for each, or --replaces")
    held = moment(at, office.zone) if at else office.now()
    with office.edges.open_desk(reader, _tell) as next_badge:
        if replaces is not None:
            _tell(f"lay the badge that replaces {replaces} on the reader")
            fresh = _replace(office, replaces, next_badge(wait), why, held)
            _made(office, fresh, as_json, replaces)
        for one in employment:
            holder = office.registry.employment(one)
            _tell(f"lay the badge of {one} ({holder.initials if holder else '?'}) on the reader")
            raw = next_badge(wait)
            with office.change(f"badge enrol {one}") as (change, _):
                added = badges.add(
                    office.registry, change, raw, one, "uid", None, None, office.now()
                )
            _made(office, added, as_json)


def _made(office: Office, added: Badge, as_json: bool, replaced: str | None = None) -> None:
    """Say whose a badge is now, and that terminals hear of it by themselves."""
    holder = badges.holder(office.registry, added.employment)
    text = f"added {added.id}, the badge of {holder.initials} ({holder.id})"
    if replaced is not None:
        lost = badges.found(office.registry, replaced)
        since = shown(lost.revoked_at or added.period.start, office.zone)
        text += f" for {replaced}, whose taps are held from {since} on: ciao-gateway held"
    else:
        text += f" from {shown(added.period.start, office.zone)} on"
    text += "; a running gateway tells the terminals"
    made(added.id, text, listing.badge(office.registry, added, office.zone), as_json)


def _tell(text: str) -> None:
    click.echo(text, err=True)


@badge.command()
@click.argument("badge_id", metavar="ID")
@asked_for("--uid", "Of the new badge, in hex")
@click.option("--why", required=True, help="Lost, stolen, worn out; no names.")
@click.option("--at", help="From when the old one's taps are held for a person; or now.")
@json_option
@with_office
def replace(
    office: Office, badge_id: str, uid: str | None, why: str, at: str | None, as_json: bool
) -> None:
    """Replace a lost badge: the old one is revoked, the new one is the same person's.

    With a desk reader: badge enrol --replaces ID
    """
    held = moment(at, office.zone) if at else office.now()
    badges.found(office.registry, badge_id)
    raw = identifiers.uid(answered(uid, "--uid", "UID"))
    _made(office, _replace(office, badge_id, raw, why, held), as_json, badge_id)


def _replace(office: Office, lost: str, uid: bytes, why: str, at: datetime) -> Badge:
    with office.change(f"badge replace {lost}") as (change, _):
        return badges.swap(office.registry, change, lost, uid, "uid", why, at)


@badge.command()
@click.argument("badge_id", metavar="ID")
@click.option("--at", help="The moment it was given back; now unless given.")
@json_option
@with_office
def end(office: Office, badge_id: str, at: str | None, as_json: bool) -> None:
    """Note that a badge was given back; it may then become somebody else's."""
    ends = moment(at, office.zone, last=True) if at else office.now()
    with office.change(f"badge end {badge_id}") as (change, _):
        ended = badges.end(office.registry, change, badge_id, ends)
    record = listing.badge(office.registry, ended, office.zone)
    done(f"{badge_id} ends at {shown(record['until'], office.zone)}", record, as_json)


@badge.command()
@click.argument("badge_id", metavar="ID")
@click.option("--why", required=True, help="Lost, stolen, copied; no names.")
@click.option("--at", help="From when its taps are held for a person; now unless given.")
@json_option
@with_office
def revoke(office: Office, badge_id: str, why: str, at: str | None, as_json: bool) -> None:
    """Revoke a lost badge: its taps are kept, and held for a person."""
    held = moment(at, office.zone) if at else office.now()
    with office.change(f"badge revoke {badge_id}") as (change, _):
        revoked = badges.revoke(office.registry, change, badge_id, why, held)
    record = listing.badge(office.registry, revoked, office.zone)
    done(f"revoked {badge_id} from {shown(record['revoked_at'], office.zone)}", record, as_json)


add_list_and_show(
    badge,
    "badge",
    "badges",
    lambda office: [
        listing.badge(office.registry, one, office.zone) for one in office.registry.badges()
    ],
)
