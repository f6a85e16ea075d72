"""An operator's world of each test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.operator import Operator, operator


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Operator]:
    with operator(tmp_path) as made:
        yield made
