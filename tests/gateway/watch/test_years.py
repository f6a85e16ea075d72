"""A segment of the gateway's own journal lasts a year, and ends whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from ciao import entries
from ciao.journal.store import note_digest
from gateway.witness.protocol import AddCheckpoint
from tests.gateway.watch.world import WatchWorld


@pytest.fixture
def world(tmp_path: Path) -> WatchWorld:
    made = WatchWorld(tmp_path / "journal", sites={"hall-3": "hall"})
    made.connect()
    return made


def test_a_year_later_a_new_segment_begins(world: WatchWorld) -> None:
    world.wait(70)
    world.clock.advance(366 * 86_400_000)
    world.wait(70)
    segments = world.said(entries.Segment)
    assert [segment.why for segment in segments] == ["new", "yearly"]
    previous = segments[1].previous
    assert previous is not None and previous.note is not None


def test_an_outside_witness_is_asked_about_the_last_checkpoint_of_a_year(world: WatchWorld) -> None:
    asked: list[str] = []

    def go_on() -> int:
        world.wait(1)
        request = world.watch.diary.to_witness(lambda note, _: AddCheckpoint(0, (), note))
        asked.extend([request.note] if request is not None else [])
        return len(world.said(entries.Segment))

    while not asked:
        go_on()
    world.clock.advance(366 * 86_400_000)
    while go_on() == 1:
        pass
    previous = world.said(entries.Segment)[1].previous
    assert previous is not None
    last = [note for note in asked if note.startswith(previous.origin)][-1]
    assert previous.note == note_digest(last)
