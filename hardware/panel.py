"""What a panel is told to show: light, sound and words, and the stamp they promise.

A `View` is a value; `terminal.view` makes it, a panel (screen, console twin) carries it out.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol


class Light(enum.StrEnum):
    """The lamp; each also has its own rhythm, never colour alone."""

    OFF = "off"
    WAITING = "waiting"
    IN = "in"
    OUT = "out"
    REFUSED = "refused"
    FAULT = "fault"


class Sound(enum.StrEnum):
    """The buzzer: rising fifth IN, falling fifth OUT, three ticks after either where stored here
    only, two long low tones for refused.
    """

    NONE = "none"
    TICK = "tick"
    IN = "in"
    OUT = "out"
    IN_STORED = "in_stored"
    OUT_STORED = "out_stored"
    REFUSED = "refused"


class Receipt(enum.StrEnum):
    """How far a stamp that is shown has come; these never look alike."""

    STORED_HERE = "stored_here"
    RECEIVED = "received"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class StampShown:
    """The promise a view makes: this entry is on the disk."""

    origin: str
    seq: int
    direction: str
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class View:
    """Everything the panel shows at one moment, in the language of whoever looks at it."""

    light: Light
    sound: Sound
    headline: str
    lines: tuple[str, ...] = ()
    language: str = "en"
    stamp: StampShown | None = None


class Panel(Protocol):
    """The seam: a real screen and its console twin alike."""

    def show(self, view: View) -> None:
        """Show it now; returns when it is on its way to the eyes."""

    def close(self) -> None:
        """Leave the panel dark."""
