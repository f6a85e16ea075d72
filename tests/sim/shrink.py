"""The smallest plan that still fails in the same way: parts are left out while it does."""

from __future__ import annotations

from dataclasses import replace

from tests.sim.plan import Item, Plan, draw
from tests.sim.supervisor import run
from tests.sim.world import Result

RUNS_MAX = 400


def smallest(plan: Plan, check: str) -> Plan:
    """Leave out items, in halves and then one by one, while the named check still fails."""
    runs = 0

    def fails(items: tuple[Item, ...]) -> bool:
        nonlocal runs
        runs += 1
        found = run(replace(plan, items=items)).violations
        return any(violation.check == check for violation in found)

    items, size = plan.items, len(plan.items) // 2
    while size >= 1 and runs < RUNS_MAX:
        start, shrunk = 0, False
        while start < len(items) and runs < RUNS_MAX:
            fewer = items[:start] + items[start + size :]
            if fails(fewer):
                items, shrunk = fewer, True
            else:
                start += size
        if size > 1 or not shrunk:
            size //= 2
    return replace(plan, items=items)


def told(result: Result) -> str:
    """Write the smallest plan that fails as a run of a seed did, for a person to read."""
    check = result.violations[0].check
    plan = smallest(draw(result.seed), check)
    lines = [f"the smallest plan of seed {plan.seed} that breaks {check}:"]
    lines += [f"  {item}" for item in plan.items]
    lines += [f"  -> {violation}" for violation in run(plan).violations[:3]]
    return "\n".join(lines)
