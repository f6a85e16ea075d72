"""The chip's commands that reach into the field.

Source: PN532 user manual UM0701-02, 7.3 (initiator commands) and 7.1 (status bytes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hardware.emulator.radio import TIMEOUT, Radio, RadioError, Target
from hardware.emulator.registers import Registers
from hardware.emulator.timing import Command, Timing

_OK = b"\x00"
_FRAMING_ERROR, _AUTHENTICATION_ERROR, _WRONG_CONTEXT = 0x05, 0x14, 0x27
_BAUD_106A, _BAUD_MAX = 0x00, 0x04
_FOR_EVER = 0xFF
_MORE = 0x40
_RATS = bytes.fromhex("e050")
_BLOCK_ROOM = 61
_AUTHENTICATE = (0x60, 0x61)
_POLL_A, _POLL_MIFARE, _POLL_ISO_A = 0x00, 0x10, 0x20
_POLL_UNIT_S = 0.15


class Initiator:
    """What the chip knows of cards: which it has found, and how patiently it looks."""

    def __init__(self, radio: Radio, registers: Registers, timing: Timing) -> None:
        self._radio = radio
        self._registers = registers
        self._timing = timing
        self.automatic_rats = True
        self.attempts_beyond_first = _FOR_EVER
        self._silence_s = 0.0512
        self.targets: list[Target] = []
        self._current: Target | None = None
        self.commands: dict[int, Callable[[bytes], Command]] = {
            0x40: self._data_exchange,
            0x42: self._communicate_thru,
            0x44: self._deselect,
            0x46: self._no_peer,
            0x4A: self._list_passive_target,
            0x4E: self._no_peer,
            0x50: self._no_peer,
            0x52: self._release,
            0x54: self._select,
            0x56: self._no_peer,
            0x60: self._auto_poll,
        }

    def set_timeout(self, index: int) -> None:
        """How long silence is waited for: 100 µs * 2^(n-1), RFConfiguration item 2."""
        self._silence_s = min(0.0001 * 2 ** (index - 1), 3.3) if index else 3.3

    def _list_passive_target(self, data: bytes) -> Command:
        at_most, modulation, initiator_data = data[0], data[1], data[2:]
        if not 1 <= at_most <= 2 or modulation > _BAUD_MAX:
            raise ValueError("number of targets or modulation")
        self.targets, self._current = [], None
        for _ in self._attempts():
            if modulation == _BAUD_106A:
                yield from self._look(at_most, _uid_of(initiator_data))
            else:
                yield self._timing.radio_s
            if self.targets:
                break
            yield self._timing.look_s if self.attempts_beyond_first == _FOR_EVER else 0.0
        found = (t.description(n) for n, t in enumerate(self.targets, 1))
        return bytes([len(self.targets)]) + b"".join(found)

    def _auto_poll(self, data: bytes) -> Command:
        rounds, period, kinds = data[0], data[1], data[2:]
        if not 1 <= period <= 15 or not kinds:
            raise ValueError("poll period or types")
        done = 0
        while rounds == _FOR_EVER or done < rounds:
            done += 1
            for kind in kinds:
                self.targets = []
                if kind in (_POLL_A, _POLL_MIFARE, _POLL_ISO_A):
                    yield from self._look(1, None)
                else:
                    yield self._timing.radio_s
                if self.targets and _polled(kind, self.targets[0].sak):
                    said = self.targets[0].description(1)
                    return bytes([1, kind, len(said)]) + said
                self._radio.power(False)
                yield period * _POLL_UNIT_S
        self.targets = []
        return b"\x00"

    def _communicate_thru(self, data: bytes) -> Command:
        yield self._timing.radio_s
        try:
            return _OK + self._radio.exchange(data)
        except RadioError as error:
            if error.status == TIMEOUT:
                yield self._silence_s
            return bytes([error.status])

    def _data_exchange(self, data: bytes) -> Command:
        target = self._target(data[0] & 0x3F)
        if target is None or not self._make_current(target):
            return bytes([_WRONG_CONTEXT if target is None else TIMEOUT])
        target.more += data[1:]
        if data[0] & _MORE:
            return _OK
        command, target.more = target.more, b""
        yield self._timing.radio_s
        try:
            if target.ats is not None:
                return _OK + self._blocks(target, command)
            return _OK + self._bare(command)
        except RadioError as error:
            if error.status == TIMEOUT:
                yield self._silence_s
            return bytes([error.status])

    def _deselect(self, data: bytes) -> Command:
        yield self._timing.radio_s
        if self._current is not None and data[0] in (0, self._number(self._current)):
            self._sleep(self._current)
        return _OK

    def _release(self, data: bytes) -> Command:
        yield from self._deselect(data)
        self.targets = [] if data[0] == 0 else self.targets
        return _OK

    def _select(self, data: bytes) -> Command:
        yield self._timing.radio_s
        target = self._target(data[0])
        if target is None:
            return bytes([_WRONG_CONTEXT])
        return _OK if self._make_current(target) else bytes([TIMEOUT])

    def _no_peer(self, data: bytes) -> Command:
        """NFC-DEP: there never is another device to answer."""
        del data
        yield self._timing.radio_s
        return bytes([TIMEOUT])

    def _attempts(self) -> Iterator[int]:
        count = 0
        while self.attempts_beyond_first == _FOR_EVER or count <= self.attempts_beyond_first:
            yield count
            count += 1

    def _look(self, at_most: int, wanted: bytes | None) -> Iterator[float]:
        """Search for one card after the other, each search taking its time."""
        for _ in range(at_most):
            yield self._timing.radio_s
            if self._current is not None:
                self._sleep(self._current)
            target = self._radio.find(wanted)
            if target is None:
                return
            if target.sak & 0x20 and self.automatic_rats:
                ats = self._radio.raw(_RATS)
                target.ats = ats.data[:-2] if ats is not None else None
            self.targets.append(target)
            self._current = target

    def _target(self, number: int) -> Target | None:
        return self.targets[number - 1] if 1 <= number <= len(self.targets) else None

    def _number(self, target: Target) -> int:
        return self.targets.index(target) + 1 if target in self.targets else 0

    def _sleep(self, target: Target) -> None:
        if target.ats is not None:
            self._radio.raw(b"\xc2")
        else:
            self._radio.halt()
        self._current = None

    def _make_current(self, target: Target) -> bool:
        if self._current is target:
            return True
        if self._current is not None:
            self._sleep(self._current)
        if not self._radio.find_again(target):
            return False
        if target.ats is not None:
            self._radio.raw(_RATS)
            target.block = 0
        self._current = target
        return True

    def _bare(self, command: bytes) -> bytes:
        """A command to a card without ISO 14443-4: CRC by the chip, four-bit answers judged."""
        if command[:1] and command[0] in _AUTHENTICATE:
            challenge = self._radio.raw(command[:2])
            # The chip answers the challenge with its cipher; no emulated card takes it.
            if challenge is not None:
                self._radio.raw(command[2:8])
            raise RadioError(_AUTHENTICATION_ERROR)
        answer = self._radio.raw(command)
        if answer is None:
            raise RadioError(TIMEOUT)
        if answer.bits == 4:
            if answer.value == 0xA:
                return b""
            raise RadioError(_FRAMING_ERROR)
        return answer.data[:-2]

    def _blocks(self, target: Target, command: bytes) -> bytes:
        """Carry an APDU in numbered blocks, chained both ways (ISO/IEC 14443-4, 7.5)."""
        parts = [command[n : n + _BLOCK_ROOM] for n in range(0, len(command), _BLOCK_ROOM)]
        answer = b""
        for index, part in enumerate(parts or [b""]):
            more = 0x10 if index < len(parts) - 1 else 0
            answer = self._block(target, bytes([0x02 | more | target.block]) + part)
        said = answer[1:]
        while answer[0] & 0x10:
            answer = self._block(target, bytes([0xA2 | target.block]))
            said += answer[1:]
        return said

    def _block(self, target: Target, block: bytes) -> bytes:
        heard = self._radio.raw(block)
        if heard is None or len(heard.data) < 3:
            raise RadioError(TIMEOUT)
        target.block ^= 1
        return heard.data[:-2]


def _uid_of(initiator_data: bytes) -> bytes | None:
    """Take the cascade tags out of a UID as InListPassiveTarget is given it; None for none."""
    if len(initiator_data) in (0, 4):
        return initiator_data or None
    if len(initiator_data) == 8:
        return initiator_data[1:]
    if len(initiator_data) == 12:
        return initiator_data[1:4] + initiator_data[5:]
    raise ValueError("a UID has 4, 7 or 10 bytes")


def _polled(kind: int, sak: int) -> bool:
    """Does a card with this SAK answer to this type of InAutoPoll?"""
    if kind == _POLL_ISO_A:
        return bool(sak & 0x20)
    return kind == _POLL_A or not sak & 0x20
