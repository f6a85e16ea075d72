"""`ciao-provision broker`: what mosquitto needs, in one folder."""

from __future__ import annotations

import os
import pwd
import shutil
from datetime import timedelta
from pathlib import Path

import click

from ciao.errors import BadInput
from ciao.keys import load_p256_key, replace_file
from provisioning import ca
from provisioning.broker import BrokerFiles, acl, mosquitto_conf
from provisioning.files import NewFiles
from provisioning.identities import load_certificate
from provisioning.obeying import put, signal_broker
from provisioning.office import Office, with_office
from provisioning.registry import office_certificates
from provisioning.revoking import broker_of, lists

# With less left than this, the next run issues the broker's certificate anew.
RENEWED_BEFORE = timedelta(days=60)


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The folder; `broker` in the office's if absent.",
)
@click.option("--listen", help="The address to listen on; the broker's host unless given.")
@click.option("--user", help="The account mosquitto runs as, when it is started as root.")
@with_office
def broker(office: Office, out: Path | None, listen: str | None, user: str | None) -> None:
    """Write mosquitto.conf, the access list, revoked certificates, and the broker's certificate.

    Run again after a change: settings and lists are rewritten; the certificate is kept until 60
    days before its end, then issued anew. A mosquitto that runs on it is told to read its files
    again (a change of mosquitto.conf itself needs a restart).
    """
    settings = office.settings.broker
    if not settings.tls:
        raise BadInput("mosquitto is used with mutual TLS only", "set tls = true, under [broker]")
    place = broker_of(office, out)
    if user is not None:
        _can_enter(place.folder, user)
    with office.edges.files() as files:
        folder = files.folder(place.folder)
        own = BrokerFiles(
            ca_certificate=str(folder / "ca.pem"),
            certificate=str(folder / "broker.pem"),
            key=str(folder / "broker.key"),
            acl=str(folder / "acl"),
            crl=str(place.revoked),
            pid=str(place.pid),
        )
        text = mosquitto_conf(own, address=listen or settings.host, port=settings.port, user=user)
        renewed = _certificate(office, files, folder)
        replace_file(folder / "mosquitto.conf", text.encode())
        gateways = [gateway.id for gateway in office.registry.gateways()]
        replace_file(folder / "acl", acl(gateways).encode())
        replace_file(place.revoked, lists(office, place))
    if user is not None:
        _give(folder, user)
    told = signal_broker(place) is None
    click.echo(f"wrote {folder}{', with a new certificate' if renewed else ''}")
    conf = folder / "mosquitto.conf"
    click.echo("told mosquitto to read it" if told else f"start: mosquitto -c {conf}")
    if user is None and os.geteuid() == 0:
        click.echo("note: started as root, mosquitto becomes another account: name it with --user")


def _certificate(office: Office, files: NewFiles, folder: Path) -> bool:
    """Issue the broker's certificate where there is none, or where it soon runs out."""
    held = folder / "broker.pem"
    if held.exists():
        made = load_certificate(held, "put a copy back, or move the broker's folder away")
        if made.not_valid_after_utc - office.edges.now() > RENEWED_BEFORE:
            return False
    authority = office.authority()
    identity = ca.issue_server(
        authority,
        [office.settings.broker.host],
        now=office.edges.now(),
        random_bytes=office.edges.random_bytes,
        key=load_p256_key(folder / "broker.key") if held.exists() else None,
    )
    if held.exists():
        with office.registry.store.change("certificate renew broker", office.now()) as change:
            office_certificates.replaced(change, "broker", load_certificate(held))
        put(held, identity.certificate_pem)
    else:
        files.public(folder / "ca.pem", authority.certificate_pem)
        files.identity(folder, "broker", identity)
    return True


def _can_enter(folder: Path, user: str) -> None:
    """Refuse a folder that mosquitto's account can't reach: an office is open to its owner only."""
    try:
        account = pwd.getpwnam(user)
    except KeyError as error:
        raise BadInput(f"there is no account {user!r} here", "see: getent passwd") from error
    groups = os.getgrouplist(user, account.pw_gid)
    for parent in folder.parents if account.pw_uid != 0 else ():
        if not parent.exists():
            continue
        its = parent.stat()
        allowed = 0o100 if its.st_uid == account.pw_uid else 0o010 if its.st_gid in groups else 1
        if not its.st_mode & allowed:
            raise BadInput(
                f"{user} can't enter {parent}, so mosquitto would not start",
                "put its files elsewhere: --out DIR, and give `terminal revoke` --broker DIR",
            )


def _give(folder: Path, user: str) -> None:
    """Let mosquitto read its own: it drops root's rights before it opens its key."""
    try:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, user)
    except (LookupError, PermissionError) as error:
        raise BadInput(f"can't give {folder} to {user}: {error}", "run as root") from error
