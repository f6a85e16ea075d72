"""What the parts of a terminal say: values that travel from an edge into `terminal.step`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ciao.reading import Reading
from ciao.registration import Direction


@dataclass(frozen=True, slots=True)
class CardRead:
    """A badge came into a reader's field and said who it is.

    `reading` was taken at the first sense of the badge. `tier` is `uid`, `sun` or `aes`;
    `picc` and `cmac` are hex, for `sun` only (NXP AN12196).
    """

    reader: str
    uid: bytes
    reading: Reading
    tier: Literal["uid", "sun", "aes"] = "uid"
    picc: str | None = None
    cmac: str | None = None


@dataclass(frozen=True, slots=True)
class CardGone:
    """The badge left the field of a reader (three senses missed it), or nobody can say any more.

    So it is when the reader fails, or a second badge lies beside it.
    """

    reader: str
    uid: bytes


@dataclass(frozen=True, slots=True)
class CardUnreadable:
    """Something was in the field that is nobody's tap, and is not read again until it is lifted.

    `why`: `half` answered and could not be read; `two` badges were there; `lying` there already
    when the program began to look: nobody knows since when, nor whether it was stamped.
    """

    reader: str
    reading: Reading
    why: Literal["half", "two", "lying"] = "half"


@dataclass(frozen=True, slots=True)
class ReaderChanged:
    """A reader began or ceased to work; `detail` is for the journal and the doctor.

    It works from the first look on that succeeded: from here on a badge that comes is read.
    """

    reader: str
    works: bool
    detail: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class Pressed:
    """Somebody pressed IN or OUT."""

    direction: Direction
    reading: Reading


@dataclass(frozen=True, slots=True)
class Probed:
    """What the surroundings looked like (`ciao.causes.PROBES`); the look began at `reading`.

    `whole` where everything was looked at, else it is only a part of it.
    """

    reading: Reading
    seen: Mapping[str, str]
    whole: bool


HardwareEvent = CardRead | CardGone | CardUnreadable | ReaderChanged | Pressed
