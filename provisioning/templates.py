"""The settings files that provisioning writes: text from values. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

SIMULATION_BASE_URL = "https://services-sim.socialsecurity.be/REST/presenceRegistration/v1"
SIMULATION_TOKEN_URL = "https://services-sim.socialsecurity.be/REST/oauth/v5/token"


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is, and whether it is reached by mutual TLS."""

    host: str
    port: int
    tls: bool


def provision_toml(*, domain: str, time_zone: str, broker: Broker) -> str:
    """What `ciao-provision` works on."""
    return f"""\
# What ciao-provision works on. Paths are relative to this file.
domain = {_quoted(domain)}
time_zone = {_quoted(time_zone)}
registry = "registry.db"
registry_key = "registry.key"
# The employers' provisioning keys: nothing but ciao-provision needs them.
keys = "keys"
ca = "ca"
gateway = "gateway.toml"

[broker]
host = {_quoted(broker.host)}
port = {broker.port}
tls = {str(broker.tls).lower()}
"""


def gateway_toml(
    *, gateway: str, domain: str, broker: Broker, base_url: str, token_url: str
) -> str:
    """What `ciao-gateway` reads; each employer's credentials are appended to it."""
    return f"""\
# The gateway's settings. Paths are relative to this file.
gateway = {_quoted(gateway)}
domain = {_quoted(domain)}
ledger = "ledger.db"
registry = "registry.db"
registry_key = "registry.key"

[keys]
hpke = "gateway/hpke.pem"
cosigner = "gateway/cosigner.pem"
answers = "gateway/answers.key"

{_broker(broker, "gateway/")}
# The simulation environment, until you are told that you may use the other.
[onss]
base_url = {_quoted(base_url)}
token_url = {_quoted(token_url)}
"""


def onss_credentials(*, employer: str, client_id: str, key: str, kid: str) -> str:
    """An employer's table in the gateway's settings."""
    return f"""
[onss.credentials.{employer}]
client_id = {_quoted(client_id)}
key = {_quoted(key)}
kid = {_quoted(kid)}
"""


def terminal_toml(
    *,
    terminal: str,
    domain: str,
    provisioning_key: str,
    time_zone: str,
    language: str,
    broker: Broker,
    readers: dict[str, str],
) -> str:
    """What `ciao-terminal` reads; `readers` are named `main`, or `in` and `out`."""
    tables = "\n".join(
        f"[readers.{name}]\npath = {_quoted(path)}\n" for name, path in readers.items()
    )
    return f"""\
# This terminal's settings. Paths are relative to this file.
terminal = {_quoted(terminal)}
domain = {_quoted(domain)}
state = "state"
# The key every binding must be signed by, or by one that it names.
provisioning_key = {_quoted(provisioning_key)}
time_zone = {_quoted(time_zone)}
language = {_quoted(language)}

[keys]
enrolled = "enrolled.pem"
seal = "seal.pem"

{_broker(broker, "")}
{tables}
[panel]
log = "panel.jsonl"
control = "panel.sock"
"""


def _broker(broker: Broker, folder: str) -> str:
    lines = ["[broker]", f"host = {_quoted(broker.host)}", f"port = {broker.port}"]
    if broker.tls:
        lines += [
            f'ca = "{folder}ca.pem"',
            f'certificate = "{folder}tls.pem"',
            f'key = "{folder}tls.key"',
        ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Write a TOML basic string: JSON's escapes are a part of TOML's."""
    return json.dumps(text, ensure_ascii=False)
