"""Edge: the serial port a reader hangs on: locked, opened by nfcpy's driver, recovered.

nfcpy looks for its ports in /dev by name; here its transport and driver are opened by hand
on any tty path, a pseudo-terminal and /dev/serial/by-id included. Nothing of it is changed.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
import struct
import termios
from pathlib import Path
from types import TracebackType

import nfc.clf
import nfc.clf.pn532
import nfc.clf.transport
import nfc.tag
import serial

from hardware.reader.presence import Look, Seen

# What the driver raises when the line is noisy, cut, at another speed, or the plug is out:
# termios.error is no OSError, and half a frame is read beyond its end. AttributeError and
# TypeError are how it meets its own port after a failed reopening.
DRIVER_FAULTS: tuple[type[BaseException], ...] = (
    OSError,
    termios.error,
    serial.SerialException,
    LookupError,
    AssertionError,
    AttributeError,
    TypeError,
    ValueError,
    struct.error,
    nfc.clf.Error,
    nfc.tag.TagCommandError,
    nfc.clf.pn532.Chipset.Error,
)
_HIGH_SPEEDS = (921600, 460800, 230400)
# SetSerialBaudRate to 115200, behind a preamble that wakes a sleeping chip (UM0701-02).
_TO_115200 = bytes(10) + bytes.fromhex("0000ff03fdd410041800")
_DONE = bytes.fromhex("d5111a")
_ACK = bytes.fromhex("0000ff00ff00")
_REPLY_MAX = 64
_REPLY_S = 0.1
_PATIENCE_MS = 400
# nfcpy hands the name to a shell (stty), so it may hold nothing that a shell would read.
_SAFE_NAME = re.compile(r"/[A-Za-z0-9/._:-]+")
# InListPassiveTarget (UM0701-02, 7.3.5): up to two cards of type A at 106 kbit/s.
_LIST, _TWO_OF_TYPE_A = 0x4A, bytes([2, 0])
_LIST_S = 1.0
_UID_SIZES = (4, 7, 10)
_REQA = 0x26


class PortUnusable(OSError):
    """The path can't be a reader's port, or another process has it."""


class Transport(nfc.clf.transport.TTY):  # type: ignore[misc]
    """nfcpy's own serial transport, more patient.

    The driver gives a chip 100 ms to acknowledge; on a busy machine the answer is there and
    this process is not, and a USB adapter takes as long now and then.
    """

    patience_ms = 0

    def read(self, timeout: float) -> bytearray | None:
        """Return the next frame; wait for it a little longer than asked (milliseconds)."""
        frame: bytearray | None = super().read(max(timeout, self.patience_ms))
        return frame


class Port:
    """An open reader: one chip that can be asked what is in its field."""

    def __init__(self, path: Path) -> None:
        """Lock and open it, at whatever speed a killed process has left the chip.

        Raises one of DRIVER_FAULTS, with nothing left open, when it doesn't work.
        """
        # Its log lines name badges, and its errors are told by what it raises.
        logging.getLogger("nfc").setLevel(logging.CRITICAL + 1)
        # The real name: nfcpy decides about baud rates by it (/dev/serial0 is /dev/ttyS0).
        self._name = os.path.realpath(path)
        if not _SAFE_NAME.fullmatch(self._name):
            raise PortUnusable(f"{self._name!r} is no name for a port")
        with contextlib.ExitStack() as undo:
            self._lock = _lock(self._name)
            undo.callback(os.close, self._lock)
            try:
                # Without patience: most of all it is a killed process that makes it fail.
                self._frontend = _open(self._name, 0)
            except DRIVER_FAULTS:
                recover_speed(self._name)
                self._frontend = _open(self._name, _PATIENCE_MS)
            self._transport = self._frontend.device.chipset.transport
            undo.pop_all()

    def __enter__(self) -> Port:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def chip(self) -> str:
        """Name the chip and its firmware, such as `PN532v1.6`; for the doctor."""
        return str(self._frontend.device.chipset_name)

    def look(self) -> Look:
        """List the ISO 14443-A badges in the field, two at most.

        By the driver's own steps, but for one: its `sense` has the chip list a single badge,
        and of two in the field one would be returned, silently.
        """
        device = self._frontend.device
        device.mute()
        answer = bytes(device.chipset.command(_LIST, _TWO_OF_TYPE_A, _LIST_S))
        if answer[0]:
            return Look(seen=_listed(answer))
        # The chip's last word to the field is the request: nothing has answered it.
        half = device.chipset.read_register("CIU_FIFOData") != _REQA
        device.mute()
        return Look(half=half)

    def sees(self, uid: bytes) -> bool:
        """Is this badge there, however many others are?"""
        wanted = nfc.clf.RemoteTarget("106A", sel_req=bytearray(uid))
        found = self._frontend.sense(wanted)
        return found is not None and found.sdd_res == uid

    def close(self) -> None:
        """Put the chip to sleep at 115200 baud, if it still listens, and give the port back."""
        with contextlib.suppress(*DRIVER_FAULTS):
            self._frontend.close()
        # The driver does not always get to its last step.
        _shut(self._transport)
        os.close(self._lock)


def _listed(answer: bytes) -> tuple[Seen, ...]:
    """Take an InListPassiveTarget answer apart; raise ValueError for what can't be one.

    Each target: its number, two bytes SENS_RES, SEL_RES, the UID's length, the UID. The driver
    has switched automatic RATS off, so no ATS follows.
    """
    count, rest = answer[0], answer[1:]
    seen = []
    for _ in range(count):
        size = rest[4]
        uid, sak = rest[5 : 5 + size], rest[3]
        if size not in _UID_SIZES or len(uid) < size:
            raise ValueError("a UID of a wrong length")
        seen.append(Seen(uid, sak))
        rest = rest[5 + size :]
    return tuple(seen)


def recover_speed(name: str) -> None:
    """Bring a chip that was left at a high speed back to 115200 baud.

    It is told so at each speed it may be at; a chip that hears another speed hears noise.
    Raises OSError or termios.error where the port itself is gone.
    """
    for speed in _HIGH_SPEEDS:
        with serial.Serial(name, speed, timeout=_REPLY_S) as line:
            line.reset_input_buffer()
            line.write(_TO_115200)
            if _DONE in line.read_until(_DONE, _REPLY_MAX):
                line.write(_ACK)
                line.flush()
                return


def _open(name: str, patience_ms: int) -> nfc.clf.ContactlessFrontend:
    transport = Transport(name)
    transport.patience_ms = patience_ms
    try:
        device = nfc.clf.pn532.init(transport)
    except DRIVER_FAULTS:
        _shut(transport)
        raise
    transport.patience_ms = _PATIENCE_MS
    device._path = name
    frontend = nfc.clf.ContactlessFrontend()
    frontend.device = device
    return frontend


def _shut(transport: Transport) -> None:
    line = transport.tty
    if line is not None:
        with contextlib.suppress(*DRIVER_FAULTS):
            line.close()


def _lock(name: str) -> int:
    """Hold the port against other processes of ours: two can open one, and would interleave."""
    held = os.open(name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not os.isatty(held):
            raise PortUnusable(f"{name} is no serial port")
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise PortUnusable(f"another process uses {name}") from None
    except OSError:
        os.close(held)
        raise
    return held
