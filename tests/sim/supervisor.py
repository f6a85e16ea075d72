"""Runs a plan in a folder of its own; a program that breaks is a violation, not our end."""

from __future__ import annotations

import functools
import shutil
import tempfile
import traceback
from pathlib import Path

from ciao import notes
from tests.sim.office import in_memory
from tests.sim.plan import Plan, draw
from tests.sim.world import Result, Violation, World

BROKE = "no_program_breaks"
# What a signature says of a message never changes: each is verified once. A tenth of a run.
vars(notes)["_check"] = functools.lru_cache(maxsize=4096)(notes._check)


def simulate(seed: int) -> Result:
    """Run one seed."""
    return run(draw(seed))


def run(plan: Plan) -> Result:
    """Run one plan."""
    folder = Path(tempfile.mkdtemp(prefix=f"ciao-sim-{plan.seed}-", dir=in_memory()))
    world = World(plan, folder)
    try:
        return world.run()
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno} {last.name}"
        words = f"{type(error).__name__}: {error} at {where}"
        return Result(plan.seed, (Violation(BROKE, words),), "", {})
    finally:
        world.close()
        shutil.rmtree(folder)
