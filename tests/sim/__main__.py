"""`./dev simulate`: run seeds, show how far and how fast, and print what a failure needs."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.sim.world import Result, World

# In memory where there is such a place: what is tested is order, not this machine's disk.
_MEMORY = Path("/dev/shm")


def simulate(seed: int) -> Result:
    """Run one seed in a folder of its own."""
    base = _MEMORY if _MEMORY.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix=f"ciao-sim-{seed}-", dir=base))
    try:
        return World(seed, folder).run()
    finally:
        shutil.rmtree(folder)


def main() -> int:
    """Run the seeds asked for; the exit status is 1 where one of them failed."""
    parser = argparse.ArgumentParser(prog="./dev simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, metavar="N", help="how many (100)")
    parser.add_argument("--from", dest="first", type=int, default=1, metavar="S", help="the first")
    options = parser.parse_args()
    began_s, taps, crashes, failed = time.monotonic(), 0, 0, 0
    for done, seed in enumerate(range(options.first, options.first + options.seeds), 1):
        result = simulate(seed)
        taps, crashes = taps + result.taps, crashes + result.crashes
        if result.violations:
            failed += 1
            _tell(result)
        rate = done / (time.monotonic() - began_s)
        progress = f"{done}/{options.seeds} seeds, {rate:.1f}/s, {taps} taps, {crashes} crashes"
        print(f"\r{progress}, {failed} failed", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(f"{options.seeds} seeds, {taps} taps shown, {crashes} crashes, {failed} failed")
    return 1 if failed else 0


def _tell(result: Result) -> None:
    print(f"\nseed {result.seed} failed; again: ./dev simulate --seeds 1 --from {result.seed}")
    for violation in result.violations[:10]:
        print(f"  {violation}")


if __name__ == "__main__":
    sys.exit(main())
