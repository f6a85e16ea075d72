"""Edge: a code becomes a terminal: its keys, its certificate, its settings, in one folder."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

from ciao import code as codes
from ciao import enrolment as wire
from ciao.code import Code
from ciao.enrolment import Enrol, Welcome
from ciao.keys import RandomBytes, replace_file
from ciao.terminal_toml import Broker, terminal_toml
from terminal import config
from terminal.enrolment import trust
from terminal.enrolment.client import Client, Server, authority_named_by
from terminal.enrolment.folder import SETTINGS, Keys, prepare, signing_request
from terminal.held import PREDECESSOR

# Before the first certificate there is no moment that we have proof of.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def enrol(text: str, url: str, folder: Path, random_bytes: RandomBytes) -> Welcome:
    """Enrol by a one-time code; the folder is complete when this returns. Raises BadInput.

    Whatever interrupts it, the same command goes on where it was: `terminal.toml` comes last.
    """
    code, server = codes.parse(text), Server.parse(url)
    keys = prepare(folder, random_bytes)
    authority = authority_named_by(code, server)
    replace_file(folder / "ca.pem", authority)
    client = Client(server, folder / "ca.pem", NEVER)
    # First without a secret: a wrong clock shows here, and how far the server is to be believed.
    client.challenge()
    welcome = client.post(wire.ENROL_PATH, _request(code, keys), Welcome)
    trust.check_welcome(welcome, code)
    trust.check_chain(welcome.certificate, authority, welcome.terminal, keys.tls.public_key())
    _keep(folder, welcome, url)
    return welcome


def _request(code: Code, keys: Keys) -> Enrol:
    enrolled = b64encode(keys.enrolled.public_key().public_bytes_raw()).decode()
    seal = b64encode(keys.seal.public_key().public_bytes_raw()).decode()
    tls = wire.key_digest(keys.tls.public_key())
    text = wire.enrol_text(code.bearer, enrolled, seal, tls)
    return Enrol(
        bearer=code.bearer,
        enrolled=enrolled,
        seal=seal,
        csr=signing_request(keys.tls, "terminal"),
        proof=wire.prove(code.office_key, text),
        signature=wire.sign(keys.enrolled, text),
    )


def _keep(folder: Path, welcome: Welcome, url: str) -> None:
    """Write what the terminal runs on; what it can't be read from is never left there."""
    replace_file(folder / "tls.pem", welcome.certificate.encode())
    if welcome.predecessor is not None:
        state = folder / "state"
        state.mkdir(mode=0o700, exist_ok=True)
        replace_file(state / PREDECESSOR, welcome.predecessor.encode())
    text = terminal_toml(
        terminal=welcome.terminal,
        domain=welcome.domain,
        provisioning_key=welcome.provisioning_key,
        time_zone=welcome.time_zone,
        language=welcome.language,
        broker=Broker(welcome.broker_host, welcome.broker_port, True),
        readers=welcome.readers,
        server=url,
    )
    draft = folder / f"{SETTINGS}.draft"
    replace_file(draft, text.encode())
    config.load(draft)
    draft.replace(folder / SETTINGS)
