"""What a broker must be told of revoked certificates, and that it obeys. Decision 18."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from ciao.errors import BadInput
from provisioning import ca, crl
from provisioning.obeying import Broker, Client, end_session, obey, put
from provisioning.office import Office
from provisioning.registry import certificates

# For the certificates by which the broker is tried, and a session pushed off.
MOMENTARY = timedelta(minutes=10)
BROKER_FOLDER = "broker"


def broker_of(office: Office, folder: Path | None) -> Broker:
    """Where the broker's files are: beside the office's settings unless said otherwise."""
    where = (folder or office.path(BROKER_FOLDER)).resolve()
    return Broker(where, office.settings.broker.host, office.settings.broker.port)


def lists(office: Office, broker: Broker, also: int | None = None) -> bytes:
    """Write both lists, later than those there; `also` is a serial number to revoke besides."""
    now = office.now()
    before = crl.read(broker.revoked.read_bytes()) if broker.revoked.exists() else []
    revoked = certificates.revoked(office.registry, now)
    if also is not None:
        revoked.append((also, now))
    return crl.write(office.authority(), [], before, now) + crl.write(
        office.issuer(), revoked, before, now
    )


def enforce(office: Office, broker: Broker, terminal: str) -> None:
    """Make the broker refuse what the registry revokes, and end the terminal's session.

    When this returns, the broker has been seen to do both. Raises BadInput where it does not.
    """
    if not broker.authority.exists():
        raise BadInput(
            f"there is no broker's folder at {broker.folder}, so nothing was told to the broker",
            "give --broker DIR, where `ciao-provision broker` wrote it",
        )
    refused = _client(office, terminal)
    put(
        broker.revoked,
        lists(office, broker, refused.identity.certificate.serial_number),
    )
    obey(broker, refused, office.edges.pause)
    end_session(broker, _client(office, terminal))


def _client(office: Office, terminal: str) -> Client:
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
