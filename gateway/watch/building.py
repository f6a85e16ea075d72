"""Edge: the watch, put together from a gateway's settings, its folder and its ledger."""

from __future__ import annotations

import os
import shutil
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

from ciao.evidence.stamped import Checkpointed
from ciao.journal import Journal, Owner
from ciao.journal.spoken import spoken
from ciao.listing import Outage
from ciao.listing import outages as put_together
from ciao.names import GATEWAY_PREFIX
from ciao.notes import Signer, VerifierKey
from ciao.reading import rfc3339
from gateway.config import Config
from gateway.events import Event
from gateway.ledger import Ledger
from gateway.ledger.outages import outage_entries
from gateway.people import People
from gateway.status import DISK_LOW_BYTES
from gateway.timestamping.authority import Authority, load_roots
from gateway.timestamping.due import Due
from gateway.timestamping.shelf import Shelf
from gateway.timestamping.stamping import Stamping
from gateway.watch import settings
from gateway.watch.annotations import Annotations
from gateway.watch.diary import Diary
from gateway.watch.probes import Rounds, Targets
from gateway.watch.tokens import Shown
from gateway.watch.watch import Known, Surroundings, Watch
from gateway.watch.watcher import Watcher
from gateway.witness.client import Client
from gateway.witness.settings import witness_key

VERSION = "0.1.0"

log = structlog.get_logger("gateway")


def journal_folder(config: Config, folder: Path) -> Path:
    """Where the gateway's own journal is."""
    return folder / config.journal


def annotations_of(config: Config, folder: Path) -> Annotations:
    """The folder of annotations."""
    return Annotations(folder / config.watch.annotations)


def all_outages(config: Config, folder: Path, terminal: str | None = None) -> list[Outage]:
    """Put together what the gateway's own journal and its terminals' tell; raise BadInput."""
    ledger = folder / config.ledger
    theirs = outage_entries(ledger, terminal) if ledger.is_file() else []
    owner = GATEWAY_PREFIX + config.gateway
    told = spoken(journal_folder(config, folder), "outage_")
    ours = [(owner, origin, entry) for origin, entry in told]
    found = put_together([*theirs, *ours])
    return [one for one in found if terminal is None or one.terminal == terminal]


def diary(config: Config, folder: Path, cosigner: Signer) -> Diary:
    """The gateway's own journal. Its segments are certified by the key that it cosigns with.

    So whoever holds a binding, which names that key, can check the journal (decision 29). What the
    keys before it certified is ours as well.
    """
    before = [VerifierKey(key.name, key.public) for key in config.keys.cosigners()]
    owner = Owner(config.domain, GATEWAY_PREFIX + config.gateway, cosigner, before)
    journal = Journal(journal_folder(config, folder), owner, os.urandom, VERSION)
    return Diary(journal, cosigner)


@dataclass(frozen=True, slots=True)
class Beside:
    """What the gateway has already that the watch needs: its key, its people, what it holds."""

    cosigner: Signer
    people: People
    known: Sequence[Known]
    checkpoints: Callable[[], Sequence[Checkpointed]]


def watcher(
    config: Config,
    folder: Path,
    beside: Beside,
    tokens: Mapping[str, Shown],
    put: Callable[[Event], None],
) -> Watcher:
    """Put everything together; raise BadInput where the settings are wrong."""
    if (wrong := settings.complaint(config.watch)) != "":
        log.warning("anchors", why=wrong)
    notes = annotations_of(config, folder)
    around = Surroundings(
        sites=partial(_sites, beside.people),
        has_room=partial(_has_room, folder),
        annotations=notes.pending,
        annotated=notes.journalled,
    )
    stamps = stamps_of(config, folder)
    stamping = Stamping(beside.checkpoints, Due(stamps[1].newest())) if stamps else None
    own = diary(config, folder, beside.cosigner)
    watch = Watch(own, around, os.urandom, stamping=stamping)
    rounds = Rounds(targets(config, folder, tokens))
    return Watcher(watch, rounds, put, stamps, _witness(config))


def stamps_of(config: Config, folder: Path) -> tuple[Authority, Shelf] | None:
    """Whom to ask for time stamps, and where they are kept; raise BadInput."""
    given = config.timestamping
    if given is None:
        return None
    return Authority(given.url, load_roots(folder / given.roots)), Shelf(folder / given.folder)


def targets(config: Config, folder: Path, tokens: Mapping[str, Shown]) -> Targets:
    """What a round looks at; raise BadInput."""
    second = config.watch.second_resolver
    return Targets(
        # Of all it has, what is surest to be there.
        service_url=config.onss.base_url.rstrip("/") + config.onss.register_path,
        tls=_tls(config, folder),
        anchors=settings.anchors(config.watch),
        broker=(config.broker.host, config.broker.port),
        second_resolver=settings.endpoint(second, "watch.second_resolver", 53).host
        if second
        else "",
        control_name=config.watch.control_name,
        tokens=tokens,
    )


def known(ledger: Ledger) -> list[Known]:
    """Say what the ledger holds of each terminal."""
    return [
        Known(terminal, rfc3339(datetime.fromtimestamp(heard_ms / 1000, UTC)), digest)
        for terminal, heard_ms, digest in ledger.custody.heard()
    ]


def _witness(config: Config) -> Client | None:
    """Who outside cosigns our journal; raise BadInput."""
    if config.witness is None:
        return None
    return Client(config.witness.url, witness_key(config.witness))


def _sites(people: People) -> dict[str, str]:
    return {one.id: people.site_of(one.id) for one in people.terminals()}


def _has_room(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free >= DISK_LOW_BYTES
    except OSError:
        return False


def _tls(config: Config, folder: Path) -> ssl.SSLContext | None:
    if not config.onss.base_url.startswith("https:"):
        return None
    ca = str(folder / config.onss.ca) if config.onss.ca else None
    return ssl.create_default_context(cafile=ca)
