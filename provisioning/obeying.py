"""Edge: makes a running mosquitto obey a revocation at once, and sees that it does.

mosquitto reads a list of revoked certificates when it starts and on SIGHUP, and leaves open
sessions alone. So: the list is written, the signal sent, and a certificate that the list names is
shown to the broker until it is refused; only then are the sessions ended, each by another client of
its name, which pushes it off (MQTT 5, 3.1.4). Decision 18.
"""

from __future__ import annotations

import os
import signal
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ciao.errors import BadInput
from ciao.keys import replace_file, write_secret
from provisioning.ca import Identity

# Ten seconds in all.
LOOKS_MAX = 100
LOOK_AGAIN_S = 0.1
ANSWER_S = 5.0
_ACCEPTED = b"\x20\x02\x00\x00"
_GOODBYE = b"\xe0\x00"
KEEPALIVE_S = 10


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker's folder, as `ciao-provision broker` writes it, and where the broker listens."""

    folder: Path
    host: str
    port: int

    @property
    def revoked(self) -> Path:
        """The list of revoked certificates."""
        return self.folder / "crl.pem"

    @property
    def pid(self) -> Path:
        """Where mosquitto writes its process id."""
        return self.folder / "mosquitto.pid"

    @property
    def authority(self) -> Path:
        """The root that it trusts, and is trusted by."""
        return self.folder / "ca.pem"


@dataclass(frozen=True, slots=True)
class Client:
    """A short-lived certificate for a name, its key, and the issuer's certificate."""

    name: str
    identity: Identity
    issuer_pem: bytes


def put(path: Path, content: bytes) -> None:
    """Replace a file of the broker's; it belongs to whoever has the folder."""
    replace_file(path, content)
    owner = path.parent.stat()
    if os.geteuid() == 0:
        os.chown(path, owner.st_uid, owner.st_gid)


def signal_broker(broker: Broker) -> str | None:
    """Tell mosquitto to read its files again; return why it could not be told, or None."""
    try:
        number = int(broker.pid.read_text(encoding="ascii"))
        name = Path(f"/proc/{number}/comm").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return "mosquitto does not run here"
    if name != "mosquitto":
        return "mosquitto does not run here"
    try:
        os.kill(number, signal.SIGHUP)
    except OSError as error:
        return f"may not signal mosquitto: {error.strerror}"
    return None


def obey(broker: Broker, revoked: Client, pause: Callable[[float], object]) -> None:
    """Signal the broker, and wait until it refuses a certificate that its list names.

    Raises BadInput where it does not, so that nobody believes in a revocation that is not in force.
    """
    trouble = signal_broker(broker)
    with _context(broker, revoked) as context:
        for _ in range(LOOKS_MAX):
            if not _is_accepted(broker, revoked.name, context):
                return
            pause(LOOK_AGAIN_S)
    raise BadInput(
        f"the broker still takes what {broker.revoked} revokes"
        + (f" ({trouble})" if trouble else ""),
        "make it read its files again: systemctl reload mosquitto; then the same command again",
    )


def end_session(broker: Broker, client: Client) -> None:
    """End whatever session of that name is open, by beginning another and ending that.

    Raises BadInput where the broker can't be reached.
    """
    with _context(broker, client) as context:
        if not _is_accepted(broker, client.name, context):
            raise BadInput(
                f"the broker refuses a fresh certificate for {client.name}",
                "look at the broker's log; restarting it ends every session",
            )


def _is_accepted(broker: Broker, name: str, context: ssl.SSLContext) -> bool:
    """Begin a session and end it; say whether the broker let us in."""
    where = (broker.host, broker.port)
    try:
        plain = socket.create_connection(where, timeout=ANSWER_S)
    except OSError as error:
        raise BadInput(
            f"the broker {broker.host}:{broker.port} does not answer: {error}",
            "start it: it reads the list when it starts, and has no session then",
        ) from error
    # In TLS 1.3 a client learns that its certificate is refused when it reads, not before.
    with plain, suppress(OSError):
        with context.wrap_socket(plain, server_hostname=broker.host) as wrapped:
            wrapped.sendall(_connect(name))
            accepted = wrapped.recv(len(_ACCEPTED)) == _ACCEPTED
            if accepted:
                wrapped.sendall(_GOODBYE)
        return accepted
    return False


def _connect(name: str) -> bytes:
    """MQTT 3.1.1, 3.1: CONNECT, a clean session, no will."""
    client = name.encode()
    body = b"\x00\x04MQTT\x04\x02" + KEEPALIVE_S.to_bytes(2, "big")
    body += len(client).to_bytes(2, "big") + client
    return bytes([0x10, len(body)]) + body


@contextmanager
def _context(broker: Broker, client: Client) -> Iterator[ssl.SSLContext]:
    """Build mutual TLS 1.3; OpenSSL reads its certificate from a file, which goes at once."""
    with tempfile.TemporaryDirectory(prefix="ciao-") as folder:
        path = Path(folder) / "client.pem"
        identity = client.identity
        write_secret(path, identity.key_pem + identity.certificate_pem + client.issuer_pem)
        try:
            context = ssl.create_default_context(cafile=broker.authority)
            context.load_cert_chain(path)
        except OSError as error:
            raise BadInput(f"can't use {broker.authority}: {error}", "run: broker") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        yield context
