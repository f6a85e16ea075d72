"""`./dev demo`: the whole path of a tap on this machine, to play with or played once."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from ciao.errors import BadInput, report
from tests.demo import scenario, window
from tests.demo.world import World


def main() -> int:
    """Run the demo; return the exit status, 1 where a tap was lost or doubled."""
    options = _arguments()
    try:
        folder = _folder(options.keep)
    except BadInput as error:
        return report(error)
    world = World(folder, _say, embedded=options.embedded)
    try:
        if not options.once:
            return window.run(world)
        tally = scenario.play(world, _say)
    except AssertionError as error:
        print(f"error: {error}", file=sys.stderr)
        print(f"hint: the logs are in {folder / 'logs'}", file=sys.stderr)
        return 1
    if options.keep is None:
        shutil.rmtree(folder)
    else:
        _say(f"kept in {folder}: terminal.toml, gateway.toml, policy.txt, databases, logs")
    print(tally.line(), flush=True)
    return 1 if tally.lost or tally.duplicated else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./dev demo",
        description="A terminal, a broker, a gateway and an ONSS stand-in on this machine. "
        "Without options: a window to play in. Nothing leaves the loopback.",
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help="play a scenario without a person, and end with one line of JSON",
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="DIR",
        help="leave the world in DIR (new or empty), to try every other command on",
    )
    parser.add_argument(
        "--embedded",
        action="store_true",
        help="use the embedded broker (no client certificates) even where mosquitto is found",
    )
    return parser.parse_args()


def _folder(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="ciao-"))
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise BadInput(f"{keep} is not an empty folder", "give --keep a new one")
    keep.mkdir(parents=True, exist_ok=True)
    return keep.resolve()


def _say(text: str) -> None:
    print(f"· {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
