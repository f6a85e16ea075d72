"""What became of a stamp is told at the next tap; what works is told each minute."""

from __future__ import annotations

from pathlib import Path

import pytest

from ciao import entries, names
from ciao.journal.store import note_digest
from ciao.registration import State
from tests.terminal.gateway import Gateway, cosigned
from tests.terminal.world import (
    ANNA,
    IN,
    OUT,
    World,
    bound_world,
    outcome,
    signer,
)

FOREIGN = signer(names.cosigner_name("badges.example.be", "other"), b"other")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return bound_world(tmp_path / "state")


def test_an_outcome_is_confirmed_at_once_where_the_stamp_still_shows(world: World) -> None:
    world.press(IN)
    stamp = world.tap(ANNA).stamp
    assert stamp is not None
    views = world.do(outcome(stamp.origin, stamp.seq, "accepted"))
    assert [v.lines[1] for v in views] == ["Confirmed by the ONSS."]
    assert world.do(outcome(stamp.origin, stamp.seq + 5, "accepted")) == []


@pytest.mark.parametrize("state", ["rejected", "unresolved", "held", "unknown"])
def test_a_stamp_in_trouble_is_told_at_the_next_tap(world: World, state: str) -> None:
    stamp = world.stamp(ANNA, IN).stamp
    assert stamp is not None
    world.do(outcome(stamp.origin, stamp.seq, state, "late"))
    assert "Your stamp of 06:02 is not confirmed." in world.stamp(ANNA, OUT).lines
    assert "Your stamp of 06:02 is not confirmed." not in world.stamp(ANNA, IN).lines


@pytest.mark.parametrize(
    "state", [*(s.value for s in State if s is State.ACCEPTED), "newer-than-us"]
)
def test_a_good_or_an_unknown_word_is_no_trouble(world: World, state: str) -> None:
    stamp = world.stamp(ANNA, IN).stamp
    assert stamp is not None
    world.do(outcome(stamp.origin, stamp.seq, state))
    view = world.stamp(ANNA, OUT)
    assert view.stamp is not None
    assert not any("confirmed" in line for line in view.lines)


def test_each_minute_a_heartbeat_says_what_works_and_the_newest_note(world: World) -> None:
    world.connect()
    note = cosigned(world, world.journal.size)
    world.do(note)
    world.wait(180_000)
    beats = [e for e in world.entries() if isinstance(e, entries.Heartbeat)]
    assert len(beats) == 3
    assert beats[-1].works == dict.fromkeys(
        ("reader", "panel", "disk", "link", "broker", "gateway"), True
    )
    newest = world.journal.newest_note()
    assert newest is not None
    assert beats[-1].note == note_digest(newest)
    gateway = Gateway()
    world.connect()
    world.terminal.exchange.uplink.resend(0, world.clock().up_ms)
    world.do()
    batches = world.batches()
    assert newest in [note for batch in batches for note in batch.notes]
    world.disconnect()
    world.wait(60_000)
    beat = [e for e in world.entries() if isinstance(e, entries.Heartbeat)][-1]
    assert (beat.works["link"], beat.works["gateway"]) == (False, False)
    assert gateway.gaps == 0
