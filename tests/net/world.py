"""Real programs on the hosts of the networks: mosquitto, a gateway, and a terminal at each site."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ciao import entries
from ciao.causes import classify
from ciao.entries import Entry, OutageBegin, OutageEnd, OutageUpdate
from tests.demo.office import DOMAIN, Office
from tests.demo.people import DECLARATION, EXEMPLE
from tests.demo.processes import Process, script
from tests.net.networks import ANCHORS, BROKER, GATEWAY, SECOND_DNS, Networks
from tests.support.broker import mosquitto
from tests.support.waiting import wait_for

BROKER_NAME = "mqtt.example.be"
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
        found: list[Entry] = []
        for path in sorted((self.folder / "state" / "journal").glob("*.db")):
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
                rows = db.execute("SELECT leaf FROM entry ORDER BY seq").fetchall()
            found += [entries.decode(leaf) for (leaf,) in rows]
        return found

    def told(self, affected: str = "submit") -> list[Told]:
        """What it tells of outages; each cause is found again from its own probes."""
        told = [e for e in self.entries() if isinstance(e, Told) and e.affected == affected]
        for entry in told:
            found = classify(entry.probes).get(entry.affected)
            assert found == (None if isinstance(entry, OutageEnd) else entry.cause), entry
        return told

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

    def stop_broker(self) -> None:
        """The broker's program ends; its host stays."""
        self.broker.kill()

    def start_broker(self) -> None:
        """It is back, and has forgotten everything."""
        self.broker.start(lambda: _listens(self.broker.pid, 8883))

    def break_dns(self, site: str) -> None:
        """The provider's resolver answers this site no more."""
        os.kill(self._resolvers[site].pid, signal.SIGSTOP)

    def mend_dns(self, site: str) -> None:
        """It answers again."""
        os.kill(self._resolvers[site].pid, signal.SIGCONT)

    def _serve(self) -> None:
        """Start what the hosts beyond serve."""
        self._host("anchor-1", f"accept@{ANCHORS[0]}")
        self._host("anchor-2", f"accept@{ANCHORS[1]}")
        self._host("anchor-3", f"accept@{ANCHORS[2]}")
        self._host("dns", f"dns@{SECOND_DNS}")
        self._host("page", "page@0.0.0.0")
        self._resolvers = {
            site: self._host("provider", f"dns@{self.networks.resolver(site)}", site)
            for site in self.sites
        }
        for site in self.sites:
            self._host(f"portal-{site}", f"dns@{self.networks.resolver(site)} portal@0.0.0.0")

    def _provision(self) -> None:
        """Make an operator with its broker, and a folder for each terminal."""
        office = self.office = Office(self.folder / "office")
        office.folder.mkdir()
        base = "http://127.0.0.1:9/REST"
        office._provision(
            "init",
            domain=DOMAIN,
            broker_host=BROKER_NAME,
            enrolment_host=GATEWAY,
            onss_base_url=f"{base}/presenceRegistration/v1",
            onss_token_url=f"{base}/oauth/v5/token",
        )
        office._add_company(EXEMPLE)
        office._provision(f"declaration add {DECLARATION}", employer=EXEMPLE.id)
        site = {"name": "Hall", "post_code": "1000", "municipality": "Bruxelles"}
        office._provision("site add hall", **site, street="Rue de l'Exemple", number="1")
        for name in self.sites:
            self._add_terminal(name)
        user = {"user": "root"} if os.geteuid() == 0 else {}
        office._provision("broker", out=self.folder / "broker", listen=BROKER, **user)

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
        words = self.networks.inside(f"terminal-{name}", *words)
        process = Process(name, words, self.folder / f"{name}.log")
        self.terminals[name] = Site(name, folder, process, clock)

    def _start_programs(self) -> None:
        conf = self.folder / "broker" / "mosquitto.conf"
        words = self.networks.inside("broker", mosquitto(), "-c", str(conf))
        self.broker = self._process("broker", words)
        self.start_broker()
        config = self.office.folder / "gateway.toml"
        words = [script("ciao-gateway"), "run", "--config", str(config)]
        self.gateway = self._process("gateway", self.networks.inside("gateway", *words))
        self.gateway.start(lambda: b'"online"' in self.gateway.log.read_bytes())

    def _host(self, host: str, services: str, also: str = "") -> Process:
        words = [sys.executable, "-m", "tests.net.host", *services.split()]
        made = self._process(f"{host}{also}-host", self.networks.inside(host, *words))
        made.start(lambda: b"ready" in made.log.read_bytes())
        return made

    def _process(self, name: str, words: list[str]) -> Process:
        made = Process(name, words, self.folder / f"{name}.log")
        self._stack.callback(made.kill)
        return made

    def _settled(self, site: Site) -> bool:
        """Bound, and what it said so far is receipted: the first outage, of its start, ended."""
        bound = any(isinstance(entry, entries.BindingChanged) for entry in site.entries())
        return bound and site.works()


def now() -> datetime:
    """This machine's clock, which the terminals read too."""
    return datetime.fromtimestamp(time.time(), UTC)


def until(condition: Callable[[], object], what: str) -> None:
    """Wait generously: what is measured stands in the entries."""
    wait_for(condition, what, WAIT_S)


def _kind(entry: Told) -> str:
    return str(entry.__struct_config__.tag).removeprefix("outage_")


def _listens(pid: int, port: int) -> bool:
    """Whether somebody listens on a port of the network that a process is in."""
    table = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    return any(row.split()[1].endswith(f":{port:04X}") and row.split()[3] == "0A" for row in table)


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


def describe(world: World) -> str:
    """Say what every process said last, for a test that fails."""
    logs = sorted(world.folder.glob("*.log"))
    return subprocess.run(
        ["tail", "-n", "5", *map(str, logs)], capture_output=True, text=True, check=False
    ).stdout
