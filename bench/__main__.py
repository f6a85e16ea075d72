"""`./dev bench [NAME…] [--quick] --json FILE`: measure, show, and write the figures."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import receipt, tap
from bench.figures import Figure, line, write

BENCHES: dict[str, Callable[..., Iterator[Figure]]] = {"tap": tap.run, "receipt": receipt.run}


def main() -> int:
    """Run the benches asked for; the exit status is 0 whatever they measure."""
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description="Each figure beside the bare thing it is measured against, in one run.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(BENCHES)}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, shorter history")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        print(f"error: there is no bench {unknown[0]!r}", file=sys.stderr)
        print(f"hint: one of: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    print(f"{os.cpu_count()} processors; Python {sys.version.split()[0]}", file=sys.stderr)
    figures = []
    for name in options.names or BENCHES:
        print(f"… {name}", file=sys.stderr)
        for figure in BENCHES[name](quick=options.quick):
            figures.append(figure)
            print(line(figure), flush=True)
    if options.json is not None:
        write(figures, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
