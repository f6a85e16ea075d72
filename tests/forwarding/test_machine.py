"""Some runs of the machine; thousands by `python -m tests.forwarding`."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.forwarding.machine import STEPS_A_RUN, Forwarding

RUNS = 12


def test_every_registration_ends_once_at_the_onss_or_rejected_or_held_with_a_reason() -> None:
    Forwarding.reached.clear()
    run_state_machine_as_test(
        Forwarding,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS_A_RUN,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert Forwarding.reached["accepted"] > 0
