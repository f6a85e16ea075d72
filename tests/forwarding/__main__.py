"""`python -m tests.forwarding --runs 3000`: the gateway against the ONSS stand-in, every fault."""

from __future__ import annotations

import argparse
import json
import time

from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.database import InMemoryExampleDatabase
from hypothesis.stateful import run_state_machine_as_test

from tests.forwarding.machine import STEPS_A_RUN, Forwarding

AT_ONCE = 100


def main() -> int:
    """Run; end with one line of JSON. A run that fails raises, with the smallest one that does."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.forwarding",
        description="Gateway and ONSS stand-in, every fault in random order, killed between any "
        "two steps. Each registration must end at the ONSS once, rejected, or held with a reason.",
    )
    parser.add_argument("--runs", type=int, default=1000, metavar="N")
    parser.add_argument("--steps", type=int, default=STEPS_A_RUN, metavar="N", help="in each run")
    options = parser.parse_args()
    began_s = time.monotonic()
    for done in range(0, options.runs, AT_ONCE):
        run_state_machine_as_test(
            Forwarding,
            settings=settings(
                max_examples=min(AT_ONCE, options.runs - done),
                stateful_step_count=options.steps,
                deadline=None,
                phases=(Phase.generate, Phase.shrink),
                verbosity=Verbosity.quiet,
                database=InMemoryExampleDatabase(),
                suppress_health_check=list(HealthCheck),
            ),
        )
        print(f"{done + AT_ONCE} of {options.runs} runs", flush=True)
    taken_s = round(time.monotonic() - began_s)
    ended = {"taps": dict(Forwarding.reached), "calls": dict(Forwarding.answers)}
    print(json.dumps({"runs": options.runs, "seconds": taken_s, **ended}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
