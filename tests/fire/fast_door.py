"""The production terminal as a process of its own, with a second reader that is as fast as we like.

A badge on the emulated chip takes a tenth of a second or more, so the chip alone never fills the
journal, the uplink and the ONSS at once. Beside it, this reader takes `tap in UID` on a control
socket and says what a chip would say: pressed, badge read, badge gone. Everything behind the
reader is the unmodified program, `terminal.__main__.serve`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta, tzinfo
from pathlib import Path

import terminal.__main__ as program
from ciao.errors import BadInput
from ciao.reading import ReadClock
from ciao.registration import Direction
from hardware.clock import system_clock
from hardware.control import ControlServer
from hardware.events import CardGone, CardRead, HardwareEvent, Pressed
from hardware.reader import open_reader
from hardware.reader.thread import Reader
from terminal import config

READER = "fast"


class FastReader:
    """Badges and presses from a control socket, beside a real reader; closed like one."""

    def __init__(
        self, control: Path, emit: Callable[[HardwareEvent], None], read_clock: ReadClock
    ) -> None:
        self._emit = emit
        self._read_clock = read_clock
        self._server = ControlServer(control, self._obey)

    def close(self) -> None:
        self._server.close()

    def _obey(self, line: str) -> None:
        """Each line: `tap in 04a1b2c3d4e580`, or several directions and badges after `tap`."""
        word, *people = line.split()
        if word != "tap" or len(people) % 2:
            raise BadInput(f"{line!r} is no tap", "say 'tap in UID'")
        for direction, uid in zip(people[::2], people[1::2], strict=True):
            now, badge = self._read_clock(), bytes.fromhex(uid)
            self._emit(Pressed(Direction(direction), now))
            self._emit(CardRead(READER, badge, now))
            self._emit(CardGone(READER, badge))


@dataclass(frozen=True, slots=True)
class _Both:
    """The reader on the chip, and the fast one."""

    chip: Reader
    fast: FastReader

    def close(self) -> None:
        self.fast.close()
        self.chip.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fire.fast_door", description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--control", type=Path, required=True, help="the fast reader's socket")
    parser.add_argument("--ago", type=float, default=0.0, help="seconds its clock is behind")
    options = parser.parse_args()

    def open_both(
        name: str,
        path: Path,
        emit: Callable[[HardwareEvent], None],
        read_clock: ReadClock,
        *,
        reads_lying: bool,
    ) -> _Both:
        chip = open_reader(name, path, emit, read_clock, reads_lying=reads_lying)
        return _Both(chip, FastReader(options.control, emit, read_clock))

    def clock_behind(zone: tzinfo, assured_error_ms: int | None) -> ReadClock:
        read = system_clock(zone, assured_error_ms)
        ago = timedelta(seconds=options.ago)
        return lambda: replace(now := read(), at=now.at - ago)

    # The two edges that differ; what constructs them stays as it is.
    vars(program).update(open_reader=open_both, system_clock=clock_behind)
    program.serve(config.load(options.config), quiet=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
