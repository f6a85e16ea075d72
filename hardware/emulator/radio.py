"""The chip's radio: it finds type A cards and exchanges frames with them, bit by bit.

Source: ISO/IEC 14443-3, 6.5 (initialization and anticollision).
"""

from __future__ import annotations

from dataclasses import dataclass

from hardware.emulator import registers as reg
from hardware.emulator.air import AirFrame, partial, whole, with_crc, without_crc
from hardware.emulator.field import Field, Heard
from hardware.emulator.registers import Registers
from hardware.emulator.tags.type_a import CASCADE_TAG, HLTA, REQA, SELECT, WUPA, cascade

TIMEOUT, CRC_ERROR, COLLISION = 0x01, 0x02, 0x06


class RadioError(Exception):
    """An exchange failed; `status` is what the chip says of it (UM0701-02, 7.1)."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status:02x}")
        self.status = status


@dataclass(slots=True)
class Target:
    """A card the chip has found: what it said of itself, and its ATS where it was asked."""

    atqa: bytes
    sak: int
    uid: bytes
    ats: bytes | None = None
    block: int = 0
    more: bytes = b""

    def description(self, number: int) -> bytes:
        """Return it as InListPassiveTarget does (SENS_RES with its high byte first)."""
        head = bytes([number, *self.atqa[::-1], self.sak, len(self.uid)]) + self.uid
        return head if self.ats is None else head + self.ats


class Radio:
    """Speaks to the field through the registers' settings."""

    def __init__(self, field: Field, registers: Registers) -> None:
        self._field = field
        self._registers = registers
        self.power(False)

    def power(self, on: bool) -> None:
        """Switch the carrier on or off; off, every card forgets its state."""
        self._registers.field_on = on
        if on is not self._field.on:
            self._field.power(on)

    def find(self, wanted: bytes | None) -> Target | None:
        """Wake one idle card and select it; `wanted` names it. None if nothing answers whole.

        Which of several cards wins is decided by their UIDs' bits, as in the air.
        """
        self.power(True)
        self._registers.select_type_a_106()
        return self._select(REQA, wanted)

    def find_again(self, target: Target) -> bool:
        """Select a card that was put to sleep; is it still there?"""
        return self._select(WUPA, target.uid) is not None

    def halt(self) -> None:
        """Send the selected card to sleep."""
        self._send(whole(with_crc(HLTA)))

    def exchange(self, data: bytes) -> bytes:
        """Send bytes and return the answer, CRC and framing bits as the registers say.

        Raises RadioError with the chip's status for silence, a wrong CRC or a collision.
        """
        sending = data
        last_bits = self._registers.read(reg.BIT_FRAMING) & 0x07
        if self._registers.read(reg.TX_MODE) & reg.CRC_ON:
            sending = with_crc(data)
        if not self._registers.type_a_106():
            raise RadioError(TIMEOUT)
        heard = self._send(partial(sending, last_bits))
        if heard is None:
            raise RadioError(TIMEOUT)
        if heard.collision is not None:
            raise RadioError(COLLISION)
        self._registers.write(reg.CONTROL, heard.frame.bits % 8)
        answer = heard.frame.data
        if not self._registers.read(reg.RX_MODE) & reg.CRC_ON:
            return answer
        checked = without_crc(answer) if heard.frame.bits % 8 == 0 else None
        if checked is None:
            raise RadioError(CRC_ERROR)
        return checked

    def raw(self, data: bytes) -> AirFrame | None:
        """Send bytes with a CRC and return the bare answer; the chip's own use of the air."""
        heard = self._send(whole(with_crc(data)))
        return None if heard is None or heard.collision is not None else heard.frame

    def _send(self, frame: AirFrame) -> Heard | None:
        self._registers.leave_in_fifo(frame.data)
        heard = self._field.send(frame)
        if heard is not None:
            self._registers.leave_in_fifo(heard.frame.data)
        return heard

    def _select(self, request: int, wanted: bytes | None) -> Target | None:
        called = self._send(AirFrame(request, 7))
        if called is None:
            return None
        atqa = called.frame.data[:2]
        uid = b""
        for level, select in enumerate(SELECT):
            part = cascade(wanted)[level] if wanted else self._resolve(select)
            if part is None:
                return None
            answer = self.raw(bytes([select, 0x70]) + part)
            sak = without_crc(answer.data) if answer is not None else None
            if not sak:
                return None
            if not sak[0] & 0x04:
                return Target(atqa, sak[0], uid + part[:4])
            if part[0] != CASCADE_TAG or (wanted and level + 1 >= len(cascade(wanted))):
                return None
            uid += part[1:4]
        return None

    def _resolve(self, select: int) -> bytes | None:
        """Anticollision at one level: ask for the rest until nobody disagrees."""
        known, value = 0, 0
        for _ in range(41):
            whole_bytes, bits = divmod(16 + known, 8)
            nvb = whole_bytes << 4 | bits
            heard = self._send(AirFrame(select | nvb << 8 | value << 16, 16 + known))
            if heard is None or heard.frame.bits != 40 - known:
                return None
            if heard.collision is None:
                value |= heard.frame.value << known
                part = value.to_bytes(5, "little")
                return part if not part[0] ^ part[1] ^ part[2] ^ part[3] ^ part[4] else None
            # Go on with those that said 1 where they disagreed.
            agreed = heard.collision + 1
            value |= (heard.frame.value & ((1 << agreed) - 1)) << known
            known += agreed
        return None
