"""Some runs of the machine; thousands by `python -m tests.forwarding`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.forwarding.checks import CHECKS, NEVER_CHANGED
from tests.forwarding.mutants import MUTANTS
from tests.forwarding.supervisor import Batch, run

RUNS = 120
OVER_SOCKETS = 15
ROOT = Path(__file__).parents[2]


def test_every_registration_ends_once_at_the_onss_or_rejected_or_held_with_a_reason() -> None:
    ended = run(Batch(seed=1, runs=RUNS, shrinks=False))
    assert not ended.broken, ended.words
    assert {
        "accepted",
        "valid",
        "remarked",
        "rejected",
        "held",
        "abandoned",
    } <= ended.taps.keys()
    # Which of some sixteen ends of a call a few runs meet is hypothesis' draw, and changes with it.
    assert {"200", "refused", "timeout", "dropped"} <= ended.calls.keys()
    assert len(ended.calls) >= 9


def test_so_does_each_over_real_sockets() -> None:
    ended = run(Batch(seed=1, runs=OVER_SOCKETS, sockets=True, shrinks=False))
    assert not ended.broken, ended.words
    assert ended.taps["accepted"] > 0


@pytest.mark.parametrize("name", MUTANTS)
def test_what_is_broken_on_purpose_is_caught_by_name(name: str) -> None:
    mutant = MUTANTS[name]
    batches = (Batch(seed, shrinks=False, mutant=name) for seed in mutant.seeds)
    assert any(mutant.caught_by in (run(batch).broken or "") for batch in batches)


def test_each_check_has_a_mutant() -> None:
    assert {mutant.caught_by for mutant in MUTANTS.values()} == {*CHECKS, NEVER_CHANGED}


def test_a_failure_says_how_to_see_it_again_and_replays() -> None:
    words = ["--runs", "50", "--mutant", "called_twice", "--quick"]
    first = _machine("--seed", "1", *words)
    assert first.returncode == 1
    again = "--seed 1 --runs 50 --steps 40 --sockets none --mutant called_twice"
    assert f"again: python -m tests.forwarding {again}" in first.stdout
    assert "state.start(" in first.stdout
    assert _machine(*again.split(), "--quick").stdout == first.stdout


def _machine(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.forwarding", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
