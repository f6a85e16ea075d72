"""What happens to a gateway, and what it asks of the world: the values of `Gateway.step`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ciao.link import LinkEvent, Publish
from gateway.onss.answers import Outcome
from gateway.watch.events import Looked, Stamped, Witnessed


@dataclass(frozen=True, slots=True)
class Answered:
    """A call to `register` ended, with an answer or without."""

    attempt: int
    answer: Outcome


@dataclass(frozen=True, slots=True)
class Consulted:
    """A search for one tap ended, with an answer or without."""

    tap: int
    answer: Outcome


@dataclass(frozen=True, slots=True)
class Tick:
    """Time went by; also the moment at which the registry is looked at for changes."""


@dataclass(frozen=True, slots=True)
class Submit:
    """Please register these items in one call, and say `Answered`. Its attempt is committed."""

    attempt: int
    employer: str
    items: tuple[Mapping[str, Any], ...] = field(repr=False)
    trace_id: str


@dataclass(frozen=True, slots=True)
class Consult:
    """Please search for one tap whose answer is unknown, and say `Consulted`."""

    tap: int
    employer: str
    query: Mapping[str, str] = field(repr=False)
    trace_id: str


@dataclass(frozen=True, slots=True)
class Report:
    """Something for the log; names no person."""

    event: str
    fields: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class ServiceTrouble:
    """The ONSS, as one employer reaches it, came into trouble or out of it; its row is committed.

    `kind`: unavailable, refused (the credential) or paused (it asked for it); `why`: a case of the
    decision table. `since_ms`: the first failure; `ended_ms`: the first call that worked again,
    None where it has begun. By the wall clock, in milliseconds since 1970.
    """

    employer: str
    kind: str
    why: str
    since_ms: int
    ended_ms: int | None


@dataclass(frozen=True, slots=True)
class Announce:
    """Please write into the gateway's own journal that this is deleted, and say `Announced`.

    `parts`: (origin, first, last) each. Nothing is deleted before.
    """

    deletion: int
    why: str
    parts: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Announced:
    """An entry of the gateway's own journal, durable, says what is deleted: its place."""

    deletion: int
    origin: str
    seq: int


Event = LinkEvent | Answered | Consulted | Tick | Looked | Stamped | Witnessed | Announced
Effect = Publish | Submit | Consult | Report | ServiceTrouble | Announce
