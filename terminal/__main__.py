"""Edge: `python -m terminal --config FILE`, the tap process. Every edge is constructed here.

It imports nothing that only commands need: it must start in a second and stay small.
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import ssl
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from ciao.errors import BadInput, report
from ciao.journal import Journal, Owner
from ciao.keys import load_sealing_key, load_signing_key
from ciao.mqtt import Link, hold_to_dates, load_own, tls_context
from ciao.names import enrolled_key_name
from ciao.notes import Signer
from ciao.reading import ReadClock
from ciao.running import Inbox, alone, stop_on_signals
from ciao.sealing import seal
from hardware.clock import system_clock
from hardware.console import ConsolePanel, SocketButtons
from hardware.probes import power
from hardware.probes.supervisor import Prober
from hardware.probes.surroundings import Surroundings
from hardware.reader import open_reader
from terminal import VERSION
from terminal import config as configuration
from terminal.config import Config
from terminal.core import Event, Identity, Terminal
from terminal.enrolment.watch import Renewals
from terminal.held import Held, Trust
from terminal.program import Messages, Program
from terminal.recent import Recent
from terminal.stamp import Sealing
from terminal.watch.orders import Orders

SWITCH_S = 0.001


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a terminal until it is told to stop; return the exit status."""
    parser = argparse.ArgumentParser(prog="ciao-terminal run", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("terminal.toml"), metavar="FILE")
    parser.add_argument("--quiet", action="store_true", help="don't show the panel as text")
    options = parser.parse_args(arguments)
    try:
        serve(configuration.load(options.config), quiet=options.quiet)
    except BadInput as error:
        return report(error)
    return 0


def serve(config: Config, *, quiet: bool) -> None:
    """Construct the edges, run, and take them down in reverse order."""
    settings = config.settings
    read_clock = system_clock(config.zone, settings.clock.assured_error_ms)
    # What can be refused is looked at before the journal says that we started.
    tls = tls_context(settings.broker, config.base)
    if tls is not None:
        hold_to_dates(tls, by_our_clock=read_clock().clock.synced)
    stopping = threading.Event()
    inbox: Inbox[Event] = Inbox()
    stop_on_signals(stopping, inbox.wake)
    with ExitStack() as stack:
        stack.enter_context(alone(config.state / "lock", "a terminal's state"))
        # First, for it takes longest: a driver to import, a chip to wake. Who taps meanwhile waits
        # in the inbox, with the moment of the tap.
        for name, reader in settings.readers.items():
            path = config.base / reader.path
            opened = open_reader(name, path, inbox.put, read_clock, reads_lying=False)
            stack.callback(opened.close)
        terminal, journal, recent = assemble(config)
        stack.callback(journal.close)
        stack.callback(recent.close)
        effects = terminal.start(read_clock())
        messages = Messages(inbox.wake)
        link = Link(
            settings.broker,
            tls,
            settings.terminal,
            terminal.exchange.presence(online=False),
            terminal.exchange.subscriptions(),
            messages.put,
        )
        log = config.base / settings.panel.log
        panel = ConsolePanel(log, read_clock, None if quiet else sys.stdout)
        stack.callback(panel.close)
        orders = Orders(config.control, inbox.put)
        stack.callback(orders.close)
        targets, complaints = config.targets()
        for complaint in complaints:
            _complain(f"terminal.toml: {complaint}")
        surroundings = Surroundings(targets, tls, _complain)
        prober = Prober(surroundings, targets.every_s, inbox.put, read_clock, _complain)
        stack.callback(prober.close)
        program = Program(terminal, link, panel, inbox, messages, read_clock, prober, orders)
        program.carry_out(effects)
        control = config.base / settings.panel.control
        stack.callback(SocketButtons(control, inbox.put, read_clock).close)
        put_people_first()
        if tls is not None and settings.enrolment is not None:
            stack.callback(_keep_certified(config, tls, link, read_clock).close)
        program.run(stopping)


def put_people_first() -> None:
    """Nobody waits at the door for another thread's 5 ms, nor for a look through what stays."""
    sys.setswitchinterval(SWITCH_S)
    gc.freeze()


def _keep_certified(
    config: Config, tls: ssl.SSLContext, link: Link, read_clock: ReadClock
) -> Renewals:
    """Have the certificate renewed in time; the dates of the broker's are held to a clock that is
    right, or to none.
    """

    def looked(renewed: bool) -> None:
        hold_to_dates(tls, by_our_clock=read_clock().clock.synced)
        if renewed:
            load_own(tls, config.settings.broker, config.base)
            link.begin_anew()

    return Renewals(config.path, looked)


def assemble(config: Config) -> tuple[Terminal, Journal, Recent]:
    """Build the terminal over its files, without hardware and without a network."""
    settings = config.settings
    name = enrolled_key_name(settings.domain, settings.terminal)
    enrolled = Signer(name, load_signing_key(config.base / settings.keys.enrolled))
    seal_key = load_sealing_key(config.base / settings.keys.seal)
    owner = Owner(settings.domain, settings.terminal, enrolled)
    journal = Journal(config.journal, owner, os.urandom, VERSION)
    recent = Recent(config.state / "recent.db")
    held = Held(config.state, Trust(settings.terminal, config.provisioning_key, seal_key))
    identity = Identity(
        settings.terminal,
        enrolled,
        tuple(settings.readers),
        settings.language,
        config.zone,
        VERSION,
    )
    sealing = Sealing(seal, os.urandom)
    free_bytes = partial(_free_bytes, config.base)
    watchdog = power.watchdog()
    terminal = Terminal(identity, journal, held, recent, sealing, free_bytes, watchdog)
    return terminal, journal, recent


def _complain(what: str) -> None:
    """Say in one line what the watch can't use; it goes on without it."""
    print(f"warning: {' '.join(what.split())}; the watch goes on", file=sys.stderr, flush=True)


def _free_bytes(folder: Path) -> int | None:
    """Ask the disk of a folder for the room that is left on it."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


if __name__ == "__main__":
    sys.exit(main())
