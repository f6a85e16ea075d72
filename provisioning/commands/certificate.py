"""`ciao-provision certificate`: what is renewed by hand, and when it runs out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from cryptography import x509

from ciao.commands import Commands
from ciao.names import GATEWAY_PREFIX
from provisioning import ca, listing
from provisioning.commands.shared import json_option
from provisioning.identities import load_certificate, load_identity
from provisioning.obeying import put
from provisioning.office import Office, with_office
from provisioning.revoking import BROKER_FOLDER

RENEWED_BEFORE = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate in the office's folder."""

    path: Path
    what: str
    certificate: x509.Certificate

    def days_left(self, now: datetime) -> int:
        """Count the whole days that are left; negative where it ran out."""
        return (self.certificate.not_valid_after_utc - now).days


@click.group(cls=Commands)
def certificate() -> None:
    """Certificates of the gateway and its servers; terminals renew theirs by themselves."""


@certificate.command("list")
@json_option
@with_office
def list_all(office: Office, as_json: bool) -> None:
    """List what is renewed by hand, and when it runs out."""
    now = office.now()
    records: list[dict[str, Any]] = [
        {
            "file": str(one.path.relative_to(office.folder)),
            "for": one.what,
            "until": one.certificate.not_valid_after_utc.astimezone(office.zone),
            "days_left": one.days_left(now),
        }
        for one in _held(office)
    ]
    listing.show_all(records, as_json)


@certificate.command()
@click.option("--force", is_flag=True, help="Also with more than 60 days left.")
@with_office
def renew(office: Office, force: bool) -> None:
    """Issue anew what has less than 60 days left: gateway, enrolment server, issuer.

    Keys stay, so each is one file that is replaced whole. Restart the gateway afterwards; the
    broker's is renewed by `ciao-provision broker`, terminals renew theirs themselves.
    """
    now, gateway = office.edges.now(), office.path(office.settings.issuer)
    renewed = []
    for one in _held(office):
        if one.path.parent == gateway and (force or one.days_left(now) < RENEWED_BEFORE.days):
            put(one.path, _again(office, one).certificate_pem)
            renewed.append(one.path.name)
    click.echo(f"renewed {', '.join(renewed)}; restart the gateway" if renewed else "none was due")


def _again(office: Office, one: Held) -> ca.Identity:
    """Certify a key that is there already once more, by the root."""
    root = office.authority()
    key = load_identity(one.path, one.path.with_suffix(".key")).key
    made: ca.Made = {"now": office.edges.now(), "random_bytes": office.edges.random_bytes}
    if one.path.stem == "issuer":
        gateways = [gateway.id for gateway in office.registry.gateways()]
        return ca.make_issuer(root, gateways, key=key, **made)
    if one.path.stem == "enrolment":
        names = one.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return ca.issue_server(root, [str(name.value) for name in names.value], key=key, **made)
    gateway = next(gateway.id for gateway in office.registry.gateways())
    return ca.issue_client(root, GATEWAY_PREFIX + gateway, key=key, **made)


def _held(office: Office) -> Iterator[Held]:
    gateway = office.path(office.settings.issuer)
    for path, what in (
        (office.path(office.settings.ca) / "ca.pem", "the root of all"),
        (gateway / "issuer.pem", "signing terminals"),
        (gateway / "tls.pem", "the gateway at the broker"),
        (gateway / "enrolment.pem", "the enrolment server"),
        (office.path(BROKER_FOLDER) / "broker.pem", "the broker"),
    ):
        if path.exists():
            yield Held(path, what, load_certificate(path))
