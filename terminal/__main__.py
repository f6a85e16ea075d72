"""Edge: `python -m terminal --config FILE`, the tap process. Every edge is constructed here.

It imports nothing that only commands need: it must start in a second and stay small.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ciao.errors import BadInput, report
from ciao.journal import Journal, Owner, StoreFailed
from ciao.keys import load_sealing_key, load_signing_key
from ciao.link import Publish
from ciao.mqtt import Link, tls_context
from ciao.names import enrolled_key_name
from ciao.notes import Signer
from ciao.running import Inbox, alone, stop_on_signals
from ciao.sealing import seal
from hardware.clock import system_clock
from hardware.console import ConsolePanel, SocketButtons
from hardware.reader import open_reader
from terminal import config as configuration
from terminal.config import Config
from terminal.core import Event, Identity, Terminal
from terminal.held import Held, Trust
from terminal.program import run
from terminal.recent import Recent
from terminal.stamp import Sealing

EXIT_DISK = 3


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
    except StoreFailed as error:
        print(f"error: the disk does not take the journal: {error}", file=sys.stderr)
        print("hint: nothing was shown as recorded; check the disk's space", file=sys.stderr)
        return EXIT_DISK
    return 0


def serve(config: Config, *, quiet: bool) -> None:
    """Construct the edges, run, and take them down in reverse order."""
    settings = config.settings
    read_clock = system_clock(config.zone, settings.clock.assured_error_ms)
    # What can be refused is looked at before the journal says that we started.
    tls = tls_context(settings.broker, config.base)
    stopping = threading.Event()
    inbox: Inbox[Event] = Inbox()
    stop_on_signals(stopping, inbox.wake)
    with ExitStack() as stack:
        stack.enter_context(alone(config.state / "lock", "a terminal's state"))
        terminal, journal, recent = assemble(config)
        stack.callback(journal.close)
        stack.callback(recent.close)
        effects = terminal.start(read_clock())
        link = Link(
            settings.broker,
            tls,
            settings.terminal,
            terminal.exchange.presence(online=False),
            terminal.exchange.subscriptions(),
            inbox.put,
        )
        log = config.base / settings.panel.log
        panel = ConsolePanel(log, read_clock, None if quiet else sys.stdout)
        stack.callback(panel.close)
        for effect in effects:
            if not isinstance(effect, Publish):
                panel.show(effect)
        control = config.base / settings.panel.control
        stack.callback(SocketButtons(control, inbox.put, read_clock).close)
        for name, reader in settings.readers.items():
            stack.callback(
                open_reader(name, config.base / reader.path, inbox.put, read_clock).close
            )
        run(terminal, link, panel, inbox, read_clock, stopping)


def assemble(config: Config) -> tuple[Terminal, Journal, Recent]:
    """Build the terminal over its files, without hardware and without a network."""
    settings = config.settings
    name = enrolled_key_name(settings.domain, settings.terminal)
    enrolled = Signer(name, load_signing_key(config.base / settings.keys.enrolled))
    seal_key = load_sealing_key(config.base / settings.keys.seal)
    firmware = _firmware()
    owner = Owner(settings.domain, settings.terminal, enrolled)
    journal = Journal(config.journal, owner, os.urandom, firmware)
    recent = Recent(config.state / "recent.db")
    held = Held(config.state, Trust(settings.terminal, config.provisioning_key, seal_key))
    identity = Identity(
        settings.terminal,
        enrolled,
        tuple(settings.readers),
        settings.language,
        config.zone,
        firmware,
    )
    return Terminal(identity, journal, held, recent, Sealing(seal, os.urandom)), journal, recent


def _firmware() -> str:
    try:
        return version("ciao-badge")
    except PackageNotFoundError:
        return "source"


if __name__ == "__main__":
    sys.exit(main())
