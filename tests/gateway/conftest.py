"""Fixtures of the gateway's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A gateway that is online, with one terminal and two people."""
    world = World(tmp_path).online()
    yield world
    world.ledger.close()
