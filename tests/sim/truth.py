"""What really happened, as nobody in the simulation can know it: what the checkers compare with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

Payload = str  # SHA-256 of a tap's sealed bytes, in hex: what makes it the same tap (DESIGN 3.4)
Sensed = tuple[str, str, int]  # terminal, boot, ms since that boot


@dataclass(frozen=True, slots=True)
class Scene:
    """What was at a terminal at one moment: its clock's time, the true one, whose badges.

    Two badges can come into its fields in one millisecond; each may have been read.
    """

    at: str
    true_at: datetime
    ssins: frozenset[str]


@dataclass(frozen=True, slots=True)
class Press:
    """A button, pressed at a moment since boot."""

    terminal: str
    boot: str
    up_ms: int
    direction: str


@dataclass(frozen=True, slots=True)
class Promise:
    """A stamp that was shown as recorded; `seen` counts promises in the order they were made."""

    terminal: str
    origin: str
    seq: int
    direction: str
    seen: int


@dataclass(frozen=True, slots=True)
class Revoked:
    """A badge was lost at a moment, and said to be lost at another."""

    lost_at: datetime
    entered_ms: int


@dataclass(frozen=True, slots=True)
class Rebound:
    """A terminal was given a bundle under another works declaration, in force from a moment.

    `serials`: its own, and those under which it was issued anew with other keys.
    """

    starts: datetime
    serials: frozenset[int]


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something failed around a host from a true moment to another, and what its cause is."""

    host: str
    cause: str
    affected: str
    from_ms: int
    until_ms: int


@dataclass(slots=True)
class Truth:
    """The record of one run.

    `early`: what was told although it was not on the disk. `lost`: taps that a disaster erased
    from every disk at once, by what it was. `forgotten`: taps that a restored ledger lacked, their
    times and directions.
    """

    scenes: dict[Sensed, Scene] = field(default_factory=dict)
    presses: list[Press] = field(default_factory=list)
    promises: dict[Payload, Promise] = field(default_factory=dict)
    early: list[tuple[str, str]] = field(default_factory=list)
    lost: dict[Payload, str] = field(default_factory=dict)
    forgotten: dict[Payload, tuple[str, str]] = field(default_factory=dict)
    broken_promises: list[str] = field(default_factory=list)
    former_traces: set[str] = field(default_factory=set)
    rolled_back: set[str] = field(default_factory=set)
    restored: bool = False
    enrolled: bool = False
    rolled: bool = False
    receipts: set[str] = field(default_factory=set)
    revoked: dict[str, Revoked] = field(default_factory=dict)
    wrong: list[Wrong] = field(default_factory=list)
    rebound: dict[str, Rebound] = field(default_factory=dict)
