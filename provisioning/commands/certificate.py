"""`ciao-provision certificate`: what is renewed by hand, when it runs out, and what is revoked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from ciao.commands import Commands
from ciao.errors import BadInput
from ciao.mqtt import REVOKED_NAME
from ciao.names import GATEWAY_PREFIX
from provisioning import ca, listing
from provisioning.commands.shared import broker_option, json_option
from provisioning.identities import load_certificate, load_identity
from provisioning.obeying import Broker, put, signal_broker
from provisioning.office import Office, with_office
from provisioning.registry import office_certificates
from provisioning.revoking import BROKER_FOLDER, broker_of, enforce_gateway, for_peers, lists

RENEWED_BEFORE = timedelta(days=60)
_FRESH = timedelta(days=1)
_NO_FILE = "give --broker DIR, where `ciao-provision broker` wrote it"


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate in the office's folder."""

    path: Path
    name: str
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
            with office.registry.store.change(f"certificate renew {one.name}", office.now()) as row:
                office_certificates.replaced(row, one.name, one.certificate)
            key = load_identity(one.path, one.path.with_suffix(".key")).key
            put(one.path, _issued(office, one, key).certificate_pem)
            renewed.append(one.path.name)
    click.echo(f"renewed {', '.join(renewed)}; restart the gateway" if renewed else "none was due")


@certificate.command()
@click.argument("what", type=click.Choice(["gateway", "enrolment", "broker"]))
@click.option("--why", required=True, help="For the history, such as: its machine was broken into.")
@click.option("--again", is_flag=True, help="Also the one that took its place within the last day.")
@broker_option
@with_office
def revoke(office: Office, what: str, why: str, again: bool, broker: Path | None) -> None:
    """End a certificate whose key others may know, and make another with a new key.

    \b
    gateway     the broker refuses the old one, and its session is ended: both have been seen
                when this command returns. Restart the gateway.
    broker      a new one lies in the broker's folder: restart mosquitto, then the gateway.
    enrolment   restart the gateway.

    Terminals look once a day, at the enrolment server, which server is revoked; until then, and
    while they can't reach it, they take the old certificate of broker or enrolment server for
    good. Whoever has it can keep messages from them, but not read or settle them. Run again within
    a day, it sees to the broker once more, and ends nothing further.
    """
    if not office.settings.broker.tls:
        raise BadInput("there are no certificates without TLS", "set tls = true, under [broker]")
    place = broker_of(office, broker)
    one = next((one for one in _held(office, place.folder) if one.name == what), None)
    if one is None:
        raise BadInput(f"there is no certificate of the {what} here", _NO_FILE)
    _end(office, one, why, again)
    _tell_peers(office, place)
    if what == "gateway":
        enforce_gateway(office, place, _gateway(office))
        click.echo("the broker refuses its certificate; its session has ended")
    elif what == "broker":
        click.echo(f"a new certificate and key lie in {place.folder}; restart mosquitto")
    click.echo("restart the gateway; terminals that serve it know within a day")


def _end(office: Office, one: Held, why: str, again: bool) -> None:
    """Note that a certificate is revoked, and put another in its place; each step once."""
    registry, now = office.registry, office.now()
    revoked = {serial for serial, _ in office_certificates.revoked(registry, now)}
    last = office_certificates.last_revoked(registry, one.name)
    fresh = last is not None and now - last < _FRESH
    if one.certificate.serial_number not in revoked:
        if fresh and not again:
            click.echo(f"{one.path.name} took the revoked one's place; nothing more was revoked")
            return
        with registry.store.change(f"certificate revoke {one.name}", now) as change:
            office_certificates.revoke(registry, change, one.name, one.certificate, why)
    # One of these without the other: the next run finds the old certificate, and makes both anew.
    made = _issued(office, one, ca.new_key(office.edges.random_bytes))
    put(one.path.with_suffix(".key"), made.key_pem)
    put(one.path, made.certificate_pem)
    click.echo(f"{one.path.name}: revoked, and another made, with a new key")


def _tell_peers(office: Office, place: Broker) -> None:
    """Write the root's list for the broker, and for those who look at servers' certificates."""
    if place.authority.exists():
        put(place.revoked, lists(office, place))
        signal_broker(place)
    peers = office.path(office.settings.issuer) / REVOKED_NAME
    put(peers, for_peers(office, peers))


def _issued(office: Office, one: Held, key: EllipticCurvePrivateKey) -> ca.Identity:
    """Certify a key as what a certificate is for, by the root."""
    root = office.authority()
    made: ca.Made = {"now": office.edges.now(), "random_bytes": office.edges.random_bytes}
    if one.path.stem == "issuer":
        gateways = [gateway.id for gateway in office.registry.gateways()]
        return ca.make_issuer(root, gateways, key=key, **made)
    if one.path.stem in ("enrolment", "broker"):
        names = one.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return ca.issue_server(root, [str(name.value) for name in names.value], key=key, **made)
    return ca.issue_client(root, GATEWAY_PREFIX + _gateway(office), key=key, **made)


def _gateway(office: Office) -> str:
    return next(gateway.id for gateway in office.registry.gateways())


def _held(office: Office, broker: Path | None = None) -> Iterator[Held]:
    gateway = office.path(office.settings.issuer)
    for path, name, what in (
        (office.path(office.settings.ca) / "ca.pem", "root", "the root of all"),
        (gateway / "issuer.pem", "issuer", "signing terminals"),
        (gateway / "tls.pem", "gateway", "the gateway at the broker"),
        (gateway / "enrolment.pem", "enrolment", "the enrolment server"),
        ((broker or office.path(BROKER_FOLDER)) / "broker.pem", "broker", "the broker"),
    ):
        if path.exists():
            yield Held(path, name, what, load_certificate(path))
