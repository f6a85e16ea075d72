"""A Type 4 tag: the NDEF application and its two files, behind ISO 7816 commands.

Source: NFC Forum Type 4 Tag specification 2.0 (mapping version 2.0).
"""

from __future__ import annotations

from hardware.emulator.tags.iso_dep import IsoDep

_APPLICATION = bytes.fromhex("d2760000850101")
_CC, _NDEF = 0xE103, 0xE104
_NDEF_SIZE = 256
_LE_MAX, _LC_MAX = 0x3B, 0x34
_OK = b"\x90\x00"
_NOT_FOUND, _NO_FILE, _WRONG_OFFSET = b"\x6a\x82", b"\x69\x86", b"\x6b\x00"
_WRONG_LENGTH, _UNKNOWN, _NOT_ALLOWED = b"\x67\x00", b"\x6d\x00", b"\x69\x82"
_MESSAGE = bytes.fromhex("d101105504") + b"example.invalid"


def _capabilities() -> bytes:
    return (
        bytes.fromhex("000f20")
        + _LE_MAX.to_bytes(2, "big")
        + _LC_MAX.to_bytes(2, "big")
        + bytes.fromhex("0406e104")
        + _NDEF_SIZE.to_bytes(2, "big")
        + bytes.fromhex("0000")
    )


class Type4(IsoDep):
    """A processor badge that carries an NDEF message of up to 254 bytes."""

    kind = "type4"
    atqa = b"\x44\x03"

    def __init__(self, uid: bytes) -> None:
        super().__init__(uid)
        ndef = len(_MESSAGE).to_bytes(2, "big") + _MESSAGE
        self.files = {
            _CC: bytearray(_capabilities()),
            _NDEF: bytearray(ndef.ljust(_NDEF_SIZE, b"\x00")),
        }
        self._application = False
        self._file: int | None = None

    def powered_up(self) -> None:
        """A new field: nothing is selected."""
        super().powered_up()
        self._application, self._file = False, None

    def apdu(self, command: bytes) -> bytes:
        """Answer SELECT, READ BINARY and UPDATE BINARY; refuse the rest by its status word."""
        if len(command) < 4 or command[0] != 0x00:
            return b"\x6e\x00"
        code, p1, p2, rest = command[1], command[2], command[3], command[4:]
        if code == 0xA4:
            return self._select_file(p1, rest)
        if self._file is None:
            return _NO_FILE if code in (0xB0, 0xD6) else _UNKNOWN
        if code == 0xB0:
            return self._read(p1 << 8 | p2, rest)
        if code == 0xD6:
            return self._update(p1 << 8 | p2, rest)
        return _UNKNOWN

    def _select_file(self, p1: int, rest: bytes) -> bytes:
        if not rest or len(rest) < 1 + rest[0]:
            return _WRONG_LENGTH
        name = rest[1 : 1 + rest[0]]
        if p1 == 0x04:
            self._application, self._file = name == _APPLICATION, None
            return _OK if self._application else _NOT_FOUND
        number = int.from_bytes(name, "big")
        if p1 == 0x00 and self._application and len(name) == 2 and number in self.files:
            self._file = number
            return _OK
        return _NOT_FOUND

    def _read(self, offset: int, rest: bytes) -> bytes:
        data = self.files[self._file or _CC]
        if len(rest) != 1:
            return _WRONG_LENGTH
        if offset > len(data):
            return _WRONG_OFFSET
        return bytes(data[offset : offset + (rest[0] or 256)]) + _OK

    def _update(self, offset: int, rest: bytes) -> bytes:
        if self._file != _NDEF:
            return _NOT_ALLOWED
        if not rest or len(rest) != 1 + rest[0]:
            return _WRONG_LENGTH
        data = self.files[_NDEF]
        if offset + rest[0] > len(data):
            return _WRONG_OFFSET
        data[offset : offset + rest[0]] = rest[1:]
        return _OK
