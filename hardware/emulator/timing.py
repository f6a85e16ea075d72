"""What the chip's work takes: a command is work that goes on while time passes."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

# Yields the seconds it spends, returns what it says; closing it calls it off.
Command = Generator[float, None, bytes]


@dataclass(frozen=True, slots=True)
class Timing:
    """What things take, in seconds: a command, one look or exchange in the field.

    `look_s` keeps an endless search from spinning where all else takes no time.
    """

    command_s: float = 0.0003
    radio_s: float = 0.003
    look_s: float = 0.005
