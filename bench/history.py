"""`python -m bench.history FOLDER --to 5000000`: a journal that lived long, by `append` alone.

One commit an entry, so half an hour and more; it goes on where it was ended. What was made is
measured by `./dev bench tap --history FOLDER`.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from bench.door import Door

SAY_EVERY = 100_000


def main() -> int:
    """Grow the journal, and say how far it is."""
    parser = argparse.ArgumentParser(prog="python -m bench.history", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--to", type=int, default=5_000_000, metavar="ENTRIES")
    options = parser.parse_args()
    grow(Door(options.folder), options.to)
    return 0


def grow(door: Door, length: int) -> None:
    """Live through a long history."""
    began_s, before = time.monotonic(), door.size
    while door.size < length:
        door.live()
        if door.size % SAY_EVERY == 0 and door.size > before:
            rate = (door.size - before) / (time.monotonic() - began_s)
            print(f"{door.size:,} entries, {rate:,.0f} a second", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
