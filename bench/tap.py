"""Tap → durable entry: sealed, hashed, in the tree, on the disk; and how history weighs on it."""

from __future__ import annotations

from collections.abc import Iterator

from bench.door import Bare, Door, place
from bench.figures import Figure, Options, paired
from bench.history import grow

ROUNDS = 2_000
STARTS = 200
YOUNG = 1_000
HISTORY = 100_000
HISTORY_QUICK = 20_000


def run(options: Options) -> Iterator[Figure]:
    """Measure a fresh journal, then the same over a long history."""
    rounds = ROUNDS // 4 if options.quick else ROUNDS
    with place() as folder:
        bare = Bare(folder / "bare.db")
        yield Figure(
            "tap to durable entry",
            paired(Door(folder / "new").tap, bare.tap, rounds),
            "times",
            1.2,
            "one bare WAL+FULL commit + one bare HPKE seal, medians",
        )
        young = Door(folder / "young")
        grow(young, YOUNG)
        if options.history is not None:
            old = Door(options.history)
        else:
            old = Door(folder / "old")
            grow(old, HISTORY_QUICK if options.quick else HISTORY)
        length = f"{old.size:,} entries"
        start = paired(old.start, young.start, STARTS)
        yield Figure(f"cold start at {length}", start, "times", 1.1, "at 1,000")
        tap = paired(old.tap, young.tap, rounds)
        yield Figure(f"tap at {length}", tap, "times", 1.1, "at 1,000, and those made meanwhile")
