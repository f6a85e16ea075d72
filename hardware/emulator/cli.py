"""`ciao-emulator`: hardware that isn't there, for the demo, the tests, and trying things out."""

from __future__ import annotations

import secrets
import signal
from pathlib import Path
from types import FrameType

import click

from ciao.commands import Commands
from ciao.errors import BadInput
from hardware.control import ControlServer
from hardware.control import ask as ask_socket
from hardware.emulator.reader import EmulatedReader
from hardware.emulator.timing import Timing

_REFUSED = "error: "
_NO_TIME = Timing(command_s=0.0, radio_s=0.0)
_WIRE: dict[str, tuple[int | None, Timing]] = {
    "real": (None, Timing()),
    "115200": (115200, Timing()),
    "off": (0, _NO_TIME),
}


@click.group(cls=Commands)
def main() -> None:
    """Emulate the hardware of a terminal, each part as a process of its own."""


@main.command()
@click.option(
    "--link",
    required=True,
    type=click.Path(path_type=Path),
    help="Where to put the link to the serial port; the driver opens this path.",
)
@click.option(
    "--control",
    required=True,
    type=click.Path(path_type=Path),
    help="Where to make the Unix socket that takes orders, one a line.",
)
@click.option(
    "--wire",
    default="real",
    show_default=True,
    type=click.Choice(list(_WIRE)),
    help="How long bytes take: at the speed the driver chose, as at 115200 baud, or "
    "no time at all.",
)
def pn532(link: Path, control: Path, wire: str) -> None:
    """Be an NXP PN532 reader on a pseudo-terminal, until interrupted.

    The control socket answers each line with one line, `ok` or `error: …`:

    \b
      put uid=04A1B2C3D4E580 type=ntag213     lay a badge on the reader
      put uid=DEADBEEF type=classic1k         a MIFARE Classic, as many access cards are
      put uid=04D5E6F7A8B980 type=type4       a processor card with an NDEF file
      put type=phone                          a phone: another UID at every look
      put uid=04010203040580 type=weak        a badge too far away to be read whole
      take                                    lift the badge that came first
      take uid=DEADBEEF                       lift this one
      noise hex=00FF5A                        put bytes on the line that nobody sent
      cut bytes=4                             break the chip's next answer off there
      mute                                    the chip hangs: it hears and says nothing
      unmute                                  and goes on where it was
      reset                                   the chip starts afresh, at 115200 baud
      unplug                                  pull the USB plug
      plug                                    and put it back: the chip starts afresh

    Try it, with the emulator running in another window:

    \b
      ciao-emulator pn532 --link /tmp/reader --control /tmp/reader.sock
      ciao-emulator ask /tmp/reader.sock put uid=04A1B2C3D4E580 type=ntag213
      LIBNFC_DEVICE=pn532_uart:/tmp/reader LIBNFC_AUTO_SCAN=false nfc-list
    """
    wire_baud, timing = _WIRE[wire]

    def complain(text: str) -> None:
        click.echo(text, err=True)

    with EmulatedReader(link, timing, wire_baud, secrets.token_bytes, complain) as reader:

        def stop(signum: int, frame: FrameType | None) -> None:
            del signum, frame
            reader.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        with ControlServer(control, reader.obey):
            click.echo(f"ready: a PN532 at {link}, orders at {control}")
            reader.run()


@main.command()
@click.argument("control", type=click.Path(path_type=Path))
@click.argument("words", nargs=-1, required=True)
def ask(control: Path, words: tuple[str, ...]) -> None:
    """Say one line to a control socket, and print its answer.

    Works with any of this system's control sockets: the emulator's, and the buttons of the
    console panel (`press in`, `press out`).
    """
    answer = ask_socket(control, " ".join(words))
    if answer.startswith(_REFUSED):
        what, _, hint = answer.removeprefix(_REFUSED).partition("; ")
        raise BadInput(what, hint or "a reader's orders: ciao-emulator pn532 --help")
    click.echo(answer)
