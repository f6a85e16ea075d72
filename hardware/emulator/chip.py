"""The PN532 itself: it takes a command's payload and says the answer's, spending time on it.

A command is a generator: it yields the seconds it spends and returns what it says, so that
a host can call it off in the middle. Source: PN532 user manual UM0701-02, 7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hardware.emulator.field import Field
from hardware.emulator.initiator import Initiator
from hardware.emulator.radio import Radio
from hardware.emulator.registers import Registers
from hardware.emulator.timing import Command, Timing

BAUD_RATES = (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1288000)
BAUD_AT_RESET = 115200
_FIRMWARE = bytes.fromhex("32010607")
_PARAMETER_AUTO_RATS = 0x10
_WAKE_BY_HSU = 0x10
_RF_ITEMS = {0x01: 1, 0x02: 3, 0x04: 1, 0x05: 3, 0x0A: 11, 0x0B: 8, 0x0C: 3, 0x0D: 9}


class SyntaxFault(Exception):
    """A command that the chip can't make sense of; it answers with the error frame."""


@dataclass(slots=True)
class _Gpio:
    p3: int = 0x3F
    p7: int = 0x06


class Chip:
    """Registers, parameters and radio; what is laid into its field comes from outside."""

    def __init__(self, field: Field, timing: Timing) -> None:
        self._timing = timing
        self._field = field
        self._gpio = _Gpio()
        self._registers = Registers()
        self._radio = Radio(field, self._registers)
        self._initiator = Initiator(self._radio, self._registers, timing)
        self.asleep = False
        self.baud_pending: int | None = None

    def run(self, payload: bytes) -> Command:
        """Carry out one command (TFI already taken off); raise SyntaxFault if it is none."""
        if not payload:
            raise SyntaxFault("no command")
        code, data = payload[0], payload[1:]
        yield self._timing.command_s
        if (handler := self._system().get(code)) is not None:
            return bytes([code + 1]) + handler(data)
        if (begin := self._initiator.commands.get(code)) is not None:
            try:
                answer = yield from begin(data)
            except (IndexError, ValueError) as error:
                raise SyntaxFault(str(error)) from error
            return bytes([code + 1]) + answer
        raise SyntaxFault(f"unknown command {code:02x}")

    def _system(self) -> dict[int, Callable[[bytes], bytes]]:
        return {
            0x00: self._diagnose,
            0x02: lambda data: _FIRMWARE,
            0x04: lambda data: self._general_status(),
            0x06: self._read_register,
            0x08: self._write_register,
            0x0C: lambda data: bytes([self._gpio.p3, self._gpio.p7, 0]),
            0x0E: self._write_gpio,
            0x10: self._set_baud_rate,
            0x12: self._set_parameters,
            0x14: self._sam_configuration,
            0x16: self._power_down,
            0x32: self._rf_configuration,
        }

    def _diagnose(self, data: bytes) -> bytes:
        _need(len(data) >= 1)
        if data[0] == 0x00:
            return data
        if data[0] in (0x01, 0x02):
            return b"\x00"
        raise SyntaxFault(f"diagnose {data[0]:02x}")

    def _general_status(self) -> bytes:
        targets = self._initiator.targets
        each = b"".join(bytes([n, 0, 0, 0]) for n in range(1, len(targets) + 1))
        return bytes([0, int(self._field.on), len(targets)]) + each + b"\x00"

    def _read_register(self, data: bytes) -> bytes:
        _need(bool(data) and len(data) % 2 == 0)
        pairs = range(0, len(data), 2)
        return bytes(self._registers.read(data[n] << 8 | data[n + 1]) for n in pairs)

    def _write_register(self, data: bytes) -> bytes:
        _need(bool(data) and len(data) % 3 == 0)
        for n in range(0, len(data), 3):
            self._registers.write(data[n] << 8 | data[n + 1], data[n + 2])
        return b""

    def _write_gpio(self, data: bytes) -> bytes:
        _need(len(data) == 2)
        # Bit 7 says that the port is meant at all (UM0701-02, 7.2.7).
        self._gpio.p3 = data[0] & 0x3F if data[0] & 0x80 else self._gpio.p3
        self._gpio.p7 = data[1] & 0x06 if data[1] & 0x80 else self._gpio.p7
        return b""

    def _set_baud_rate(self, data: bytes) -> bytes:
        _need(len(data) == 1 and data[0] < len(BAUD_RATES))
        self.baud_pending = BAUD_RATES[data[0]]
        return b""

    def _set_parameters(self, data: bytes) -> bytes:
        _need(len(data) == 1)
        self._initiator.automatic_rats = bool(data[0] & _PARAMETER_AUTO_RATS)
        return b""

    def _sam_configuration(self, data: bytes) -> bytes:
        _need(1 <= len(data) <= 3 and 1 <= data[0] <= 4)
        return b""

    def _power_down(self, data: bytes) -> bytes:
        _need(1 <= len(data) <= 2)
        if not data[0] & _WAKE_BY_HSU:
            # A chip on a serial line that only other lines can wake: as good as gone.
            return b"\x10"
        self.asleep = True
        self._radio.power(False)
        return b"\x00"

    def _rf_configuration(self, data: bytes) -> bytes:
        _need(bool(data) and _RF_ITEMS.get(data[0]) == len(data) - 1)
        item, values = data[0], data[1:]
        if item == 0x01:
            self._radio.power(bool(values[0] & 0x01))
        elif item == 0x02:
            self._initiator.set_timeout(values[2])
        elif item == 0x05:
            self._initiator.attempts_beyond_first = values[2]
        return b""


def _need(condition: bool) -> None:
    if not condition:
        raise SyntaxFault("wrong length or value")
