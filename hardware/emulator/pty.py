"""Edge: a pseudo-terminal whose slave a driver opens as if it were a serial port."""

from __future__ import annotations

import os
import termios
import tty
from pathlib import Path

from ciao.errors import BadInput
from hardware.emulator.link import Output, garbled

_READ_MAX = 4096
_SPEEDS = {
    getattr(termios, f"B{baud}"): baud
    for baud in (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)
}
_OSPEED = 5


class Pty:
    """A pseudo-terminal with a symbolic link to its slave at `link`.

    It keeps a slave descriptor open, in raw mode: so what a driver sends is never echoed,
    and the line does not hang up when a driver closes it.
    """

    def __init__(self, link: Path) -> None:
        if not link.parent.is_dir():
            raise BadInput(f"no folder {link.parent}", "make it, or choose another --link")
        if link.exists() and not link.is_symlink():
            raise BadInput(f"{link} exists and is no link", "choose another --link")
        self._link = link
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self._name = os.ttyname(self._slave)
        fresh = link.with_name(f".{link.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self._name)
        fresh.replace(link)

    def host_baud(self) -> int:
        """Return the speed the driver has set; 0 for one that no PN532 speaks."""
        return _SPEEDS.get(termios.tcgetattr(self._slave)[_OSPEED], 0)

    def read(self) -> bytes:
        """Return what the driver has sent; empty if nothing."""
        try:
            return os.read(self.master, _READ_MAX)
        except BlockingIOError:
            return b""

    def write(self, output: Output) -> None:
        """Send to the driver; garbled where it listens at another speed.

        A serial line has no patience: what the driver's buffer has no room for is lost.
        """
        data = output.data if self.host_baud() == output.baud else garbled(output.data)
        self.write_raw(data)

    def write_raw(self, data: bytes) -> None:
        """Put bytes on the line as they are."""
        try:
            os.write(self.master, data)
        except BlockingIOError:
            return

    def close(self) -> None:
        """Hang up, as when a USB plug is pulled; whoever has the slave open gets errors."""
        if self._link.is_symlink() and os.readlink(self._link) == self._name:
            self._link.unlink()
        os.close(self._slave)
        os.close(self.master)
