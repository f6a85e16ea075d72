"""Edge: `ciao-gateway`, the commands of the gateway."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Collection
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click
import msgspec
import structlog

from ciao import names, running
from ciao.clock import system_clock
from ciao.commands import Commands
from ciao.journal.spoken import last_heartbeat
from ciao.keys import load_signing_key, secret_path
from ciao.mqtt import Link, tls_context
from ciao.notes import COSIGNATURE_V1, Signer
from ciao.reading import parse_rfc3339
from gateway import certificates, logs, program, sealing, status
from gateway.acknowledging import config_option
from gateway.announcing import presence
from gateway.config import Config, load, onss_configs
from gateway.core import SUBSCRIPTIONS, Edges, Gateway
from gateway.enrolment.program import enrolment
from gateway.keyring import held
from gateway.ledger import Ledger, migrate, report
from gateway.metrics import Metrics
from gateway.onss.client import OnssClient
from gateway.onss.tokens import Sources
from gateway.openers import openers
from gateway.watch import advice, building
from gateway.watch.building import Beside
from gateway.watch.tokens import Shown
from provisioning.registry.registry import Registry

log = structlog.get_logger("gateway")

# What `run` does without, and so is imported only when it is asked for.
LATER = {
    "sandbox": "gateway.sandbox.command:sandbox",
    "keys": "gateway.keyring.command:keys",
    "retention": "gateway.retention.command:retention",
    "stamps": "gateway.stamps.command:stamps",
    "held": "gateway.explaining.command:held",
    "onss": "gateway.onss.command:onss",
    "correction": "gateway.correction.command:correction",
    "acknowledge": "gateway.acknowledging:acknowledge",
    "evidence": "gateway.evidence.command:evidence",
    "annotate": "gateway.watch.command:annotate",
    "outages": "gateway.watch.command:outages",
    "witness": "gateway.witness.command:witness",
}


@click.group(cls=Commands, later=LATER)
def main() -> None:
    """The gateway: it takes terminals' entries into custody and registers stamps with the ONSS.

    Its folder (gateway.toml, keys, certificates, the registry) is made by
    `ciao-provision init`. Start it with `ciao-gateway run`; see how it stands
    with `ciao-gateway status`.
    """


@main.command()
@config_option
def run(config: Path) -> None:
    """Run the gateway until SIGTERM or Ctrl-C.

    It logs one JSON object a line to stderr; `"event": "online"` says that it
    serves. At the end it waits for the answers that are under way.
    """
    loaded, folder = load(config), config.parent
    logs.configure()
    ledger_path = folder / loaded.ledger
    with running.alone(ledger_path.with_name(ledger_path.name + ".lock"), "a ledger"):
        migrate(ledger_path)
        registry = Registry.open(folder / loaded.registry, secret_path(folder, loaded.registry_key))
        with closing(Ledger.open(ledger_path)) as ledger, registry:
            edges = _edges(loaded, folder)
            held.check(registry, loaded.gateway, edges.cosigner.verifier(COSIGNATURE_V1))
            for line in _missing(loaded, registry, edges.openers):
                log.error("key_missing", what=line)
            make = partial(Gateway, ledger, registry, edges, loaded.settings())
            beside = Beside(
                edges.cosigner,
                registry,
                building.known(ledger),
                ledger.custody.newest_checkpoints,
            )
            with enrolment(loaded, folder):
                _serve(make, ledger_path.parent, loaded, folder, beside)


def _missing(config: Config, registry: Registry, keys: Collection[str]) -> list[str]:
    days = config.retention.payload_days
    return held.missing(registry, config.gateway, keys, days, datetime.now(UTC))


def _edges(config: Config, folder: Path) -> Edges:
    """Load the gateway's keys; raise BadInput."""
    return Edges(
        cosigner=Signer(
            names.cosigner_name(config.domain, config.gateway),
            load_signing_key(folder / config.keys.cosigner),
        ),
        openers=openers(config.keys, folder),
        sealer=sealing.load(folder / config.keys.answers, os.urandom),
        new_uuid=lambda: str(uuid.uuid4()),
        retired=config.keys.cosigners(),
    )


def _serve(
    make: Callable[[], Gateway], ledger: Path, config: Config, folder: Path, beside: Beside
) -> None:
    """Connect the gateway to the world and serve."""
    sources = Sources(time.time, time.monotonic, lambda: str(uuid.uuid4()))
    credentials = onss_configs(config.onss, folder)
    services = {one: OnssClient(credential, sources) for one, credential in credentials.items()}
    tokens = {one: Shown(service.tokens, time.monotonic) for one, service in services.items()}
    read_clock = system_clock(UTC, config.clock.assured_error_ms)
    inbox, stopping = program.Inbox(), threading.Event()
    running.stop_on_signals(stopping, inbox.wake)
    link = Link(
        config.broker,
        tls_context(config.broker, folder),
        names.GATEWAY_PREFIX + config.gateway,
        presence(config.gateway, False, read_clock()),
        SUBSCRIPTIONS,
        inbox.put,
    )
    watcher = building.watcher(config, folder, beside, tokens, inbox.put)
    watcher.start(read_clock(), beside.known)
    metrics = Metrics()
    metrics.watch(folder / config.ledger, time.time)
    end_metrics = metrics.serve(config.metrics.port) if config.metrics else None
    program.Program(
        make, ledger, inbox, link, services, config.onss.concurrency, metrics, watcher
    ).run(read_clock, stopping)
    if end_metrics is not None:
        end_metrics()
    for service in services.values():
        service.close()


@main.command("status")
@config_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
def show_status(config: Path, as_json: bool) -> None:
    """Say what is wrong, since when and what to do; what is held, and what became of the taps.

    It only reads, so the gateway may be running or not.
    """
    loaded, folder = load(config), config.parent
    found = report.read(folder / loaded.ledger)
    with Registry.open(
        folder / loaded.registry, secret_path(folder, loaded.registry_key)
    ) as registry:
        expiring = registry.expiring(datetime.now(UTC))
        missing = _missing(loaded, registry, openers(loaded.keys, folder))
    outages = [one for one in building.all_outages(loaded, folder) if one.ended is None]
    beat = last_heartbeat(building.journal_folder(loaded, folder))
    if as_json:
        told = msgspec.to_builtins(found) | {
            "expiring": msgspec.to_builtins(expiring),
            "missing_keys": missing,
            "outages": msgspec.to_builtins(outages),
            "heartbeat": None if beat is None else beat.at,
        }
        click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
        return
    beat_at = None if beat is None else parse_rfc3339(beat.at)
    for line in advice.wrong(outages, beat_at, datetime.now(UTC)):
        click.echo(line)
    for line in missing:
        click.secho(line, fg="red")
    for one in expiring:
        click.secho(one.text, fg="red" if one.level <= 1 else "yellow")
    for line in certificates.ending(loaded, folder, datetime.now(UTC)):
        click.secho(line, fg="yellow")
    for line in status.lines(found, datetime.now(UTC)):
        click.echo(line)
