"""A restored gateway gets older segments again, one batch each time it asks."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from ciao import entries, wire
from terminal.again import Again
from terminal.uplink import Uplink
from tests.terminal.gateway import Gateway, cosigned, counted, fill
from tests.terminal.world import ANNA, IN, OUT, World, bound_world, gateway_online, hint


@pytest.fixture
def world(tmp_path: Path) -> World:
    return bound_world(tmp_path / "state")


def ended(world: World, count: int = 0) -> tuple[str, int]:
    """Have the current segment receipted and end; return its origin and how much of it was."""
    fill(world, count)
    origin, size = world.journal.origin, world.journal.size
    world.do(cosigned(world, size))
    begin(world)
    return origin, size


def begin(world: World) -> None:
    world.journal.begin("yearly", world.clock())
    world.terminal.exchange.begin(world.clock())


def settled(world: World) -> None:
    """Have the current segment receipted, so that nothing of it is to be sent."""
    gateway = Gateway()
    world.connect()
    gateway.serve_all(world)


def ask(world: World, origin: str, seq: int) -> list[tuple[int, int]]:
    """Ask for an older segment; return from and to where it was sent."""
    world.do(hint(resend_from=wire.ResendFrom(origin, seq)))
    return [(b.start, b.end) for b in world.batches() if b.origin == origin]


def test_all_that_was_receipted_of_it_comes_again_with_its_payloads(world: World) -> None:
    for _ in range(3):
        world.stamp(ANNA, IN)
        world.stamp(ANNA, OUT)
    origin, size = ended(world, 500)
    settled(world)
    written, restored = world.journal.size, Gateway()
    while len(restored.stored.get(origin, [])) < size:
        world.do(hint(resend_from=wire.ResendFrom(origin, len(restored.stored.get(origin, [])))))
        (batch,) = world.batches()
        assert restored.take(batch) is not None
    taps = {p.seq for p in world.promised}
    assert {seq for at, seq in restored.payloads if at == origin} == taps and len(taps) == 6
    assert world.journal.size == written, "no hint makes an entry"


def test_one_hint_is_one_batch_and_going_on_needs_no_waiting(world: World) -> None:
    origin, size = ended(world, 1000)
    settled(world)
    assert ask(world, origin, 100) == [(100, 300)]
    assert ask(world, origin, 300) == [(300, 500)]
    assert ask(world, origin, 300) == [], "repeated on the way"
    assert ask(world, origin, 100) == [], "not so soon"
    assert ask(world, origin, 500) == [(500, 700)]
    world.wait(10_000)
    world.batches()
    assert ask(world, origin, 100) == [(100, 300)]
    assert ask(world, origin, size) == [], "there is no more"


def test_of_two_segments_the_one_that_is_under_way_is_finished_first(world: World) -> None:
    first, _ = ended(world, 300)
    second, _ = ended(world, 300)
    settled(world)
    assert ask(world, first, 0) == [(0, 200)]
    assert ask(world, second, 0) == []
    assert ask(world, first, 200) != []
    world.wait(10_000)
    world.batches()
    assert ask(world, second, 0) == [(0, 200)]


def test_what_is_fresh_goes_first(world: World) -> None:
    origin, _ = ended(world, 300)
    settled(world)
    fill(world, 450)
    world.do(hint(resend_from=wire.ResendFrom(origin, 0)))
    sent = [(b.origin == origin, b.start) for b in world.batches()]
    assert [older for older, _ in sent] == [False, False, False, True]


def test_it_is_sent_while_the_window_of_the_current_segment_is_full(world: World) -> None:
    origin, _ = ended(world, 300)
    fill(world, 2000)
    world.connect()
    assert len(world.batches()) == 4
    assert ask(world, origin, 0) == [(0, 200)]


def test_nothing_is_sent_again_to_nobody(world: World) -> None:
    origin, _ = ended(world, 300)
    world.do(hint(resend_from=wire.ResendFrom(origin, 0)))
    assert world.batches() == []
    settled(world)
    world.do(gateway_online(False), hint(resend_from=wire.ResendFrom(origin, 0)))
    assert world.batches() == []


def test_a_receipt_of_an_older_segment_settles_nothing(world: World) -> None:
    origin, _ = ended(world, 300)
    settled(world)
    before = world.journal.settled
    fill(world, 5)
    world.do()
    world.batches()
    world.do(hint(resend_from=wire.ResendFrom(origin, 0)))
    (batch,) = [b for b in world.batches() if b.origin == origin]
    receipt = Gateway().take(batch)
    assert receipt is not None
    world.do(receipt)
    assert world.journal.settled == before and world.journal.origin != origin


def test_what_is_not_on_this_disk_and_what_cannot_be_signed_are_told_apart(world: World) -> None:
    origin, _ = ended(world)
    files = sorted((world.directory / "journal").glob("*.db"))
    with closing(sqlite3.connect(files[0])) as db, db:
        db.execute("DELETE FROM segment")
    settled(world)
    size = world.journal.size
    assert ask(world, origin, 0) == []
    assert ask(world, origin[:-16] + "0" * 16, 0) == []
    assert world.journal.size == size
    refused = counted(world)
    assert (refused["resend_unreadable"], refused["resend_unknown"]) == (1, 1)


def test_what_cannot_be_sent_keeps_nothing_else_waiting(world: World) -> None:
    gone, _ = ended(world)
    origin, _ = ended(world, 300)
    files = sorted((world.directory / "journal").glob("*.db"))
    with closing(sqlite3.connect(files[0])) as db, db:
        db.execute("DELETE FROM segment")
    settled(world)
    world.do(
        hint(resend_from=wire.ResendFrom(gone, 0)), hint(resend_from=wire.ResendFrom(origin, 0))
    )
    assert [b.origin for b in world.batches()] == [origin]


def test_payloads_that_were_deleted_are_declared_gone(world: World) -> None:
    world.stamp(ANNA, IN)
    origin, size = ended(world)
    settled(world)
    world.journal.forget([entries.SeqRange(origin, 0, size - 1)])
    world.do(hint(resend_from=wire.ResendFrom(origin, 0)))
    (batch,) = world.batches()
    assert batch.payloads == {str(p.seq): "" for p in world.promised}
    assert Gateway().take(batch) is not None


def test_a_restored_gateway_gets_a_long_current_segment_without_waiting(world: World) -> None:
    """Its asking says what it holds by now: that makes room, and settles nothing."""
    fill(world, 3000)
    world.do(cosigned(world, world.journal.size))
    world.connect()
    world.batches()
    gateway, began = Gateway(), world.clock().up_ms
    origin, size = world.journal.origin, world.journal.size
    world.do(hint(resend_from=wire.ResendFrom(origin, 0)))
    while batches := world.batches():
        for batch in batches:
            gateway.take(batch)
            held = len(gateway.stored[origin])
            world.do(hint(resend_from=wire.ResendFrom(origin, held)))
    assert len(gateway.stored[origin]) == size and world.clock().up_ms == began


def test_what_a_hint_says_is_held_comes_again_without_a_receipt() -> None:
    uplink = Uplink()
    uplink.connect()
    uplink.gateway("main", True)
    uplink.sent_to(200, 0, "")
    uplink.sent_to(400, 5_000, "")
    uplink.resend(400, 5_001)
    assert uplink.next_start(10_000, 400) is None, "the newest keeps its 10 s"
    assert uplink.next_start(15_000, 400) == 0


def test_however_it_is_asked_it_sends_no_more_than_once_through_in_10_s() -> None:
    rng = random.Random(7)
    again, up_ms, size = Again(), 0, 5_000
    served: list[tuple[str, int, int]] = []
    for _ in range(5_000):
        up_ms += rng.randint(0, 20)
        origin = rng.choice("abc")
        if again.ask(origin, rng.randrange(0, size, 100), up_ms):
            assert again.asked is not None
            served.append((*again.asked, up_ms))
            again.forget()
    passes = 1
    for before, after in pairwise(served):
        passes += not (after[0] == before[0] and after[1] > before[1])
    assert passes <= up_ms // 10_000 + 1
    assert replace(again).asked is None
