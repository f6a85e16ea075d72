"""What the broker must be told: mosquitto's configuration and who may read and write what.

Topics: docs/protocol. Settings: mosquitto.conf(5), of version 2.0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass

from ciao.errors import BadInput
from ciao.names import (
    GATEWAY_PREFIX,
    GATEWAYS_ONLINE,
    gateway_id,
    gateway_online,
    topic,
)

QUEUED_MESSAGES_MAX = 10_000_000

# What a terminal, known by its certificate's common name (%u), writes and reads of its own.
_TERMINAL_WRITES = ("journal", "online")
_TERMINAL_READS = ("receipt", "hint", "outcome", "binding", "roster")

# What a gateway writes and reads of every terminal. Receipts both ways: at its start a gateway
# reads the retained ones, and never publishes a smaller one (DESIGN 3.5).
_GATEWAY_WRITES = ("hint", "outcome", "binding", "roster")
_GATEWAY_READS = ("journal", "online")


@dataclass(frozen=True, slots=True)
class BrokerFiles:
    """Absolute paths of the files that mosquitto reads."""

    ca_certificate: str
    certificate: str
    key: str
    acl: str
    crl: str
    pid: str


def mosquitto_conf(files: BrokerFiles, *, address: str, port: int, user: str | None = None) -> str:
    """Write a mosquitto.conf: TLS 1.3, client certificates required, names taken from these.

    `user` is the account mosquitto drops to when started as root; Debian's package makes
    `mosquitto`, which is also its default. Raises BadInput for a path that can't be written there.
    """
    for path in astuple(files):
        if not path.startswith("/") or "\n" in path:
            raise BadInput(f"{path!r} can't stand in mosquitto.conf", "give an absolute path")
    lines = [
        # Settings of the whole broker come before the first listener.
        "per_listener_settings false",
        *([f"user {user}"] if user else []),
        "allow_anonymous false",
        f"acl_file {files.acl}",
        # Whoever revokes a certificate signals this process: SIGHUP makes it read the list anew.
        f"pid_file {files.pid}",
        # No delay: without it a receipt takes 40 ms instead of 1 (Nagle and delayed ACK).
        "set_tcp_nodelay true",
        # The default, 1000, drops what was acknowledged. Not 0 ("no limit"): up to 2.0.21 that ends
        # the session of whoever publishes what the ACL forbids (mosquitto issue 3244), and 2.0.16
        # then delivers nothing at all (2879).
        f"max_queued_messages {QUEUED_MESSAGES_MAX}",
        # A gateway acknowledges after its commit, in groups; the default, 20, would cap a group.
        "max_inflight_messages 200",
        # A batch is at most 256 KiB; base64 and JSON around it stay below twice that.
        "message_size_limit 524288",
        # Retained state is republished at each connect, so nothing need outlive the broker.
        "persistence false",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
        f"listener {port} {address}",
        f"cafile {files.ca_certificate}",
        f"certfile {files.certificate}",
        f"keyfile {files.key}",
        f"crlfile {files.crl}",
        "tls_version tlsv1.3",
        "require_certificate true",
        # The certificate's common name is the user, and the user is the client id: nobody can
        # speak as another, nor push another off the broker by taking its client id.
        "use_identity_as_username true",
        "use_username_as_clientid true",
    ]
    return "\n".join(lines) + "\n"


def acl(gateways: Iterable[str]) -> str:
    """Write mosquitto's access list: patterns for every terminal, and a section a gateway.

    A new terminal needs no change here: its certificate's name is the pattern. `gateways` are ids
    without the `gateway-` of their certificates. Raises BadInput for what isn't an id.
    """
    lines = ["# Terminals: the user (%u) is the certificate's common name, the terminal's id."]
    lines += [f"pattern write {topic('%u', channel)}" for channel in _TERMINAL_WRITES]
    lines += [f"pattern read {topic('%u', channel)}" for channel in _TERMINAL_READS]
    lines += [f"pattern read {GATEWAYS_ONLINE}"]
    for gateway in gateways:
        common_name = GATEWAY_PREFIX + gateway_id(gateway)
        lines += ["", f"user {common_name}"]
        lines += [f"topic read {topic('+', channel)}" for channel in _GATEWAY_READS]
        lines += [f"topic write {topic('+', channel)}" for channel in _GATEWAY_WRITES]
        lines += [f"topic readwrite {topic('+', 'receipt')}"]
        lines += [f"topic readwrite {gateway_online(gateway)}"]
        # The patterns above are for every user: a gateway must not pass for a terminal.
        lines += [f"topic deny {topic(common_name, '#')}"]
    return "\n".join(lines) + "\n"
