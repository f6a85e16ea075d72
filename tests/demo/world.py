"""The demo's world: every program of the product and the parts around it, in one folder.

emulator ─ reader ─▶ terminal ─ wire (can be cut) ─▶ broker ─▶ gateway ─▶ ONSS stand-in
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hardware.control import ask
from tests.demo.office import Office
from tests.demo.people import Person
from tests.demo.processes import Process, script
from tests.support.ports import free_port, listens
from tests.support.proxy import Wire
from tests.support.waiting import wait_for

SEARCH_DELAY_S = 0.5
# How long after a lost answer the search is believed when it finds nothing.
SETTLING_S = 2.0
SHOWN_TIMEOUT_S = 10.0
SERVICE_TIMEOUT_S = 30.0
BETWEEN_PEOPLE_S = 0.5
# What the panel says to whoever comes, in every language.
INVITATION = "IN / OUT"

Say = Callable[[str], None]


class World:
    """Build it, start it, tap in it, break it, and end it."""

    def __init__(self, folder: Path, say: Say, *, embedded: bool = False) -> None:
        """`embedded` takes the broker in a wheel even where mosquitto is found."""
        self.folder = folder
        self.terminal_folder = folder / "door-1"
        self._say = say
        self._pause = threading.Event()
        self.broker_port = free_port()
        self.wire = Wire(lambda: self.broker_port)
        self.office = Office(folder)
        self.sandbox_port = free_port()
        self._mosquitto = None if embedded else _mosquitto()
        logs = folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        self.sandbox = self._process("sandbox", self._sandbox_words(), logs)
        self.broker = self._process("broker", self._broker_words(), logs)
        self.emulator = self._process(
            "emulator",
            [script("ciao-emulator"), "pn532", f"--link={self.port}", f"--control={self.field}"],
            logs,
        )
        self.gateway = self._process(
            "gateway",
            [script("ciao-gateway"), "run", "--config", str(folder / "gateway.toml")],
            logs,
        )
        settings = self.terminal_folder / "terminal.toml"
        self.terminal = self._process(
            "terminal",
            [sys.executable, "-m", "terminal", "--quiet", f"--config={settings}"],
            logs,
        )

    @property
    def broker_name(self) -> str:
        """Which broker this machine has."""
        if self._mosquitto is not None:
            return "mosquitto (mutual TLS)"
        return "embedded broker (no client certificates: for this demo only)"

    # -- places -----------------------------------------------------------------------------------

    @property
    def port(self) -> Path:
        """Where the emulated reader's serial port is."""
        return self.folder / "reader"

    @property
    def field(self) -> Path:
        """The control socket of the reader's field."""
        return self.folder / "field.sock"

    @property
    def buttons(self) -> Path:
        """The control socket of the panel's buttons."""
        return self.terminal_folder / "panel.sock"

    @property
    def panel_log(self) -> Path:
        """Everything the panel showed."""
        return self.terminal_folder / "panel.jsonl"

    @property
    def ledger(self) -> Path:
        """The gateway's ledger."""
        return self.folder / "ledger.db"

    @property
    def sandbox_db(self) -> Path:
        """The ONSS stand-in's own rows."""
        return self.folder / "onss" / "sandbox.db"

    # -- beginning and end ------------------------------------------------------------------------

    def open(self, people: tuple[Person, ...], *, with_terminal: bool = True) -> None:
        """Provision everything with the product's own commands, and start it."""
        self._say("provisioning: keys, companies, a declaration, a terminal, people, badges")
        base = f"http://127.0.0.1:{self.sandbox_port}/REST"
        self.office.open(
            broker_port=self.broker_port,
            tls=self._mosquitto is not None,
            base_url=f"{base}/presenceRegistration/v1",
            token_url=f"{base}/oauth/v5/token",
        )
        _add_to(self.folder / "gateway.toml", "onss", f"settling_s = {SETTLING_S}")
        self.office.add_terminal(self.terminal_folder, self.port, self.wire.port)
        if self._mosquitto is None:
            for settings in (self.folder / "gateway.toml", self.terminal_folder / "terminal.toml"):
                _add_to(settings, "broker", 'mqtt = "3.1.1"')
        (self.folder / "terminal.toml").symlink_to(self.terminal_folder / "terminal.toml")
        self.office.write_policy(self.folder / "policy.txt")
        for person in people:
            self.office.add_person(person)
        if self._mosquitto is not None:
            # As root, mosquitto would drop to an account that can't read this folder.
            self.office.write_broker(self.folder / "broker", "root" if os.geteuid() == 0 else None)
        self._say(f"starting: ONSS stand-in, {self.broker_name}, reader, gateway, terminal")
        self.sandbox_db.parent.mkdir()
        self.sandbox.start(lambda: listens(self.sandbox_port))
        self.broker.start(lambda: listens(self.broker_port))
        self.emulator.start(lambda: serves(self.field))
        self.start_gateway()
        if with_terminal:
            self.start_terminal()

    def start_terminal(self) -> None:
        """Start the terminal, and wait until it invites people.

        That is once its readers have looked, and once it is bound: its first binding comes over
        the network.
        """
        before = len(self.views())
        self.terminal.start(lambda: serves(self.buttons))
        wait_for(lambda: self._invites(before), "the terminal to be in service", SERVICE_TIMEOUT_S)

    def start_gateway(self) -> None:
        """Start the gateway, and wait until it serves."""
        seen = self.gateway.log.stat().st_size if self.gateway.log.exists() else 0
        self.gateway.start(lambda: b'"online"' in self.gateway.log.read_bytes()[seen:])

    def close(self) -> None:
        """End every process, the one that asks before the one that answers."""
        for process in (self.terminal, self.gateway, self.broker, self.emulator, self.sandbox):
            process.stop()
        self.wire.close()

    # -- what people do ---------------------------------------------------------------------------

    def press(self, direction: str) -> None:
        """Press IN or OUT."""
        _ask(self.buttons, f"press {direction}")

    def lay(self, person: Person) -> None:
        """Hold a badge to the reader."""
        _ask(self.field, f"put uid={person.uid} type={person.tag}")

    def lift(self) -> None:
        """Take it away."""
        _ask(self.field, "take")

    def tap(self, person: Person, direction: str) -> tuple[str, int]:
        """Press, tap, and see it recorded; return the identity that the panel promised."""
        before = len(self.promised())
        self.press(direction)
        self.lay(person)
        promised = wait_for(
            lambda: self.promised()[before:],
            f"{person.name}'s {direction} to be shown",
            SHOWN_TIMEOUT_S,
        )
        self.lift()
        # Nobody is faster, and a reader takes three looks to notice that a badge left.
        self._pause.wait(BETWEEN_PEOPLE_S)
        return promised[0]

    def promised(self) -> list[tuple[str, int]]:
        """Every stamp the panel has promised, each once, in order."""
        found: dict[tuple[str, int], None] = {}
        for view in self.views():
            stamp = view.get("stamp")
            if stamp is not None:
                found[stamp["origin"], stamp["seq"]] = None
        return list(found)

    def views(self) -> list[dict[str, Any]]:
        """Every view the panel has shown, oldest first."""
        if not self.panel_log.exists():
            return []
        lines = self.panel_log.read_text(encoding="utf-8").split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def fault(self, **fault: object) -> None:
        """Switch a fault of the ONSS stand-in on."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.sandbox_port}/faults",
            json.dumps(fault).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()

    def _invites(self, since: int) -> bool:
        return any(view.get("headline") == INVITATION for view in self.views()[since:])

    # -- parts ------------------------------------------------------------------------------------

    def _process(self, name: str, words: list[str], logs: Path) -> Process:
        return Process(name, words, logs / f"{name}.log")

    def _sandbox_words(self) -> list[str]:
        clients = [word for key in self.office.public_keys for word in ("--client", key)]
        return [
            *(script("ciao-gateway"), "sandbox", "--port", str(self.sandbox_port)),
            *("--db", str(self.sandbox_db), "--search-delay", str(SEARCH_DELAY_S), *clients),
        ]

    def _broker_words(self) -> list[str]:
        if self._mosquitto is not None:
            return [self._mosquitto, "-c", str(self.folder / "broker" / "mosquitto.conf")]
        embedded = [sys.executable, "-m", "tests.demo.embedded_broker"]
        return [*embedded, "--port", str(self.broker_port)]


def _mosquitto() -> str | None:
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


def _add_to(settings: Path, table: str, line: str) -> None:
    """Set one more key of a table in a settings file."""
    head = f"[{table}]\n"
    settings.write_text(settings.read_text().replace(head, f"{head}{line}\n"))


def serves(path: Path) -> bool:
    """Whether somebody listens at a socket; a killed process leaves the file behind."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


def _ask(path: Path, line: str) -> None:
    answer = ask(path, line)
    if answer != "ok":
        raise AssertionError(f"{path.name}: {line!r}: {answer}")
