"""The text of `terminal.toml`, from values: the office writes it, or the terminal at enrolment."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is, and whether it is reached by mutual TLS."""

    host: str
    port: int
    tls: bool


def terminal_toml(
    *,
    terminal: str,
    domain: str,
    provisioning_key: str,
    time_zone: str,
    language: str,
    broker: Broker,
    readers: dict[str, str],
    server: str | None,
) -> str:
    """What `ciao-terminal` reads; `readers` are named `main`, or `in` and `out`.

    `server` is the enrolment server's URL, where the TLS certificate is renewed.
    """
    tables = "\n".join(
        f"[readers.{_key(name)}]\npath = {quoted(path)}\n" for name, path in readers.items()
    )
    renewal = f"\n[enrolment]\nserver = {quoted(server)}\n" if server else ""
    return f"""\
# This terminal's settings. Paths are relative to this file.
terminal = {quoted(terminal)}
domain = {quoted(domain)}
state = "state"
# The key every binding must be signed by, or by one that it names.
provisioning_key = {quoted(provisioning_key)}
time_zone = {quoted(time_zone)}
language = {quoted(language)}

[keys]
enrolled = "enrolled.pem"
seal = "seal.pem"

{broker_table(broker, "")}{renewal}
{tables}{_probes(broker)}
[panel]
log = "panel.jsonl"
control = "panel.sock"
"""


def broker_table(broker: Broker, folder: str) -> str:
    """The table `[broker]`, for `ciao.mqtt.BrokerSettings`."""
    lines = ["[broker]", f"host = {quoted(broker.host)}", f"port = {broker.port}"]
    if broker.tls:
        lines += [
            f'ca = "{folder}ca.pem"',
            f'certificate = "{folder}tls.pem"',
            f'key = "{folder}tls.key"',
        ]
    return "\n".join(lines) + "\n"


def _probes(broker: Broker) -> str:
    """Name whom the outage watch asks; nobody for a terminal that stays on one machine."""
    if broker.host in ("localhost", "::1") or broker.host.startswith("127."):
        return ""
    return """
# Whom the outage watch asks, so that it can tell whose fault an outage is: three hosts in different
# networks, a resolver that is not the provider's, a page that answers 204. Choose your own; without
# this table nobody outside is asked, and a cut line is nobody's fault.
[probes]
anchors = ["1.1.1.1:443", "8.8.8.8:443", "9.9.9.9:443"]
dns = "9.9.9.9"
portal = "http://cp.cloudflare.com/generate_204"
"""


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else quoted(name)


def quoted(text: str) -> str:
    """Write a TOML basic string: JSON's escapes are a part of TOML's, but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
