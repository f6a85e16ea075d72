"""An entry as exporter and verifier need it, also one of a kind that they don't know. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import msgspec
from msgspec import Struct

from ciao import canonical, entries
from ciao.entries import Carried, Clock, Entry, NotUnderstood, Text
from ciao.reading import parse_rfc3339


class _Common(Struct, frozen=True):
    v: Literal[1]
    seq: int
    kind: Text
    at: Text
    clock: Clock
    carried: Carried | None = None


# Linux takes a clock for unsynchronised beyond this; a larger bound would prove nothing.
ERROR_MS_MAX = 16_000

# The time of an entry that says none that can be read.
UNTIMED = datetime.fromtimestamp(0, UTC)

_common = msgspec.json.Decoder(_Common)


@dataclass(frozen=True, slots=True)
class Facts:
    """One entry: what every kind has, and the rest where it is understood.

    `at_ms` is `at` in milliseconds since 1970.
    """

    seq: int
    kind: str
    at: datetime
    at_ms: int
    clock: Clock
    carried: Carried | None
    entry: Entry | None

    @property
    def believed(self) -> bool:
        """Whether its clock claims enough to be held to it."""
        error_ms = self.clock.error_ms
        return self.clock.synced and error_ms is not None and error_ms <= ERROR_MS_MAX


def read(leaf: bytes) -> Facts:
    """Read a leaf; raise LeafBroken for its bytes, ValueError where it does not say its place.

    Of one that is not understood only `seq` must be right: what else can't be read is `UNTIMED`.
    """
    try:
        entry, at = entries.decode_with_time(leaf)
    except NotUnderstood:
        return _read_blindly(leaf)
    kind = str(entry.__struct_config__.tag)
    return Facts(entry.seq, kind, at, _ms(at), entry.clock, entry.carried, entry)


def _read_blindly(leaf: bytes) -> Facts:
    try:
        found = _common.decode(leaf)
        at = parse_rfc3339(found.at)
        return Facts(found.seq, found.kind, at, _ms(at), found.clock, found.carried, None)
    except ValueError:
        value = canonical.decode(leaf, entries.LEAF_SIZE_MAX)
    seq, kind = value.get("seq"), value.get("kind")
    if type(seq) is not int:
        raise ValueError("an entry without its sequence number")
    name = kind if isinstance(kind, str) else ""
    return Facts(seq, name, UNTIMED, _ms(UNTIMED), Clock("none", False), None, None)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
