"""Edge: `ciao-terminal`, the commands of the terminal on the wall."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import click

from ciao.commands import Commands
from ciao.texts import LANGUAGES
from hardware.clock import system_clock
from terminal import config as configuration
from terminal import doctor as doctoring
from terminal.enrolment import __main__ as renewing
from terminal.enrolment import enrol as enrolling
from terminal.evidence.cli import export
from terminal.texts import texts
from terminal.watch.command import maintenance

_COLOURS = {"ok": "green", "warning": "yellow", "fault": "red", "past": "white"}

_config = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("terminal.toml"),
    show_default=True,
    metavar="FILE",
    help="The terminal's settings.",
)


@click.group(cls=Commands)
def main() -> None:
    """The badge terminal: it stamps IN and OUT, keeps every stamp, and sends it on.

    A terminal's folder (terminal.toml, keys, certificates) is made by `ciao-terminal
    enrol`, or by `ciao-provision terminal add`. Start it with `ciao-terminal run`; ask what is
    wrong with `ciao-terminal doctor`.
    """


main.add_command(export)
main.add_command(maintenance)


@main.command()
@_config
@click.option("--quiet", is_flag=True, help="Don't write the panel's views as text.")
def run(config: Path, quiet: bool) -> None:
    """Run the terminal until SIGTERM or Ctrl-C.

    The process replaces itself by `python -m terminal`, which is what a service
    manager may start directly: it is smaller, and starts sooner.
    """
    words = [sys.executable, "-m", "terminal", "--config", str(config)]
    os.execv(sys.executable, words + (["--quiet"] if quiet else []))


@main.command()
@click.argument("code")
@click.option(
    "--server", required=True, metavar="URL", help="Such as https://gateway.example.be:8884."
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Its folder."
)
def enrol(code: str, server: str, out: Path) -> None:
    """Become a terminal, by the one-time CODE that `ciao-provision terminal code` printed.

    The keys are born here, in the folder, and never leave it. Interrupted, the same
    command goes on. CODE may be `-`: it is then read from standard input.
    """
    text = sys.stdin.readline(256) if code == "-" else code
    welcome = enrolling.enrol(text, server, out, os.urandom)
    click.echo(f"this is {welcome.terminal} now; its folder is {out}")
    click.echo(f"start it: ciao-terminal run --config {out / 'terminal.toml'}")


@main.command()
@_config
@click.option("--force", is_flag=True, help="Also before the 60th of its 90 days.")
def renew(config: Path, force: bool) -> int:
    """Renew the TLS certificate, where it is due. A terminal that runs does so itself."""
    return renewing.main(["--config", str(config), *(["--force"] if force else [])])


@main.command()
@_config
@click.option("--json", "as_json", is_flag=True, help="One JSON list, for programs.")
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default="en",
    show_default=True,
    help="What it is said in.",
)
def doctor(config: Path, as_json: bool, language: str) -> int:
    """Say what works and what does not, in the order of a stamp's path.

    It changes nothing, and may be asked while the terminal runs or not. Last come the
    outages of the past week. The exit status is 1 where something is at fault.
    """
    loaded = configuration.load(config)
    now = system_clock(loaded.zone, loaded.settings.clock.assured_error_ms)()
    say = texts(language).gettext
    findings = doctoring.examine(loaded, now, say)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            mark = f"{say(doctoring.MARKS[finding.verdict]):<9}"
            mark = click.style(mark, fg=_COLOURS[finding.verdict])
            click.echo(f"{mark} {finding.named(say):<14} {finding.said}")
            if finding.advice:
                click.echo(f"{'':24} → {finding.advice}")
    return 1 if any(finding.verdict == "fault" for finding in findings) else 0
