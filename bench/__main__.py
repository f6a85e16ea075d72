"""`./dev bench [NAME…] [--quick] --json FILE`: measure, show, and write the figures."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import (
    blackhole,
    drain,
    evidence,
    forward,
    idle,
    importing,
    light,
    morning,
    receipt,
    tap,
)
from bench.figures import Figure, Options, line, results, write
from bench.machine import described

BENCHES: dict[str, Callable[[Options], Iterator[Figure]]] = {
    "tap": tap.run,
    "receipt": receipt.run,
    "drain": drain.run,
    "forward": forward.run,
    "morning": morning.run,
    "light": light.run,
    "idle": idle.run,
    "evidence": evidence.run,
    "import": importing.run,
    "blackhole": blackhole.run,
}


def main() -> int:
    """Run the benches asked for; the exit status is 0 whatever they measure."""
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description="Each figure beside the bare thing it is measured against, in one run.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(BENCHES)}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, shorter history")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--results", type=Path, metavar="FILE", help="and as a page, there")
    parser.add_argument(
        "--history",
        type=Path,
        metavar="FOLDER",
        help="a journal grown by python -m bench.history, instead of a short one grown here",
    )
    parser.add_argument(
        "--entries",
        type=int,
        metavar="N",
        help="how long a log the evidence bench exports and verifies (and one of a tenth of it)",
    )
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        print(f"error: there is no bench {unknown[0]!r}", file=sys.stderr)
        print(f"hint: one of: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    machine = described(Path.cwd())
    print(machine, file=sys.stderr)
    told = Options(options.quick, options.history, options.entries)
    figures = []
    for name in options.names or BENCHES:
        print(f"… {name}", file=sys.stderr)
        for figure in BENCHES[name](told):
            figures.append(figure)
            print(line(figure), flush=True)
    if options.json is not None:
        write(figures, options.json)
    if options.results is not None:
        options.results.write_text(results(figures, machine), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
