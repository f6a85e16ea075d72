"""What a broker must be told of revoked certificates, and that it obeys. Decisions 18 and 26."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from ciao.errors import BadInput
from ciao.names import GATEWAY_PREFIX
from provisioning import ca, crl
from provisioning.crl import Revoked
from provisioning.obeying import Broker, Client, end_session, obey, put
from provisioning.office import Office
from provisioning.registry import Registry, certificates, office_certificates

# For the certificates by which the broker is tried, and a session pushed off.
MOMENTARY = timedelta(minutes=10)
BROKER_FOLDER = "broker"


def broker_of(office: Office, folder: Path | None) -> Broker:
    """Where the broker's files are: beside the office's settings unless said otherwise."""
    where = (folder or office.path(BROKER_FOLDER)).resolve()
    return Broker(where, office.settings.broker.host, office.settings.broker.port)


def lists(office: Office, broker: Broker, also: Sequence[Client] = ()) -> bytes:
    """Write both lists, later than those there; `also` are certificates to revoke besides."""
    return _list(
        office, office.authority(), office_certificates.revoked, broker.revoked, also
    ) + _list(office, office.issuer(), certificates.revoked, broker.revoked, also)


def for_peers(office: Office, path: Path) -> bytes:
    """Write the root's list alone, later than the one in a file: of those who serve terminals."""
    return _list(office, office.authority(), office_certificates.revoked, path)


def enforce(office: Office, broker: Broker, terminal: str) -> None:
    """Make the broker refuse what the registry revokes, and end the terminal's session.

    When this returns, the broker has been seen to do both. Raises BadInput where it does not.
    """
    _enforce(office, broker, partial(_as_terminal, office, terminal))


def enforce_gateway(office: Office, broker: Broker, gateway: str) -> None:
    """Make the broker refuse a gateway's revoked certificates, and end its session; as above."""
    _enforce(office, broker, partial(_as_gateway, office, gateway))


def _list(
    office: Office,
    authority: ca.Identity,
    revoked: Callable[[Registry, datetime], list[tuple[int, datetime]]],
    before: Path,
    also: Sequence[Client] = (),
) -> bytes:
    now = office.now()
    held = crl.read(before.read_bytes()) if before.exists() else []
    mine = [one.identity.certificate for one in also]
    extra = [one.serial_number for one in mine if one.issuer == authority.certificate.subject]
    every: Revoked = [*revoked(office.registry, now), *((serial, now) for serial in extra)]
    return crl.write(authority, every, held, now)


def _enforce(office: Office, broker: Broker, make: Callable[[], Client]) -> None:
    if not broker.authority.exists():
        raise BadInput(
            f"there is no broker's folder at {broker.folder}, so nothing was told to the broker",
            "give --broker DIR, where `ciao-provision broker` wrote it",
        )
    refused = make()
    put(broker.revoked, lists(office, broker, [refused]))
    obey(broker, refused, office.edges.pause)
    end_session(broker, make())


def _as_terminal(office: Office, terminal: str) -> Client:
    """Make a certificate for a terminal's name that lives for minutes, with a key of our own."""
    edges, issuer = office.edges, office.issuer()
    key = ca.new_key(edges.random_bytes)
    certificate = ca.issue_terminal(
        issuer,
        terminal,
        key.public_key(),
        now=edges.now(),
        random_bytes=edges.random_bytes,
        life=MOMENTARY,
    )
    return Client(terminal, ca.Identity(certificate, key), issuer.certificate_pem)


def _as_gateway(office: Office, gateway: str) -> Client:
    """The same for a gateway's name."""
    made: ca.Made = {"now": office.edges.now(), "random_bytes": office.edges.random_bytes}
    name, root = GATEWAY_PREFIX + gateway, office.authority()
    return Client(name, ca.issue_client(root, name, life=MOMENTARY, **made), b"")
