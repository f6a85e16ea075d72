"""Gateways on hosts of their own, each with its broker, its resolver and its door to the ONSS."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ciao.entries import Heartbeat, OutageEnd
from ciao.journal.spoken import spoken
from tests.demo.processes import Process, script
from tests.net.hosts import Hosts, listens
from tests.net.networks import NAMES, ONSS_NAME, Networks
from tests.net.office import provisioned, set_up
from tests.net.onss import Door, Onss
from tests.net.world import Told, outages_in
from tests.support.broker import mosquitto
from tests.support.waiting import wait_for

START_S = 60.0


@dataclass
class Gateway:
    """One of them: what can be done to it, and what its journal tells."""

    name: str
    folder: Path
    networks: Networks
    door: Door
    resolver: Process
    broker: Process
    process: Process

    def told(self) -> list[Told]:
        """What it tells of outages, its own start aside."""
        found = outages_in(entry for _, entry in spoken(self.folder / "office" / "journal", ""))
        return [entry for entry in found if entry.terminal is None]

    def is_out(self) -> bool:
        """Whether its newest word is that something does not work."""
        told = self.told()
        return bool(told) and not isinstance(told[-1], OutageEnd)

    def knows_the_onss(self) -> bool:
        """Whether a heartbeat has said that the ONSS works."""
        beats = [entry for _, entry in spoken(self.folder / "office" / "journal", "heartbeat")]
        return any(isinstance(one, Heartbeat) and one.works.get("onss") for one in beats)

    def start_broker(self) -> None:
        """Its broker begins, with nothing remembered."""
        self.broker.start(lambda: listens(self.broker.pid, 8883))

    def names(self, *, onss: bool) -> None:
        """Its resolver knows the ONSS's name, or answers that there is none."""
        known = {**NAMES, ONSS_NAME: self.door.address}
        if not onss:
            del known[ONSS_NAME]
        fresh = self.folder / "names.new"
        fresh.write_text(json.dumps(known))
        fresh.replace(self.folder / "names.json")

    def deafen_resolver(self) -> None:
        """Its provider's resolver answers no more."""
        os.kill(self.resolver.pid, signal.SIGSTOP)

    def wake_resolver(self) -> None:
        """It answers again."""
        os.kill(self.resolver.pid, signal.SIGCONT)

    def cut_line(self) -> None:
        """Whatever is sent to this machine is swallowed on the way."""
        self.networks.swallow(f"gateway-{self.name}")

    def mend_line(self) -> None:
        """It arrives again."""
        self.networks.give_back(f"gateway-{self.name}")


@dataclass
class Gateways:
    """All of them; `open` takes some seconds, `close` leaves nothing behind."""

    folder: Path
    names: Sequence[str]
    found: dict[str, Gateway] = field(default_factory=dict)
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def open(self) -> None:
        """Build the networks, provision once, start everything, and wait until all is well."""
        networks = self._stack.enter_context(Networks((), self.names))
        hosts = Hosts(networks, self.folder, self._stack)
        hosts.serve_outside()
        office = provisioned(self.folder / "office")
        onss = Onss(hosts, self.folder / "onss")
        onss.open(office, {name: networks.onss_of(name) for name in self.names})
        set_up(office.folder / "gateway.toml", onss.ca, enrols=False)
        for name in self.names:
            self.found[name] = self._made(hosts, name, onss.doors[name])
        for one in self.found.values():
            one.process.start(lambda one=one: b'"online"' in one.process.log.read_bytes())  # type: ignore[misc]

    def close(self) -> None:
        """End every process, then take the networks down."""
        for one in self.found.values():
            one.process.stop()
        self._stack.close()

    def _made(self, hosts: Hosts, name: str, door: Door) -> Gateway:
        """Give a gateway a copy of the operator's folder, a broker and a resolver."""
        folder = self.folder / name
        shutil.copytree(self.folder / "office", folder / "office")
        shutil.copytree(self.folder / "broker", folder / "broker")
        conf = folder / "broker" / "mosquitto.conf"
        old, new = str(self.folder / "broker"), str(folder / "broker")
        conf.write_text(conf.read_text().replace(old, new))
        host = f"gateway-{name}"
        settings = folder / "office" / "gateway.toml"
        run = [script("ciao-gateway"), "run", "--config", str(settings)]
        service = f"dns@{hosts.networks.resolver_of(name)}@{folder}/names.json"
        resolver = hosts.server("provider", service, f"-{name}")
        broker = hosts.process(f"broker-{name}", host, [mosquitto(), "-c", str(conf)])
        process = hosts.process(host, host, run)
        made = Gateway(name, folder, hosts.networks, door, resolver, broker, process)
        made.names(onss=True)
        resolver.start(lambda: b"ready" in resolver.log.read_bytes())
        made.start_broker()
        return made


def settled(one: Gateway) -> None:
    """Wait until a gateway's first outage, if its start was one, is over."""
    wait_for(lambda: one.knows_the_onss() and not one.is_out(), f"{one.name} to be well", START_S)
