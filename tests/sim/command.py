"""The command: seeds in as many processes as there are cores, and one line of progress."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.sim import office, shrink
from tests.sim.mutants import MUTANTS
from tests.sim.supervisor import simulate
from tests.sim.world import Result

SHOWN_MAX = 10


def main() -> int:
    """Run the seeds asked for; the exit status is 1 where one of them failed."""
    options = _options()
    office.template()
    seeds = range(options.first, options.first + options.seeds)
    began_s, tally, failed = time.monotonic(), Counter[str](), list[Result]()
    with ExitStack() as stack:
        if options.mutant:
            stack.enter_context(MUTANTS[options.mutant].applied())
        for done, result in enumerate(_results(seeds, options.jobs), 1):
            tally.update(result.tally)
            if result.violations:
                failed.append(result)
                _tell(result, options.mutant)
            rate = done / (time.monotonic() - began_s)
            words = f"{done}/{len(seeds)} seeds, {rate:.1f}/s, {tally['taps']} taps,"
            if sys.stderr.isatty() or done % 100 == 0 or done == len(seeds):
                end = "" if sys.stderr.isatty() else "\n"
                print(f"\r{words} {len(failed)} failed", end=end, file=sys.stderr, flush=True)
        print(file=sys.stderr)
        if failed and options.shrink:
            print(shrink.told(min(failed, key=lambda result: result.seed)))
    print(f"{len(seeds)} seeds in {time.monotonic() - began_s:.0f} s, {len(failed)} failed")
    print(", ".join(f"{count} {what}" for what, count in sorted(tally.items())))
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, metavar="N", help="how many (100)")
    parser.add_argument("--from", dest="first", type=int, default=1, metavar="S", help="the first")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (cores)"
    )
    parser.add_argument(
        "--mutant", choices=sorted(MUTANTS), help="break the product in this way: seeds must fail"
    )
    parser.add_argument(
        "--no-shrink",
        dest="shrink",
        action="store_false",
        help="don't look for the smallest plan that fails like the first failing seed",
    )
    return parser.parse_args()


def _results(seeds: range, jobs: int) -> Iterator[Result]:
    """Run seeds; the office and a mutant are there already when processes are forked."""
    if jobs <= 1:
        yield from map(simulate, seeds)
        return
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from pool.imap_unordered(simulate, seeds, chunksize=4)


def _tell(result: Result, mutant: str | None) -> None:
    print(f"\nseed {result.seed} of commit {commit()} failed; again:")
    broken = f" --mutant {mutant}" if mutant else ""
    print(f"  ./dev simulate --seeds 1 --from {result.seed}{broken}")
    for violation in result.violations[:SHOWN_MAX]:
        print(f"  {violation}")
    sys.stdout.flush()


def commit() -> str:
    """Name what is run: the commit, and whether files differ from it."""
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip() or "unknown"
