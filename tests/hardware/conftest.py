from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hardware.clock import VirtualClock
from tests.hardware.emulated import Emulator, running_emulator


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with running_emulator(tmp_path) as running:
        yield running


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime(2026, 3, 2, 6, 0, tzinfo=UTC))


PACKAGE_OF = {
    "nfc-list": "libnfc-bin",
    "nfc-mfultralight": "libnfc-bin",
    "nfc-poll": "libnfc-examples",
}


@pytest.fixture
def libnfc() -> Callable[[str], str]:
    """Find a tool of libnfc, or fail, never skip: what it says of the emulator is our promise."""

    def find(tool: str) -> str:
        path = shutil.which(tool)
        if path is None:
            pytest.fail(f"no {tool}: apt-get install {PACKAGE_OF[tool]}")
        return path

    return find
