"""Edge: enrolment put together from `gateway.toml`: keys, clocks, registry, ledger, server."""

from __future__ import annotations

import os
import ssl
import time
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from ciao.errors import BadInput
from ciao.keys import no_password
from ciao.mqtt import REVOKED_NAME
from gateway.config import Config, Enrolment
from gateway.enrolment.server import serving
from gateway.enrolment.service import Given, Place, Service
from gateway.ledger.report import last_note
from provisioning.identities import load_identity
from provisioning.registry.registry import Registry


def enrolment(config: Config, folder: Path) -> AbstractContextManager[None]:
    """Serve enrolment for as long as the block lasts, where it is configured; raise BadInput."""
    settings = config.enrolment
    if settings is None:
        return nullcontext()
    broker = config.broker
    given = Given(
        authority_pem=_read(folder / settings.ca),
        issuer=load_identity(folder / settings.issuer, folder / settings.issuer_key),
        challenge_key=os.urandom(32),
        now=lambda: datetime.now(UTC),
        up_s=time.monotonic,
        random_bytes=os.urandom,
        last_note=partial(last_note, folder / config.ledger),
        revoked=partial(_revoked, (folder / settings.ca).with_name(REVOKED_NAME)),
    )
    service = Service(
        Place(config.domain, broker.host, broker.port),
        given,
        partial(Registry.open, folder / config.registry, folder / config.registry_key),
    )
    return serving((settings.listen, settings.port), _tls(settings, folder), service.answer)


def _revoked(path: Path) -> bytes:
    """Read the list that the office wrote; b"" where it has revoked nothing."""
    return _read(path) if path.exists() else b""


def _tls(settings: Enrolment, folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        certificate, key = folder / settings.certificate, folder / settings.key
        context.load_cert_chain(certificate, key, no_password)
    except OSError as error:
        raise BadInput(
            f"can't load the enrolment server's certificate: {error}",
            "see [enrolment] in gateway.toml; certificates are renewed by: certificate renew",
        ) from error
    return context


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"can't read {path}: {error.strerror}", "see [enrolment]") from error
