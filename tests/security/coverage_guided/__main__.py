"""`python -m tests.security.coverage_guided`: hunt for a crash, reader by reader."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ciao.errors import BadInput, report
from tests.security.coverage_guided.hunting import hunt
from tests.security.readers import READERS
from tests.security.readers.reader import Reader

# In no list of setup.cfg: it has no wheels for arm64, where the tests run too.
INSTALL = "pip install atheris==3.0.0, on x86-64 Linux with Python 3.11 to 3.13"


def main(
    words: Sequence[str] | None = None,
    readers: Mapping[str, Reader] = READERS,
    tool: str = "atheris",
) -> int:
    """Run; exit status 1 where something crashed or could not be hunted in, 2 on bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.security.coverage_guided",
        description="Hunt for an input on which a reader crashes, hangs or takes too much memory, "
        "with atheris (libFuzzer): an input that reaches new code is kept and changed further.",
        epilog="A crash is kept as a file. --replay gives it to the reader again, without atheris.",
    )
    parser.add_argument("readers", nargs="*", metavar="READER", help="of --list; all unless given")
    parser.add_argument("--seconds", type=int, default=60, metavar="N", help="for each; 60")
    parser.add_argument("--list", action="store_true", help="name the readers, and end")
    parser.add_argument(
        "--corpus",
        type=Path,
        default=Path(".fuzz"),
        metavar="DIR",
        help="what reached new code, kept for the next time, and crashes/; .fuzz",
    )
    parser.add_argument("--replay", type=Path, metavar="FILE", help="give FILE to the one READER")
    options = parser.parse_args(words)
    if options.list:
        print("\n".join(readers))
        return 0
    try:
        chosen = _chosen(options.readers, readers)
        if options.replay is not None:
            return _replay(chosen, options.replay)
        if options.seconds < 1:
            raise BadInput("no time to hunt in", "--seconds 1 or more")
        if importlib.util.find_spec(tool) is None:
            raise BadInput(f"{tool} is not installed", INSTALL)
        return _hunt_all(chosen, options.corpus, options.seconds)
    except BadInput as error:
        return report(error)
    except KeyboardInterrupt:
        return 130


def _chosen(names: Sequence[str], readers: Mapping[str, Reader]) -> dict[str, Reader]:
    for name in names:
        if name not in readers:
            raise BadInput(f"there is no reader {name!r}", "--list names them; quote spaces")
    return {name: readers[name] for name in names or readers}


def _hunt_all(chosen: Mapping[str, Reader], corpus: Path, seconds: int) -> int:
    good = True
    for number, (name, reader) in enumerate(chosen.items(), 1):
        found = hunt(name, reader, corpus, seconds)
        print(
            f"{number:>3} of {len(chosen)}  {name:<28} {found.executions:>10,} inputs"
            f" {found.edges:>6,} edges",
            flush=True,
        )
        good = good and not found.crashes and not found.failed
        if found.failed:
            print(f"     there was no hunt:\n{found.failed}", file=sys.stderr)
        for path in found.crashes:
            print(
                f"     CRASH {path}\n     python -m tests.security.coverage_guided '{name}'"
                f" --replay {path}",
                flush=True,
            )
    return 0 if good else 1


def _replay(chosen: Mapping[str, Reader], path: Path) -> int:
    """Give a file to its reader: a crash is a traceback, as it would be in use."""
    if len(chosen) != 1:
        raise BadInput("a file is replayed by one reader", "name it, in front of --replay")
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadInput(f"can't read {path}: {error.strerror}", "give a file of crashes/") from error
    for name, reader in chosen.items():
        try:
            reader.read(raw)
        except reader.raises as error:
            print(f"{name}: refused in its own words, {type(error).__name__}: {error}")
        else:
            print(f"{name}: taken")
    return 0


if __name__ == "__main__":
    sys.exit(main())
