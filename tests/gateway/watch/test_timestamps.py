"""Time stamps of an outside authority, asked for by the watch: real HTTP, real `openssl ts`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ciao import timestamps
from ciao.entries import Timestamp, TimestampFailed
from ciao.evidence import stamped
from ciao.evidence.stamped import Checkpointed
from gateway.events import Event
from gateway.timestamping.authority import Authority as Asked
from gateway.timestamping.due import AGAIN_MS, Due
from gateway.timestamping.shelf import Shelf
from gateway.timestamping.stamping import Stamping
from gateway.watch.events import Stamp, Stamped
from tests.gateway.watch.world import WatchWorld
from tests.support.authority import Authority, serving

LISTED = [Checkpointed("badges.example.be/ciao/door-1/6f1d2c3b4a596877", "ab" * 32, 12)]


class StampedWorld(WatchWorld):
    """A watch that is given a way to an authority; what it asks for is kept in `asking`."""

    checkpoints: Sequence[Checkpointed] = LISTED

    def begin(self) -> None:
        super().begin()
        self.asking: list[Stamp] = []
        self.shelf = Shelf(self.folder / "timestamps")
        due = Due(self.shelf.newest())
        self.watch.stamping = Stamping(lambda: self.checkpoints, due)

    def step(self, events: Sequence[Event] = (), effects: Sequence[object] = ()) -> None:
        super().step(events, effects)  # type: ignore[arg-type]
        self.asking += [one for one in self.reports if isinstance(one, Stamp)]
        self.reports = [one for one in self.reports if not isinstance(one, Stamp)]

    def answer(self, authority: Asked) -> None:
        """Do as the watcher's thread does, and tell the watch."""
        (asked,) = self.asking
        self.asking = []
        try:
            digest = self.shelf.put(asked.document, authority.stamp(asked.document))
        except timestamps.NotStamped as error:
            self.step([Stamped("", asked.at, str(error))])
        else:
            self.step([Stamped(digest, asked.at)])


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with serving(Authority.make(tmp_path_factory.mktemp("authority") / "tsa")) as running:
        yield running


@pytest.fixture
def asked(authority: Authority) -> Asked:
    authority.mood = "well"
    return Asked(authority.url, [authority.root])


def test_a_day_s_stamp_is_journalled_kept_and_proves_its_list(tmp_path: Path, asked: Asked) -> None:
    world = StampedWorld(tmp_path)
    world.step()
    world.answer(asked)
    (entry,) = [one for one in world.every() if isinstance(one, Timestamp)]
    ((_, document, reply),) = world.shelf.each()
    assert stamped.decode(document).checkpoints == LISTED
    assert timestamps.read(reply, document, asked.roots)
    world.wait(120)
    assert world.asking == []
    assert entry.document in {path.stem for path in (tmp_path / "timestamps").iterdir()}


def test_an_authority_that_gives_none_is_an_entry_and_is_asked_again(
    tmp_path: Path, asked: Asked, authority: Authority
) -> None:
    world = StampedWorld(tmp_path)
    authority.mood = "503"
    world.step()
    world.answer(asked)
    (entry,) = [one for one in world.every() if isinstance(one, TimestampFailed)]
    assert entry.why == "the authority answered 503"
    authority.mood = "well"
    world.clock.advance(AGAIN_MS)
    world.step()
    world.answer(asked)
    assert [one for one in world.every() if isinstance(one, Timestamp)]


def test_an_outage_that_ended_is_stamped_the_same_day(tmp_path: Path, asked: Asked) -> None:
    world = StampedWorld(tmp_path, sites={"door-1": "hall"})
    world.step()
    world.answer(asked)
    world.connect()
    world.wait(300, ["door-1"])
    world.around = {**world.around, "onss-tcp": "refused"}
    world.wait(600, ["door-1"])
    world.around = {**world.around, "onss-tcp": "ok"}
    world.wait(600, ["door-1"])
    assert len(world.asking) == 1


def test_a_restart_asks_no_second_time_on_the_same_day(tmp_path: Path, asked: Asked) -> None:
    world = StampedWorld(tmp_path)
    world.step()
    world.answer(asked)
    world.restart()
    world.step()
    assert world.asking == []


def test_without_anything_to_stamp_nobody_is_asked(tmp_path: Path) -> None:
    world = StampedWorld(tmp_path)
    world.checkpoints = []
    world.wait(5)
    assert world.asking == []
