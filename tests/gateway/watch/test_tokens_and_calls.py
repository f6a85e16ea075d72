"""What a call that failed says of the service once tokens are refused as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from ciao.entries import OutageEnd
from gateway.onss.answers import Silence
from tests.gateway.watch.world import ANCHORS, WELL, WatchWorld, silence


@pytest.fixture
def world(tmp_path: Path) -> WatchWorld:
    made = WatchWorld(tmp_path / "journal", sites={"hall-3": "hall"})
    made.connect()
    return made


def test_a_call_that_failed_speaks_against_nobody_while_no_token_is_given_for_another(
    world: WatchWorld,
) -> None:
    world.wait(20)
    world.called(silence(Silence.TIMEOUT))
    world.wait(20)
    world.around = {**WELL, **ANCHORS, "onss-token:shiny": "denied"}
    world.wait(30)
    assert world.causes() == ["onss_unavailable", "onss_auth_rejected"]
    assert [one.cause for one in world.said(OutageEnd)] == ["onss_unavailable"]


def test_a_call_that_failed_counts_while_anybody_else_could_call(world: WatchWorld) -> None:
    world.wait(20)
    world.called(silence(Silence.TIMEOUT))
    world.around = {**WELL, **ANCHORS, "onss-token:bright": "denied"}
    world.wait(60)
    assert world.causes() == ["onss_unavailable"]
    assert not world.said(OutageEnd)
