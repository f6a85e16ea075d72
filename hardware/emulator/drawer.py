"""The badges somebody can lay on the reader, and the one-line language to do it in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ciao.errors import BadInput
from hardware.emulator.tags.classic import Classic1K
from hardware.emulator.tags.ntag213 import Ntag213
from hardware.emulator.tags.phone import RANDOM_UID, Phone
from hardware.emulator.tags.type4 import Type4
from hardware.emulator.tags.type_a import TypeA
from hardware.emulator.tags.weak import Weak

_KINDS: dict[str, tuple[type[TypeA], tuple[int, ...]]] = {
    "ntag213": (Ntag213, (7,)),
    "classic1k": (Classic1K, (4, 7)),
    "type4": (Type4, (7,)),
    "phone": (Phone, (4,)),
    "weak": (Weak, (4, 7)),
}
KINDS = tuple(_KINDS)
_BADGES_MAX = 1000
_UID = re.compile(r"(?:[0-9A-Fa-f]{2}){4}|(?:[0-9A-Fa-f]{2}){7}|(?:[0-9A-Fa-f]{2}){10}")


@dataclass(frozen=True, slots=True)
class Order:
    """What a line asks for: a word and its named values."""

    word: str
    values: dict[str, str]


def parse(line: str, known: dict[str, tuple[str, ...]]) -> Order:
    """Read `word name=value …`; `known` says which words have which names. Raises BadInput."""
    word, *rest = line.split() or [""]
    if word not in known:
        raise BadInput(f"unknown word {word!r}", f"say one of: {', '.join(known)}")
    values: dict[str, str] = {}
    for part in rest:
        name, sign, value = part.partition("=")
        if not sign or name not in known[word] or name in values:
            names = ", ".join(f"{n}=" for n in known[word]) or "nothing"
            raise BadInput(f"{part!r} after {word!r} is not understood", f"it takes {names}")
        values[name] = value
    return Order(word, values)


def uid_from(text: str) -> bytes:
    """Read a UID of 4, 7 or 10 bytes in hex; raise BadInput for anything else."""
    if not _UID.fullmatch(text):
        raise BadInput(f"uid={text} is no UID", "give 4, 7 or 10 bytes in hex")
    return bytes.fromhex(text)


class Drawer:
    """Keeps each badge that was ever laid down, so that what was written on it stays."""

    def __init__(self, draw: Callable[[int], bytes]) -> None:
        self._draw = draw
        self._badges: dict[tuple[str, bytes], TypeA] = {}

    def badge(self, order: Order) -> TypeA:
        """Return the badge that a `put` line names; raise BadInput if there can be no such."""
        kind = order.values.get("type", "ntag213")
        if kind not in _KINDS:
            raise BadInput(f"type={kind} is not known", f"use one of: {', '.join(KINDS)}")
        make, sizes = _KINDS[kind]
        if "uid" not in order.values:
            if kind == Phone.kind:
                return Phone(bytes([RANDOM_UID]) + self._draw(3), self._draw)
            raise BadInput("which badge? uid= is missing", "for example uid=04A1B2C3D4E580")
        uid = uid_from(order.values["uid"])
        if len(uid) not in sizes:
            allowed = " or ".join(str(size) for size in sizes)
            raise BadInput(f"a {kind} can't have a UID of {len(uid)} bytes", f"it has {allowed}")
        if (kind == Phone.kind) != (len(uid) == 4 and uid[0] == RANDOM_UID):
            raise BadInput(
                "UIDs of 4 bytes beginning 08 are phones', and only theirs",
                "use type=phone with uid=08…, or another uid",
            )
        if (kind, uid) not in self._badges and len(self._badges) >= _BADGES_MAX:
            self._badges.pop(next(iter(self._badges)))
        return self._badges.setdefault((kind, uid), make(uid))
