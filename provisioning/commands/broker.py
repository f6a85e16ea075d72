"""`ciao-provision broker`: what mosquitto needs, in one folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from ciao.errors import BadInput
from ciao.keys import replace_file
from provisioning import ca
from provisioning.broker import BrokerFiles, acl, mosquitto_conf
from provisioning.files import NewFiles
from provisioning.office import Office, with_office


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--listen", help="The address to listen on; the broker's host unless given.")
@click.option("--user", help="The account mosquitto runs as, when it is started as root.")
@with_office
def broker(office: Office, out: Path, listen: str | None, user: str | None) -> None:
    """Write mosquitto.conf, the access list, and the broker's certificate.

    Run again after a change: settings are rewritten, the certificate is kept.
    """
    settings = office.settings.broker
    if not settings.tls:
        raise BadInput("mosquitto is used with mutual TLS only", "set tls = true, under [broker]")
    with office.edges.files() as files:
        folder = files.folder(out).resolve()
        own = BrokerFiles(
            ca_certificate=str(folder / "ca.pem"),
            certificate=str(folder / "broker.pem"),
            key=str(folder / "broker.key"),
            acl=str(folder / "acl"),
        )
        text = mosquitto_conf(own, address=listen or settings.host, port=settings.port, user=user)
        if not (folder / "broker.key").exists():
            _certificate(office, files, folder)
        replace_file(folder / "mosquitto.conf", text.encode())
        gateways = [gateway.id for gateway in office.registry.gateways()]
        replace_file(folder / "acl", acl(gateways).encode())
    if user is not None:
        _give(folder, user)
    click.echo(f"wrote {folder}; start: mosquitto -c {folder / 'mosquitto.conf'}")


def _certificate(office: Office, files: NewFiles, folder: Path) -> None:
    authority = office.authority()
    identity = ca.issue_broker(
        authority,
        [office.settings.broker.host],
        now=office.edges.now(),
        random_bytes=office.edges.random_bytes,
    )
    files.public(folder / "ca.pem", authority.certificate_pem)
    files.public(folder / "broker.pem", identity.certificate_pem)
    files.secret(folder / "broker.key", identity.key_pem)


def _give(folder: Path, user: str) -> None:
    """Let mosquitto read its own: it drops root's rights before it opens its key."""
    try:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, user)
    except (LookupError, PermissionError) as error:
        raise BadInput(f"can't give {folder} to {user}: {error}", "run as root") from error
