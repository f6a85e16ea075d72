"""`ciao-provision init`: an empty registry, its key, an authority and a gateway's keys."""

from __future__ import annotations

import ipaddress
from base64 import b64encode
from pathlib import Path

import click

from ciao import names
from ciao.errors import BadInput
from ciao.keys import new_sealing_key, new_signing_key, private_pem
from ciao.notes import COSIGNATURE_V1, Signer
from ciao.terminal_toml import Broker
from provisioning import ca, templates
from provisioning.files import NewFiles
from provisioning.office import SETTINGS_NAME, Edges, open_office, zone
from provisioning.ports import first_free
from provisioning.registry import organisation
from provisioning.registry.records import Keys
from provisioning.registry.registry import Registry

ANSWERS_KEY_SIZE = 32
ENROLMENT_PORT = 8884


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    required=True,
    help="Where all of it goes.",
)
@click.option("--domain", required=True, help="The operator's domain; it leads every log's name.")
@click.option("--gateway", default="one", show_default=True, help="The gateway's id.")
@click.option(
    "--time-zone", default="Europe/Brussels", show_default=True, help="Where days begin and end."
)
@click.option(
    "--broker-host",
    default="127.0.0.1",
    show_default=True,
    help="Where terminals and gateway find mosquitto; its certificate names it.",
)
@click.option(
    "--broker-port",
    type=click.IntRange(1, 65535),
    default=8883,
    show_default=True,
    help="Its port.",
)
@click.option(
    "--broker-tls/--no-broker-tls",
    default=True,
    help="Mutual TLS; without it only on this machine (127.0.0.1).",
)
@click.option("--enrolment-host", help="Where terminals enrol; the broker's host unless given.")
@click.option(
    "--enrolment-port",
    type=click.IntRange(1, 65535),
    help="8884 unless given, or the first after it that is free on this machine.",
)
@click.option(
    "--onss-base-url",
    default=templates.SIMULATION_BASE_URL,
    show_default=True,
    help="The ONSS's service; the simulation environment unless given.",
)
@click.option(
    "--onss-token-url",
    default=templates.SIMULATION_TOKEN_URL,
    show_default=True,
    help="Where it gives out access tokens.",
)
@click.pass_obj
def init(
    edges: Edges,
    folder: Path,
    domain: str,
    gateway: str,
    time_zone: str,
    broker_host: str,
    broker_port: int,
    broker_tls: bool,
    enrolment_host: str | None,
    enrolment_port: int | None,
    onss_base_url: str,
    onss_token_url: str,
) -> None:
    """Make a new world: registry, keys, certificate authority, gateway.

    \b
    Afterwards:
      ciao-provision employer add ID --name NAME --company NUMBER
      ciao-provision declaration add NUMBER
      ciao-provision site add ID --name NAME --post-code …
      ciao-provision terminal code ID --mode buttons
      ciao-provision employment add
      ciao-provision badge add --employment ID
    """
    names.operator_domain(domain)
    names.gateway_id(gateway)
    zone(time_zone)
    if not broker_tls and not _loopback(broker_host):
        raise BadInput(
            f"a broker on {broker_host} without TLS",
            "only 127.0.0.1 may be reached without",
        )
    if (folder / SETTINGS_NAME).exists():
        raise BadInput(f"{folder / SETTINGS_NAME} exists already", "give another --dir")
    broker = Broker(broker_host, broker_port, broker_tls)
    host = enrolment_host or broker_host
    server = _server(host, enrolment_port, edges) if broker_tls else None
    gateway_text = templates.gateway_toml(
        gateway=gateway,
        domain=domain,
        broker=broker,
        server=server,
        base_url=onss_base_url,
        token_url=onss_token_url,
    )
    text = templates.provision_toml(
        domain=domain, time_zone=time_zone, broker=broker, server=server
    )
    with edges.files() as files:
        files.folder(folder)
        _authority(files, folder, domain, gateway, host, edges)
        files.secret(folder / "gateway.toml", gateway_text.encode())
        files.secret(folder / SETTINGS_NAME, text.encode())
        _registry(files, folder, edges)
        _gateway(files, folder, gateway, edges)
    click.echo(f"made {folder}; next: ciao-provision employer add")


def _server(host: str, port: int | None, edges: Edges) -> templates.EnrolmentServer:
    """Choose where enrolment is served: another gateway may be on this machine already."""
    listen = "127.0.0.1" if _loopback(host) else "0.0.0.0"
    chosen = port or first_free(ENROLMENT_PORT, edges.is_taken)
    server = templates.EnrolmentServer(host, chosen, listen)
    if port is None and chosen != ENROLMENT_PORT:
        click.echo(f"terminals enrol at {server.url}, for {ENROLMENT_PORT} is taken here")
    return server


def _registry(files: NewFiles, folder: Path, edges: Edges) -> None:
    for suffix in ("db", "db-wal", "db-shm", "key"):
        files.expected(folder / f"registry.{suffix}")
    Registry.create(
        folder / "registry.db", folder / "registry.key", edges.now(), edges.random_bytes
    ).close()


def _authority(
    files: NewFiles, folder: Path, domain: str, gateway: str, host: str, edges: Edges
) -> None:
    """Make the root, the issuer below it, and the gateway's certificates."""
    made: ca.Made = {"now": edges.now(), "random_bytes": edges.random_bytes}
    authority = ca.make_ca(f"{domain} CA", **made)
    files.folder(folder / "ca")
    files.identity(folder / "ca", "ca", authority)
    own = files.folder(folder / "gateway")
    files.public(own / "ca.pem", authority.certificate_pem)
    files.identity(own, "tls", ca.issue_client(authority, names.GATEWAY_PREFIX + gateway, **made))
    files.identity(own, "issuer", ca.make_issuer(authority, [gateway], **made))
    files.identity(own, "enrolment", ca.issue_server(authority, [host], **made))
    files.identity(own, "report", ca.issue_signer(authority, f"{domain} reports", **made))


def _gateway(files: NewFiles, folder: Path, gateway: str, edges: Edges) -> None:
    """Make the gateway's keys, and enter their public halves."""
    own = folder / "gateway"
    hpke, cosigner = (
        new_sealing_key(edges.random_bytes),
        new_signing_key(edges.random_bytes),
    )
    files.secret(own / "hpke.pem", private_pem(hpke))
    files.secret(own / "cosigner.pem", private_pem(cosigner))
    files.secret(own / "answers.key", edges.random_bytes(ANSWERS_KEY_SIZE))
    with open_office(edges, folder / SETTINGS_NAME) as office:
        signer = Signer(names.cosigner_name(office.settings.domain, gateway), cosigner)
        public = b64encode(hpke.public_key().public_bytes_raw()).decode()
        with office.registry.store.change(f"gateway add {gateway}", office.now()) as change:
            organisation.add_gateway(
                office.registry,
                change,
                gateway,
                Keys(public, signer.verifier(COSIGNATURE_V1)),
            )


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
