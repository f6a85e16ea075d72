"""Edge: a TLS certificate renewed by proof of the enrolled key, also with a clock that is wrong.

The key stays, only the certificate changes: one file, replaced whole, so no power cut leaves a key
beside another's certificate (decision 16).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from ciao import enrolment as wire
from ciao.certificates import UNREADABLE
from ciao.enrolment import Renew, Renewed
from ciao.errors import BadInput
from ciao.keys import load_p256_key, load_signing_key, replace_file
from ciao.mqtt import REVOKED_NAME
from ciao.reading import Reading
from terminal.config import Config
from terminal.enrolment import trust
from terminal.enrolment.client import Client, Server
from terminal.enrolment.folder import signing_request

# Of 90 days.
RENEWED_AFTER = timedelta(days=60)


def due(certificate: x509.Certificate, now: datetime) -> bool:
    """Say whether a certificate should be renewed: from its 60th day on, or where it is not yet.

    What begins in the future was made by a clock that is right, so ours is wrong.
    """
    begun = certificate.not_valid_before_utc
    return not begun <= now < begun + timedelta(days=1) + RENEWED_AFTER


def renew(config: Config, now: Reading, *, force: bool = False) -> datetime | None:
    """Renew the certificate where it is due; return when it ends, None where it was not due.

    A clock that is not synchronised is not asked: the server's is. Raises BadInput.
    """
    settings = config.settings
    broker = settings.broker
    if settings.enrolment is None or broker.certificate is None:
        raise BadInput(
            "this terminal has no enrolment server", 'add [enrolment] server = "https://…"'
        )
    assert broker.ca is not None and broker.key is not None
    path, authority = config.base / broker.certificate, config.base / broker.ca
    held = _held(path)
    if now.clock.synced and not force and not due(held, now.at):
        return None
    client = _client(config, authority, held)
    challenge = client.challenge()
    if not force and not due(held, datetime.fromtimestamp(challenge.time, UTC)):
        return None
    key = load_p256_key(config.base / broker.key)
    enrolled = load_signing_key(config.base / settings.keys.enrolled)
    digest = wire.key_digest(key.public_key())
    text = wire.renew_text(settings.terminal, challenge.challenge, digest)
    request = Renew(
        settings.terminal,
        challenge.challenge,
        signing_request(key, settings.terminal),
        wire.sign(enrolled, text),
    )
    answer = client.post(wire.RENEW_PATH, request, Renewed)
    fresh = trust.check_chain(
        answer.certificate, authority.read_bytes(), settings.terminal, key.public_key()
    )
    if fresh.not_valid_after_utc < held.not_valid_after_utc:
        raise BadInput("a certificate that ends before ours", "check the gateway's clock")
    replace_file(path, answer.certificate.encode())
    return fresh.not_valid_after_utc


def look_up_revoked(config: Config) -> bool:
    """Ask which servers the root revoked, and keep it beside the root; return whether it is news.

    Raises BadInput. A list can be kept from us by who is in between, but not made.
    """
    broker = config.settings.broker
    if config.settings.enrolment is None or broker.certificate is None or broker.ca is None:
        return False
    authority = config.base / broker.ca
    client = _client(config, authority, _held(config.base / broker.certificate))
    # First, so that a wrong clock of ours is got over.
    client.challenge()
    pem, path = client.revoked(), authority.with_name(REVOKED_NAME)
    held = path.read_bytes() if path.exists() else None
    if not pem or not trust.newer_list(pem, authority.read_bytes(), held):
        return False
    replace_file(path, pem)
    return True


def _client(config: Config, authority: Path, held: x509.Certificate) -> Client:
    """Our own certificate was made at a moment that has been: no time before it is believed."""
    assert config.settings.enrolment is not None
    server = Server.parse(config.settings.enrolment.server)
    return Client(server, authority, held.not_valid_before_utc)


def _held(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, *UNREADABLE) as error:
        raise BadInput(f"our certificate can't be read: {error}", "enrol this terminal") from error
