"""The simulation finds nothing in what we ship, and finds what is broken on purpose, by name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim import shrink
from tests.sim.mutants import MUTANTS
from tests.sim.plan import draw
from tests.sim.supervisor import simulate

SEEDS = 150
REPLAYED = 7
ROOT = Path(__file__).parents[2]


def _python(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_run_ends_with_every_shown_stamp_where_it_belongs() -> None:
    done = _python("-m", "tests.sim", "--seeds", str(SEEDS))
    assert done.returncode == 0, done.stdout


def test_a_seed_replays_exactly_in_this_process_and_in_another() -> None:
    here = simulate(REPLAYED).digest
    assert here and here == simulate(REPLAYED).digest
    words = f"from tests.sim.supervisor import simulate; print(simulate({REPLAYED}).digest)"
    for hash_seed in ("1", "2"):
        assert _python("-c", words, PYTHONHASHSEED=hash_seed).stdout.strip() == here


def test_runs_are_worth_something() -> None:
    results = [simulate(seed) for seed in range(1, 6)]
    assert sum(result.tally["taps"] for result in results) > 20
    assert sum(result.tally["crashes"] for result in results) > 20
    assert sum(result.tally["registered"] for result in results) > 20


@pytest.mark.parametrize("name", MUTANTS)
def test_what_is_broken_on_purpose_is_caught_by_name(name: str) -> None:
    mutant = MUTANTS[name]
    with mutant.applied():
        found = (
            violation.check for seed in mutant.seeds for violation in simulate(seed).violations
        )
        assert mutant.caught_by in found


def test_a_failure_shrinks_to_the_few_things_that_make_it() -> None:
    mutant = MUTANTS["direction_toggled"]
    with mutant.applied():
        plan = shrink.smallest(draw(1), mutant.caught_by)
    assert len(draw(1).items) > 10
    assert len(plan.items) == 1


def test_the_command_says_what_failed_and_how_to_see_it_again() -> None:
    done = _python("-m", "tests.sim", "--seeds", "1", "--jobs", "1", "--mutant", "retimed")
    assert done.returncode == 1
    assert "./dev simulate --seeds 1 --from 1 --mutant retimed" in done.stdout
    assert "times_never_change" in done.stdout
    assert "the smallest plan" in done.stdout
