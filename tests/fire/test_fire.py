"""The short run of what `python -m tests.fire` does at length."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fire.burning import burn
from tests.fire.offline import drain

KILLS = 10
SEED = 20
OFFLINE = 1_000


@pytest.fixture
def folder() -> Iterator[Path]:
    # A short path: a Unix socket's has at most 107 characters.
    made = Path(tempfile.mkdtemp(prefix="ciao-fire-"))
    yield made
    shutil.rmtree(made)


def _quietly(_text: str) -> None:
    pass


def test_no_stamp_is_lost_or_doubled_by_killing_anything_at_full_load(folder: Path) -> None:
    burnt = burn(folder, KILLS, SEED, _quietly)
    assert min(burnt.terminal, burnt.gateway, burnt.broker) > 0
    taps = burnt.tally.taps
    assert taps > KILLS
    assert (burnt.tally.lost, burnt.tally.duplicated) == (0, 0)
    assert burnt.tally.journalled == burnt.tally.receipted == burnt.tally.accepted == taps


def test_what_is_tapped_while_a_backlog_drains_reaches_the_onss_before_its_end(
    folder: Path,
) -> None:
    drained = drain(folder, OFFLINE, _quietly)
    assert drained.backlog == OFFLINE
    assert drained.fresh > 0
    # The very last taps of the drain may come after it: of the others, every one came before.
    assert drained.fresh - drained.fresh_first <= 2
    assert (drained.tally.lost, drained.tally.duplicated) == (0, 0)
