"""One world is made for all; each test gets a copy of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.world import World, make_world


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("made") / "world")


@pytest.fixture
def world(made: World, tmp_path: Path) -> World:
    return made.copy(tmp_path / "world")
