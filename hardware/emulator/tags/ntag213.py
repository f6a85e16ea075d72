"""NTAG213: 45 pages of four bytes, readable by anyone, and four-bit refusals.

Source: NXP NTAG213/215/216 data sheet, 8.5 (memory) and 10 (commands).
"""

from __future__ import annotations

from hardware.emulator.air import AirFrame, nibble
from hardware.emulator.tags.type_a import TypeA

PAGES = 45
_ACK = nibble(0xA)
_NAK_ARGUMENT = nibble(0x0)
_VERSION = bytes.fromhex("0004040201000f03")
_PAGE_LOCK, _PAGE_CC, _PAGE_CONFIG, _PAGE_PASSWORD, _PAGE_PACK = 2, 3, 41, 43, 44
_FIRST_WRITABLE = 2
# An NDEF message with the URL https://example.invalid, as a badge printer would leave it.
_NDEF = bytes.fromhex("0314d101105504") + b"example.invalid\xfe"


def _fresh(uid: bytes) -> bytearray:
    memory = bytearray(4 * PAGES)
    memory[0:4] = uid[:3] + bytes([0x88 ^ uid[0] ^ uid[1] ^ uid[2]])
    memory[4:8] = uid[3:]
    memory[8:10] = bytes([uid[3] ^ uid[4] ^ uid[5] ^ uid[6], 0x48])
    memory[12:16] = bytes.fromhex("e1101200")
    memory[16 : 16 + len(_NDEF)] = _NDEF
    memory[160:164] = bytes.fromhex("000000bd")
    memory[164:168] = bytes.fromhex("040000ff")
    memory[172:176] = b"\xff\xff\xff\xff"
    return memory


class Ntag213(TypeA):
    """A sticker or card with 144 bytes for its owner, whose UID has seven bytes."""

    kind = "ntag213"
    atqa = b"\x44\x00"
    sak = 0x00

    def __init__(self, uid: bytes) -> None:
        super().__init__(uid)
        self.memory = _fresh(uid)

    def command(self, data: bytes) -> bytes | AirFrame | None:
        """Answer one command; whatever the card doesn't know gets a NAK, then silence."""
        answer = self._answer(data)
        if isinstance(answer, AirFrame) and answer != _ACK:
            self.sleep()
        return answer

    def _answer(self, data: bytes) -> bytes | AirFrame:
        code, rest = data[0], data[1:]
        if code == 0x60 and not rest:
            return _VERSION
        if code == 0x30 and len(rest) == 1 and rest[0] < PAGES:
            return self._read(rest[0], 4)
        if code == 0x3A and len(rest) == 2 and rest[0] <= rest[1] < PAGES:
            return self._read(rest[0], rest[1] - rest[0] + 1)
        if code == 0xA2 and len(rest) == 5 and _FIRST_WRITABLE <= rest[0] < PAGES:
            return self._write(rest[0], rest[1:])
        if code == 0x1B and len(rest) == 4 and rest == self._page(_PAGE_PASSWORD):
            return self._page(_PAGE_PACK)[:2]
        # READ_SIG (3C) ends here too: only NXP can make that signature, and we fake none.
        return _NAK_ARGUMENT

    def _page(self, page: int) -> bytes:
        return bytes(self.memory[4 * page : 4 * page + 4])

    def _read(self, first: int, count: int) -> bytes:
        pages = [(first + n) % PAGES for n in range(count)]
        # The password and its answer are never read back.
        return b"".join(
            bytes(4) if p in (_PAGE_PASSWORD, _PAGE_PACK) else self._page(p) for p in pages
        )

    def _write(self, page: int, value: bytes) -> AirFrame:
        old = self._page(page)
        if page == _PAGE_CC:
            value = bytes(a | b for a, b in zip(old, value, strict=True))
        elif page == _PAGE_LOCK:
            value = old[:2] + bytes(a | b for a, b in zip(old[2:], value[2:], strict=True))
        self.memory[4 * page : 4 * page + 4] = value
        return _ACK
