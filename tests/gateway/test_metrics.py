"""What Prometheus is told: true, on loopback, and naming nobody."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ciao.errors import BadInput
from gateway.events import Answered, Tick
from gateway.forwarding.submitting import Limits
from gateway.ledger import report
from gateway.metrics import LOOPBACK, Metrics
from gateway.onss.answers import Silence
from tests.gateway import twins
from tests.gateway.test_busy import backlog, crowded
from tests.gateway.twins import created, silence
from tests.gateway.world import TERMINAL, World, morning
from tests.support.ports import free_port

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(port: int) -> tuple[Samples, str]:
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    return samples, text


def of(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"ciao_gateway_{name}", tuple(sorted(labels.items()))]


def settle(world: World, metrics: Metrics, *events: Answered | Tick) -> None:
    """Step, and count as the program does."""
    world.step(*events)
    metrics.moved(world.gateway.moves, round(twins.at(world.second).at.timestamp() * 1000))
    while world.gateway.busy:
        world.step()
        metrics.moved(world.gateway.moves, round(twins.at(world.second).at.timestamp() * 1000))


def test_a_scrape_tells_what_became_of_taps_and_what_waits(tmp_path: Path) -> None:
    world, uids = crowded(tmp_path, 30, Limits(calls_max=4))
    world.second = 100
    metrics, port = Metrics(), free_port()
    metrics.watch(world.path, twins.at(world.second).at.timestamp)
    end = metrics.serve(port)
    try:
        journal = backlog(TERMINAL, uids, 30)
        journal.tap(twins.UID_NEW, 60)
        world.settle(journal.message())
        first, *rest = world.submitted
        settle(world, metrics, Answered(first.attempt, created(1)))
        samples, text = scrape(port)
        assert of(samples, "backlog", state="submitted") == 4
        assert of(samples, "backlog", state="recorded") == 25
        assert of(samples, "waiting", state="unresolved") == 1
        assert of(samples, "backlog_oldest_seconds") == 99
        assert of(samples, "taps_moved_total", state="accepted") == 1
        assert of(samples, "tap_to_accepted_seconds_sum") == 100
        settle(
            world, metrics, *[Answered(c.attempt, silence(Silence.REFUSED, False)) for c in rest]
        )
        metrics.services(world.gateway.services.breakers)
        samples, text = scrape(port)
        assert of(samples, "service_trouble", employer=twins.EMPLOYER, kind="unavailable") == 1
        assert of(samples, "service_trouble", employer=twins.EMPLOYER, kind="refused") == 0
    finally:
        end()
    for secret in (twins.ANN, twins.BEN, "w1", TERMINAL, uids[0].hex(), twins.UID_NEW.hex()):
        assert secret not in text


def test_what_waits_is_counted_as_the_report_counts_it(world: World) -> None:
    world.onss.script = ["lost"]
    world.settle(morning([(twins.UID_ANN, 1, "in"), (twins.UID_NEW, 2, "in")]).message())
    world.step(*world.answers())
    found, all_taps = report.backlog(world.path), report.read(world.path).taps
    assert {**found.on_the_way, **found.waiting} == {
        state: all_taps.get(state, 0)
        for state in ("recorded", "submitted", "unknown", "held", "unresolved")
    }
    assert found.on_the_way["unknown"] == 1


def test_a_port_that_is_taken_is_said_plainly() -> None:
    port = free_port()
    end = Metrics().serve(port)
    try:
        with pytest.raises(BadInput, match="can't serve metrics"):
            Metrics().serve(port)
    finally:
        end()
