"""`python -m tests.forwarding --runs 3000`: the gateway against the ONSS stand-in, every fault."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from collections import Counter

from tests.forwarding.machine import STEPS_A_RUN
from tests.forwarding.mutants import MUTANTS
from tests.forwarding.supervisor import A_BATCH, Batch, Ended, run_all


def main() -> int:
    """Run until something fails; end with a line of JSON, or with how to see the failure again."""
    options = _parser().parse_args()
    began = options.seed if options.seed is not None else secrets.randbelow(10**6)
    print(f"from seed {began}", file=sys.stderr)
    batches = _batches(options, began)
    began_s, done = time.monotonic(), 0
    taps, calls = Counter[str](), Counter[str]()
    for ended in run_all(batches, options.jobs):
        if ended.broken:
            _tell(ended)
            return 1
        done += ended.batch.runs
        taps += ended.taps
        calls += ended.calls
        by = "" if not ended.batch.sockets else ", the last over real sockets"
        told = f"{done} of {options.runs} runs, {time.monotonic() - began_s:.0f} s{by}"
        print(told, end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)
    seconds = round(time.monotonic() - began_s)
    summary = {"runs": done, "seconds": seconds, "from": batches[0].seed}
    print(json.dumps({**summary, "taps": dict(taps), "calls": dict(calls)}))
    return 0


def _batches(options: argparse.Namespace, began: int) -> list[Batch]:
    """Cut the runs into batches, one seed each; every so many go over real sockets."""
    count = -(-options.runs // A_BATCH)
    return [
        Batch(
            seed=began + place,
            runs=min(A_BATCH, options.runs - place * A_BATCH),
            steps=options.steps,
            sockets=options.sockets == "all" or (options.sockets == "some" and place % 10 == 9),
            shrinks=not options.quick,
            mutant=options.mutant,
        )
        for place in range(count)
    ]


def _tell(ended: Ended) -> None:
    """Say what failed, and how to see it again: a batch is the same whenever it is run."""
    batch = ended.batch
    words = [f"--seed {batch.seed}", f"--runs {batch.runs}", f"--steps {batch.steps}"]
    words.append("--sockets all" if batch.sockets else "--sockets none")
    words += [f"--mutant {batch.mutant}"] if batch.mutant else []
    print(ended.words)
    print(f"{ended.broken}\nagain: python -m tests.forwarding {' '.join(words)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.forwarding",
        description="Gateway and ONSS stand-in, every fault in random order, killed between any "
        "two steps. Each registration must end at the ONSS once, rejected, or held with a reason.",
    )
    parser.add_argument("--runs", type=int, default=1000, metavar="N")
    parser.add_argument("--seed", type=int, metavar="S", help="of the first batch (default: any)")
    parser.add_argument("--steps", type=int, default=STEPS_A_RUN, metavar="N", help="in each run")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default: 1)")
    parser.add_argument(
        "--sockets",
        choices=("some", "all", "none"),
        default="some",
        help="which go over real sockets (default: every tenth batch)",
    )
    parser.add_argument("--quick", action="store_true", help="don't look for the smallest failure")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="break the product on purpose")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
