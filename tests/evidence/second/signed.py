"""JSON, keys, notes, the tree and the policy: README.md, keys.md, checkpoint.md, evidence.md."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d")
SIGNATURE = re.compile(r"— ([^ +]+) ([A-Za-z0-9+/]+=*)")
Said = dict[str, Any]


class Refused(ValueError):
    """Bytes that break a rule of form, or a signature of a known key that doesn't hold."""


def sha(content: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(content).digest()


# README.md: words used everywhere.


def decoded(raw: bytes, most: int) -> Said:
    """Read canonical JSON: one object, no floats, no nulls, in its one spelling."""

    def refuse(_: str) -> None:
        raise Refused("a float")

    said = json.loads(raw, parse_float=refuse, parse_constant=refuse)
    form = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if len(raw) > most or form.encode() != raw or not isinstance(said, dict) or holds_null(said):
        raise Refused("not canonical")
    return said


def holds_null(value: Any) -> bool:
    """Whether there is a null in it, at any depth."""
    inside = value.values() if isinstance(value, dict) else value
    return value is None or (isinstance(value, dict | list) and any(map(holds_null, inside)))


def raw64(text: str) -> bytes:
    """Read base64 in its one spelling."""
    raw = b64decode(text, validate=True)
    if b64encode(raw).decode() != text:
        raise Refused("base64")
    return raw


def ms(time: str) -> int:
    """Read an RFC 3339 time, as milliseconds since 1970."""
    if not TIME.fullmatch(time):
        raise Refused("time")
    return round(datetime.fromisoformat(time).timestamp() * 1000)


# keys.md and checkpoint.md: keys, notes, the tree.


@dataclass(frozen=True, slots=True)
class Key:
    """A verifier key: type 1 signs a text, type 4 cosigns a checkpoint."""

    name: str
    kind: int
    public: bytes

    @classmethod
    def read(cls, text: str) -> Key:
        """Read `<name>+<key id>+<base64>`."""
        name, number, rest = text.split("+", 2)
        raw = raw64(rest)
        key = cls(name, raw[0], raw[1:])
        if len(raw) != 33 or not name or key.number().hex() != number:
            raise Refused("key")
        return key

    def number(self) -> bytes:
        """Say its id."""
        return sha(f"{self.name}\n".encode() + bytes([self.kind]) + self.public)[:4]

    def signed(self, note: str) -> list[int]:
        """Return a time (0 for type 1) of the first signature of this key under a note, if any."""
        text, signatures = opened(note)
        made = [blob[4:] for name, blob in signatures if self._made(name, blob)]
        return [self._one(text, blob) for blob in made[:1]]

    def _made(self, name: str, blob: bytes) -> bool:
        return name == self.name and blob[:4] == self.number()

    def _one(self, text: str, signature: bytes) -> int:
        time, message = 0, text
        if self.kind == 4:
            time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            message = f"cosignature/v1\ntime {time}\n{text}"
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message.encode())
        except InvalidSignature:
            raise Refused(f"the signature of {self.name}") from None
        return time


def opened(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Split a note into its text and its signatures."""
    text, gap, rest = note.rpartition("\n\n")
    lines = [SIGNATURE.fullmatch(line) for line in rest.split("\n")[:-1]]
    if not gap or not rest.endswith("\n") or not 1 <= len(lines) <= 16:
        raise Refused("note")
    return text + "\n", [(line[1], raw64(line[2])) for line in lines if line]


def leaf_hash(leaf: bytes) -> bytes:
    """Hash a leaf."""
    return sha(b"\0" + leaf)


def node(left: bytes, right: bytes) -> bytes:
    """Hash a node."""
    return sha(b"\1" + left + right)


class Tree:
    """A tree that grows leaf by leaf from its complete subtrees, largest first."""

    def __init__(self, size: int, edge: Sequence[bytes]) -> None:
        if len(edge) != size.bit_count():
            raise Refused("edge")
        self.size, self.peaks = size, list(edge)

    def append(self, leaf: bytes) -> None:
        """Add a leaf: each one-bit that carries over joins two subtrees."""
        grown, rest = leaf_hash(leaf), self.size
        while rest & 1:
            grown, rest = node(self.peaks.pop(), grown), rest >> 1
        self.peaks.append(grown)
        self.size += 1

    def root(self) -> bytes:
        """Return the root."""
        if not self.peaks:
            return sha(b"")
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node(peak, root)
        return root


def included(seq: int, size: int, leaf: bytes, root: bytes, path: list[bytes]) -> bool:
    """RFC 9162, 2.1.3.2."""
    at, last, grown = seq, size - 1, leaf_hash(leaf)
    for step in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            grown = node(step, grown)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            grown = node(grown, step)
        at, last = at >> 1, last >> 1
    return seq < size and last == 0 and grown == root


def consistent(old: int, new: int, first: bytes, second: bytes, path: list[bytes]) -> bool:
    """RFC 9162, 2.1.4.2; of equal sizes the proof is empty, and of an empty tree there is none."""
    if old in (0, new):
        return not path and old > 0 and first == second
    path = [first, *path] if old.bit_count() == 1 else path
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    if old > new or not path:
        return False
    left = right = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            left, right = node(step, left), node(step, right)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            right = node(right, step)
        at, last = at >> 1, last >> 1
    return last == 0 and (left, right) == (first, second)


# evidence.md: the policy.


@dataclass(slots=True)
class Policy:
    """Whom the verifier trusts."""

    witnesses: dict[str, Key] = field(default_factory=dict)
    until: dict[str, int] = field(default_factory=dict)
    groups: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    quorum: str = ""
    provisioning: list[Key] = field(default_factory=list)

    @classmethod
    def read(cls, text: str) -> Policy:
        """Read the lines."""
        policy = cls()
        for line in text.splitlines():
            match line.split():
                case ["witness", name, key, *_]:
                    policy.witnesses[name] = Key.read(key)
                case ["until", name, time]:
                    policy.until[name] = ms(time)
                case ["group", name, least, *members]:
                    number = {"any": 1, "all": len(members)}.get(least) or int(least)
                    policy.groups[name] = number, members
                case ["quorum", name]:
                    policy.quorum = name
                case ["provisioning", key]:
                    policy.provisioning.append(Key.read(key))
                case [word, *_] if word != "tsa" and not word.startswith("#"):
                    raise Refused(line)
        return policy

    def moment(self, note: str, name: str = "") -> int | None:
        """Say when a checkpoint had what `name` asks for (the quorum), in milliseconds."""
        name = name or self.quorum
        if name in self.witnesses:
            ends = self.until.get(name)
            times = [time * 1000 for time in self.witnesses[name].signed(note)]
            return min((time for time in times if ends is None or time <= ends), default=None)
        least, members = self.groups[name]
        found = sorted(m for one in members if (m := self.moment(note, one)) is not None)
        return found[least - 1] if len(found) >= least else None
