"""Real programs on the hosts of the networks: mosquitto, a gateway, and a terminal at each site."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ciao import entries
from ciao.causes import classify
from ciao.entries import Entry, OutageBegin, OutageEnd, OutageUpdate
from ciao.journal.spoken import spoken
from tests.demo.processes import Process, script
from tests.net.hosts import Hosts, listens
from tests.net.networks import ANCHORS, ONSS, SECOND_DNS, Networks
from tests.net.office import provisioned, set_up
from tests.net.onss import Onss
from tests.support.broker import mosquitto
from tests.support.waiting import wait_for

WAIT_S = 90.0
_FAKETIME = "/usr/lib/*/faketime/libfaketime.so.1"
_PROBES = f"""
[clock]
assured_error_ms = 1000

[probes]
anchors = [{", ".join(f'"{address}:443"' for address in ANCHORS)}]
dns = "{SECOND_DNS}"
portal = "http://page.example.be/204"
"""

Told = OutageBegin | OutageUpdate | OutageEnd


@dataclass
class Site:
    """One terminal: its folder, its process, and what its journal tells."""

    name: str
    folder: Path
    process: Process
    clock: Path | None = None

    def entries(self) -> list[Entry]:
        """Everything it has journalled, read beside it."""
        return [entry for _, entry in spoken(self.folder / "state" / "journal", "")]

    def told(self, affected: str = "submit") -> list[Told]:
        """What it tells of outages; each cause is found again from its own probes."""
        return [entry for entry in outages_in(self.entries()) if entry.affected == affected]

    def words(self, affected: str = "submit") -> list[str]:
        """The same, a word and a cause each."""
        return [f"{_kind(entry)} {entry.cause}" for entry in self.told(affected)]

    def works(self) -> bool:
        """Whether its newest heartbeat or its last outage says that all is well."""
        told = self.told()
        return not told or isinstance(told[-1], OutageEnd)

    def start(self) -> None:
        """Start the terminal's process; return when it takes orders."""
        self.process.start((self.folder / "state" / "control.sock").is_socket)

    def set_clock(self, ahead_s: int) -> None:
        """Set its wall clock, under the living process."""
        assert self.clock is not None
        self.clock.write_text(f"{ahead_s:+d}s\n")


@dataclass
class World:
    """Everything; `open` takes half a minute, `close` leaves nothing behind."""

    folder: Path
    sites: Sequence[str]
    faked: Sequence[str] = ()
    terminals: dict[str, Site] = field(default_factory=dict)
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def open(self) -> None:
        """Build the networks, provision, start everything, and wait until all is well."""
        self.networks = self._stack.enter_context(Networks(self.sites))
        self.hosts = Hosts(self.networks, self.folder, self._stack)
        self._serve()
        self._provision()
        self._start_programs()
        for site in self.terminals.values():
            site.start()
        for site in self.terminals.values():
            wait_for(lambda site=site: self._settled(site), f"{site.name} to be online", WAIT_S)  # type: ignore[misc]

    def close(self) -> None:
        """End every process, then take the networks down."""
        for site in self.terminals.values():
            site.process.stop()
        self._stack.close()

    def seen_by_gateway(self) -> list[Told]:
        """What the gateway's journal tells of outages, of silent terminals too."""
        return outages_in(entry for _, entry in spoken(self.office.folder / "journal", ""))

    def stop_broker(self) -> None:
        """The broker's program ends; its host stays."""
        self.broker.kill()

    def start_broker(self) -> None:
        """It is back, and has forgotten everything."""
        self.broker.start(lambda: listens(self.broker.pid, 8883))

    def break_dns(self, site: str) -> None:
        """The provider's resolver answers this site no more."""
        os.kill(self._resolvers[site].pid, signal.SIGSTOP)

    def mend_dns(self, site: str) -> None:
        """It answers again."""
        os.kill(self._resolvers[site].pid, signal.SIGCONT)

    def _serve(self) -> None:
        """Start what the hosts beyond serve."""
        self.hosts.serve_outside()
        self.hosts.serve("page", "page@0.0.0.0")
        self._resolvers = {
            site: self.hosts.serve("provider", f"dns@{self.networks.resolver(site)}", site)
            for site in self.sites
        }
        for site in self.sites:
            self.hosts.serve(f"portal-{site}", f"dns@{self.networks.resolver(site)} portal@0.0.0.0")

    def _provision(self) -> None:
        """Make an operator with its broker, an ONSS, and a folder for each terminal."""
        self.office = provisioned(self.folder / "office")
        self.onss = Onss(self.hosts, self.folder / "onss")
        self.onss.open(self.office, {"": ONSS})
        set_up(self.office.folder / "gateway.toml", self.onss.ca)
        for name in self.sites:
            self._add_terminal(name)

    def _add_terminal(self, name: str) -> None:
        folder = self.folder / name
        self.office._provision(f"terminal add {name}", out=folder, reader=f"main={folder}/reader")
        settings = folder / "terminal.toml"
        # The tests' own clock and probes, whatever provisioning wrote of them.
        text = re.sub(r"(?ms)^\[probes\]\n.*?(?=^\[|\Z)", "", settings.read_text())
        settings.write_text(text + _PROBES)
        words = [sys.executable, "-m", "terminal", "--quiet", f"--config={settings}"]
        clock = None
        if name in self.faked:
            clock = folder / "clock"
            clock.write_text("+0s\n")
            words = ["env", *_faked(clock), *words]
        process = self.hosts.process(name, f"terminal-{name}", words)
        self.terminals[name] = Site(name, folder, process, clock)

    def _start_programs(self) -> None:
        conf = self.folder / "broker" / "mosquitto.conf"
        self.broker = self.hosts.process("broker", "broker", [mosquitto(), "-c", str(conf)])
        self.start_broker()
        config = self.office.folder / "gateway.toml"
        words = [script("ciao-gateway"), "run", "--config", str(config)]
        self.gateway = self.hosts.process("gateway", "gateway", words)
        self.gateway.start(lambda: b'"online"' in self.gateway.log.read_bytes())

    def _settled(self, site: Site) -> bool:
        """Bound, and what it said so far is receipted: the first outage, of its start, ended."""
        bound = any(isinstance(entry, entries.BindingChanged) for entry in site.entries())
        return bound and site.works()


def outages_in(found: Iterable[Entry]) -> list[Told]:
    """The entries on outages; each one's cause is found again from its own probes."""
    told = [entry for entry in found if isinstance(entry, Told)]
    for entry in told:
        named = classify(entry.probes).get(entry.affected)
        assert named == (None if isinstance(entry, OutageEnd) else entry.cause), entry
    return told


def now() -> datetime:
    """This machine's clock, which the terminals read too."""
    return datetime.fromtimestamp(time.time(), UTC)


def until(condition: Callable[[], object], what: str) -> None:
    """Wait generously: what is measured stands in the entries."""
    wait_for(condition, what, WAIT_S)


def _kind(entry: Told) -> str:
    return str(entry.__struct_config__.tag).removeprefix("outage_")


def _faked(clock: Path) -> list[str]:
    found = sorted(Path("/").glob(_FAKETIME.lstrip("/")))
    assert found, "libfaketime is missing: sudo apt-get install faketime"
    return [
        f"LD_PRELOAD={found[0]}",
        f"FAKETIME_TIMESTAMP_FILE={clock}",
        "FAKETIME_NO_CACHE=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
        f"PYTHONPATH={Path(__file__).parent / 'faked'}",
    ]


def describe(folder: Path) -> str:
    """Say what every process said last, for a test that fails."""
    logs = sorted(folder.glob("*.log"))
    return subprocess.run(
        ["tail", "-n", "5", *map(str, logs)], capture_output=True, text=True, check=False
    ).stdout
