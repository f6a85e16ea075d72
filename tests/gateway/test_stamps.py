"""`ciao-gateway stamps`: a person's own, and nobody else's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.ledger.stamps import stamps_of
from tests.gateway import twins
from tests.gateway.house import make_house
from tests.gateway.twins import Badge
from tests.gateway.world import TERMINAL, World, morning


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(make_house(tmp_path / "house").folder).online()
    yield world
    world.ledger.close()


def test_what_is_set_aside_as_soon_as_it_comes_is_among_them(world: World, tmp_path: Path) -> None:
    world.people.enrol(twins.UID_NEW, Badge("worker-new", twins.BEN, revoked=True))
    journal = morning()
    journal.tap(twins.UID_ANN, 0, synced=False)
    journal.tap(twins.UID_NEW, 1)
    world.run(journal.message())
    ledger = tmp_path / "house" / "ledger.db"
    told = [stamps_of(ledger, worker, 9) for worker in ("worker-ann", "worker-new")]
    assert [[(one.state, one.reason) for one in each] for each in told] == [
        [("held", "untrusted_clock")],
        [("held", "revoked_badge")],
    ]


def test_a_person_s_stamps_are_listed_with_what_became_of_them(
    world: World, tmp_path: Path
) -> None:
    world.people.enrol(twins.UID_ANN, Badge("worker-ann", twins.ANN))
    world.people.enrol(twins.UID_NEW, Badge("worker-new", twins.BEN))
    journal = morning()
    journal.tap(twins.UID_ANN, 0)
    journal.tap(twins.UID_NEW, 1)
    journal.tap(twins.UID_ANN, 2)
    world.run(journal.message())
    config = ("--config", str(tmp_path / "house" / "gateway.toml"))

    def run(*words: str) -> str:
        result = CliRunner().invoke(main, ["stamps", *words, *config])
        assert result.exit_code == 0, result.output
        return result.output

    found = json.loads(run("worker-ann", "--json"))
    assert len(found) == 2
    assert found[0]["at"] > found[1]["at"], "the newest first"
    assert {(one["terminal"], one["state"]) for one in found} == {(TERMINAL, "accepted")}
    assert all(one["onss_id"] for one in found)
    assert run("worker-ann").count("ONSS ") == 2
    assert len(run("worker-ann", "--limit", "1").splitlines()) == 1
    assert "no stamps of nobody" in run("nobody")
