"""Runs of the machine by seed: a batch is the same whenever it is run again."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from multiprocessing import get_context

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.forwarding.checks import Broken
from tests.forwarding.machine import STEPS_A_RUN, Forwarding, OverSockets
from tests.forwarding.mutants import MUTANTS

A_BATCH = 50


@dataclass(frozen=True, slots=True)
class Batch:
    """Some runs, all drawn from one seed; `mutant` breaks the product first."""

    seed: int
    runs: int = A_BATCH
    steps: int = STEPS_A_RUN
    sockets: bool = False
    shrinks: bool = True
    mutant: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """What a batch came to. `words` tells the smallest run that fails, if one does."""

    batch: Batch
    runs: int
    taps: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    broken: str | None = None
    words: str = ""


def run(batch: Batch) -> Ended:
    """Run one batch, until the first run that fails."""
    with MUTANTS[batch.mutant].applied() if batch.mutant else nullcontext():
        return _run(batch)


def _run(batch: Batch) -> Ended:
    Forwarding.runs = 0
    Forwarding.reached.clear()
    Forwarding.answers.clear()
    broken, words = None, ""
    try:
        # A class of its own, because the seed is kept on it.
        machine = type("Forwarding", (OverSockets if batch.sockets else Forwarding,), {})
        run_state_machine_as_test(seed(batch.seed)(machine), settings=_settings(batch))
    except Exception as error:
        broken = error.check if isinstance(error, Broken) else type(error).__name__
        words = "".join(traceback.format_exception(error))
    reached, answers = Counter(Forwarding.reached), Counter(Forwarding.answers)
    return Ended(batch, Forwarding.runs, reached, answers, broken, words)


def run_all(batches: list[Batch], jobs: int) -> Iterator[Ended]:
    """Run batches, in that many processes, as they end."""
    if jobs == 1:
        yield from map(run, batches)
        return
    with get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(run, batches)


def _settings(batch: Batch) -> settings:
    phases = (Phase.generate, Phase.shrink) if batch.shrinks else (Phase.generate,)
    return settings(
        max_examples=batch.runs,
        stateful_step_count=batch.steps,
        deadline=None,
        phases=phases,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
