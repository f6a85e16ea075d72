"""What the watch is told, and what it asks for: values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """Please look at the ONSS, our credentials and our own line, and say `Looked`."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a round saw: the words of `ciao.causes`, each probe's; `<probe>:<employer>` its own."""

    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Stamp:
    """Please have a list of checkpoints stamped and kept, and say `Stamped`. `at` is its time."""

    document: bytes
    at: str


@dataclass(frozen=True, slots=True)
class Stamped:
    """A list was stamped and is kept, by its SHA-256; or `why` it was not."""

    document: str
    at: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Witnessed:
    """Somebody outside cosigned a checkpoint of our own journal: the note, checked."""

    note: str
    size: int
