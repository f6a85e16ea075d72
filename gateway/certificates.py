"""Edge: the gateway's own certificates, and a warning before one runs out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from gateway.config import Config
from provisioning.identities import load_certificate

WARNED_DAYS = 60


def ending(config: Config, folder: Path, now: datetime) -> Iterator[str]:
    """Say which certificates soon run out, or have; one line each."""
    paths = [config.broker.certificate]
    if config.enrolment is not None:
        paths += [config.enrolment.certificate, config.enrolment.issuer]
    for path in paths:
        if path is None or not (folder / path).exists():
            continue
        held = load_certificate(folder / path)
        days = (held.not_valid_after_utc - now).days
        if days < WARNED_DAYS:
            left = f"runs out in {days} days" if days >= 0 else "has run out"
            yield f"the certificate {path} {left}: ciao-provision certificate renew"
