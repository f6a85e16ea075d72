"""A real mosquitto on the loopback, configured as the product configures it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ciao.mqtt import BrokerSettings
from provisioning.broker import BrokerFiles, acl, mosquitto_conf
from tests.support.certificates import Authority, PairFiles
from tests.support.ports import free_port, listens
from tests.support.waiting import wait_for

STARTS_MAX = 3  # somebody else may take the free port before mosquitto does


@dataclass(slots=True)
class Broker:
    """A running broker, its authority, and how to be cut off from it."""

    authority: Authority
    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    def settings(self, pair: PairFiles, mqtt: str = "5") -> BrokerSettings:
        """Write a client's settings, for `ciao.mqtt.tls_context(settings, folder)` too."""
        return BrokerSettings(
            host="127.0.0.1",
            port=self.port,
            ca=str(self.authority.certificate),
            certificate=str(pair.certificate),
            key=str(pair.key),
            mqtt="5" if mqtt == "5" else "3.1.1",
        )

    def start(self) -> None:
        """Start, or start again, on the same port; return when it accepts connections."""
        log = (self.folder / "mosquitto.log").open("ab")
        with log:
            self.process = subprocess.Popen(
                [mosquitto(), "-c", str(self.folder / "mosquitto.conf")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_for(lambda: listens(self.port) or self._ended(), "mosquitto to listen")
        if self._ended():
            raise AssertionError(f"mosquitto ended at once:\n{self.log()}")

    def kill(self) -> None:
        """End it with SIGKILL, as a power cut would; `start` brings it back, empty."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=10)

    def log(self) -> str:
        """What mosquitto has said so far."""
        return (self.folder / "mosquitto.log").read_text(errors="replace")

    def _ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None


@contextmanager
def running_broker(folder: Path, gateways: Sequence[str] = ("main",)) -> Iterator[Broker]:
    """Run a broker for as long as the block lasts: TLS 1.3, client certificates, the ACL."""
    authority = Authority(folder / "certificates")
    pair = authority.broker()
    acl_file = folder / "acl"
    acl_file.write_text(acl(gateways))
    acl_file.chmod(0o600)  # mosquitto warns, later refuses, where others can read it
    files = BrokerFiles(
        str(authority.certificate),
        str(pair.certificate),
        str(pair.key),
        str(acl_file),
        str(authority.revoked),
        str(folder / "mosquitto.pid"),
    )
    # As root, mosquitto would drop to an account that can't read a test's folder.
    user = "root" if os.geteuid() == 0 else None
    broker = Broker(authority, 0, folder)
    for attempt in range(1, STARTS_MAX + 1):
        broker.port = free_port()
        conf = mosquitto_conf(files, address="127.0.0.1", port=broker.port, user=user)
        (folder / "mosquitto.conf").write_text(conf)
        try:
            broker.start()
        except AssertionError:
            if attempt == STARTS_MAX:
                raise
        else:
            break
    try:
        yield broker
    finally:
        broker.kill()


def mosquitto() -> str:
    """Find mosquitto, also where Debian puts it; fail with how to install it."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise AssertionError("mosquitto is missing: sudo apt-get install mosquitto")
    return found
