"""`python -m tests.fire [--kills N] [--seed S] [--offline N]`: real processes, under fire."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path

from tests.fire import burning, offline


def main() -> int:
    """Run one of the two trials; end with one line of JSON, and 1 where anything was lost."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fire",
        description="Terminal, gateway, mosquitto and ONSS stand-in as real processes. "
        "Either SIGKILLs at random moments and at full load, or a backlog made offline and "
        "drained while new taps come. Counted as in ./dev demo --once.",
    )
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="how many SIGKILLs")
    parser.add_argument("--seed", type=int, metavar="S", help="who dies when; any unless given")
    parser.add_argument("--offline", type=int, metavar="N", help="N taps offline, instead of kills")
    parser.add_argument("--keep", action="store_true", help="keep the world's folder")
    options = parser.parse_args()
    # A short path: a Unix socket's has at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="ciao-fire-"))
    seed = random.randrange(2**32) if options.seed is None else options.seed
    try:
        if options.offline is not None:
            drained = offline.drain(folder, options.offline, _say)
            line, tally = drained.line(), drained.tally
        else:
            burnt = burning.burn(folder, options.kills, seed, _say)
            line, tally = burnt.line(), burnt.tally
    except AssertionError as error:
        print(f"error: {error}", file=sys.stderr)
        print(f"hint: seed {seed}; the logs are in {folder / 'logs'}", file=sys.stderr)
        return 1
    lost = bool(tally.lost or tally.duplicated)
    if lost or options.keep:
        _say(f"kept in {folder}")
    else:
        shutil.rmtree(folder)
    print(line, flush=True)
    return 1 if lost else 0


def _say(text: str) -> None:
    print(f"· {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
