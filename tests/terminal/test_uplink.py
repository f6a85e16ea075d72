"""What is sent, when, and when it stops: the journal is the queue, the window only looks at it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ciao import entries, names, notes, wire
from ciao.journal.store import note_digest
from ciao.link import Connected, Message
from terminal.uplink import Uplink
from tests.terminal.gateway import AT_S, Gateway, cosigned, fill
from tests.terminal.world import (
    ANNA,
    COSIGNER,
    IN,
    OUT,
    TERMINAL,
    World,
    bound_world,
    gateway_online,
    hint,
    on_disk,
    outcome,
    signer,
)

FOREIGN = signer(names.cosigner_name("badges.example.be", "other"), b"other")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return bound_world(tmp_path / "state")


def test_nothing_is_sent_while_no_gateway_is_there(world: World) -> None:
    world.stamp(ANNA, IN)
    assert world.batches() == []
    world.connect(gateway=False)
    assert world.batches() == []
    world.do(gateway_online(False))
    assert world.batches() == []
    world.do(gateway_online())
    (batch,) = world.batches()
    assert (batch.start, batch.end) == (0, world.journal.size)


def test_all_that_is_there_goes_out_in_order_and_is_settled(world: World) -> None:
    fill(world, 1000)
    gateway = Gateway()
    world.connect()
    gateway.serve_all(world)
    assert gateway.gaps == 0
    assert world.journal.settled == world.journal.size == len(gateway.stored[world.journal.origin])
    assert world.batches() == []


def test_at_most_four_batches_are_under_way(world: World) -> None:
    fill(world, 2000)
    world.connect()
    batches = world.batches()
    assert [(b.start, b.end) for b in batches] == [(n, n + 200) for n in (0, 200, 400, 600)]
    world.do(cosigned(world, 400))
    assert [b.start for b in world.batches()] == [800, 1000], "two came back, two go out"


def test_after_10_s_without_a_receipt_it_begins_again_from_what_is_settled(world: World) -> None:
    fill(world, 2000)
    world.connect()
    world.do(cosigned(world, 200))
    world.batches()
    world.wait(9_800)
    assert world.batches() == []
    world.wait(200)
    assert [b.start for b in world.batches()] == [200, 400, 600, 800]


def test_on_any_connect_it_begins_again_from_what_is_settled(world: World) -> None:
    fill(world, 1000)
    world.connect()
    world.do(cosigned(world, 200))
    world.batches()
    world.disconnect()
    world.do()
    assert world.batches() == []
    world.connect()
    assert next(b.start for b in world.batches()) == 200


def test_who_was_there_is_asked_anew_on_each_connect(world: World) -> None:
    world.connect()
    world.batches()
    world.disconnect()
    world.do(Connected())
    assert world.batches() == []
    world.do(gateway_online())
    assert world.batches()
    world.do(Connected())
    assert world.batches() == [], "also where nobody told us that the session before had ended"


def test_a_gateway_that_comes_back_gets_what_it_may_have_missed(world: World) -> None:
    world.connect()
    world.batches()
    world.do(gateway_online(False))
    world.do(gateway_online(True))
    assert [b.start for b in world.batches()] == [0]


def test_on_connect_the_terminal_says_that_it_is_there(world: World) -> None:
    world.stamp(ANNA, IN)
    world.do(Connected())
    (said,) = world.sent
    assert (said.topic, said.retain) == (names.topic(TERMINAL, "online"), True)
    state = wire.decode(wire.Online, said.payload)
    assert (state.online, state.size, state.backlog) == (True, world.journal.size, 1)
    assert world.terminal.stop(world.clock()).payload.startswith(b'{"online":false')


def test_no_ordinary_message_makes_an_entry(world: World) -> None:
    """Else receipts and entries would chase each other for ever."""
    stamp = world.stamp(ANNA, IN).stamp
    assert stamp is not None
    gateway = Gateway()
    world.connect()
    size = world.journal.size
    gateway.serve_all(world)
    world.do(hint(resend_from=wire.ResendFrom(world.journal.origin, 0)))
    world.do(outcome(stamp.origin, stamp.seq, "accepted"))
    world.do(Message(names.topic(TERMINAL, "receipt"), b"{}"))
    assert world.journal.size == size


@pytest.mark.parametrize("payload_size", [0, 128, 2048])
def test_batches_stay_within_their_limits_with_the_worst_leaves(
    world: World, payload_size: int
) -> None:
    sealed = os.urandom(payload_size) if payload_size else None
    room = entries.LEAF_SIZE_MAX - entries.CARRIED_ROOM - 420
    for _ in range(400):
        common = entries.common(world.clock(), world.journal.size)
        # A quote is two bytes in the leaf and four in the batch.
        world.journal.append(
            entries.OutageBegin(
                **common,
                outage="9d3c1f6e-2b40-4f0c-8f0e-5b7a1c2d3e4f",
                cause="x",
                affected="submit",
                probes={f"{n}": '"' * 256 for n in range(room // 530)},
            ),
            sealed,
        )
    gateway = Gateway()
    world.connect()
    while world.sent:
        sizes = [len(p.payload) for p in world.sent if p.topic.endswith("/journal")]
        assert max(sizes, default=0) <= wire.BATCH_SIZE_MAX
        gateway.serve(world)
    assert world.journal.settled == world.journal.size
    assert gateway.gaps == 0


def test_batches_stay_within_their_limits_with_the_longest_notes(world: World) -> None:
    """A heartbeat names a cosigned note; the batch brings each, once."""
    for number in range(120):
        common = entries.common(world.clock(), world.journal.size)
        note = notes.parse(world.journal.checkpoint(world.journal.size))
        for other in range(14):
            note = signer(f"{'w' * 120}{number}-{other}", b"w").cosign(note, AT_S)
        text = COSIGNER.cosign(note, AT_S).encode()
        assert len(text) <= 4096
        world.journal.settle(text, world.journal.size)
        digest = note_digest(text)
        world.journal.append(entries.Heartbeat(**common, works={}, note=digest))
    world.terminal.exchange.uplink.begin(0)
    world.connect()
    world.terminal.exchange.uplink.resend(0, world.clock().up_ms)
    world.do()
    sent = [p.payload for p in world.sent if p.topic.endswith("/journal")]
    assert len(sent) > 1
    assert max(map(len, sent)) <= wire.BATCH_SIZE_MAX


def test_a_hint_makes_it_send_again_at_most_once_in_10_s(world: World) -> None:
    fill(world, 700)
    world.connect()
    world.do(cosigned(world, world.journal.size))
    world.batches()
    again = hint(resend_from=wire.ResendFrom(world.journal.origin, 300))
    world.do(again)
    assert [b.start for b in world.batches()] == [300, 500, 700]
    world.do(again)
    assert world.batches() == []
    world.wait(10_000)
    world.batches()
    world.do(again)
    assert next(b.start for b in world.batches()) == 300
    assert world.journal.settled > 700


def test_a_hint_never_makes_it_skip(world: World) -> None:
    """Forged or confused: what nobody has stays to be sent."""
    fill(world, 100)
    world.do(
        Connected(),
        gateway_online(),
        hint(resend_from=wire.ResendFrom(world.journal.origin, world.journal.size)),
    )
    assert [b.start for b in world.batches()] == [0]
    uplink = Uplink(settled=0)
    uplink.connect()
    uplink.gateway("main", True)
    uplink.sent_to(50, 0, "")
    assert not uplink.resend(50, 1)
    assert uplink.next_start(10_000, 100) == 0, "still under way, and taken up again"


def test_a_hint_for_another_segment_is_nothing_to_us(world: World) -> None:
    world.connect()
    world.batches()
    world.do(hint(resend_from=wire.ResendFrom("badges.example.be/ciao/hall-3/" + "0" * 16, 0)))
    assert world.batches() == []


def refused(batch: wire.Batch, reason: wire.BatchRefusal = "signature") -> Message:
    """The gateway's hint that it did not take this batch."""
    return hint(refused=wire.Refusal(reason, note_digest(batch.checkpoint)))


def batch_of(world: World) -> wire.Batch:
    """The next batch that is sent, and how long it took in whole seconds."""
    while not (batches := world.batches()):
        world.clock.advance(1_000)
        world.do()
    return batches[0]


def test_refused_batches_make_it_wait_longer_each_time_up_to_10_minutes(world: World) -> None:
    world.connect()
    batch = batch_of(world)
    pauses = []
    for _ in range(9):
        world.do(refused(batch))
        began = world.clock().up_ms
        batch = batch_of(world)
        pauses.append((world.clock().up_ms - began) // 1000)
    assert pauses == [5, 10, 20, 40, 80, 160, 320, 600, 600]
    world.do(cosigned(world, 2))
    world.do(refused(batch))
    world.wait(5_200)
    assert world.batches(), "a receipt forgives"
    beats = [entry for entry in world.entries() if isinstance(entry, entries.Heartbeat)]
    assert sum(beat.refused.get("batch_signature", 0) for beat in beats) == 9


def test_one_refusal_is_one_pause_however_many_batches_were_under_way(world: World) -> None:
    """Those behind a refused batch are refused as well, and the gateway says so of each."""
    fill(world, 700)
    world.connect()
    batches = world.batches()
    assert len(batches) == 4
    world.do(*(refused(batch) for batch in batches))
    began = world.clock().up_ms
    batch_of(world)
    assert (world.clock().up_ms - began) // 1000 == 5


@pytest.mark.parametrize("note", ["0" * 64, ""])
def test_a_refusal_of_what_is_not_under_way_changes_nothing(world: World, note: str) -> None:
    """Forged, repeated or late: else a flood of hints would keep a terminal silent."""
    world.connect()
    batch = batch_of(world)
    world.do(cosigned(world, batch.end))
    for _ in range(20):
        world.do(hint(refused=wire.Refusal("signature", note)), refused(batch))
    fill(world, 1)
    world.do()
    assert world.batches()


def test_more_gateways_than_there_can_be_are_not_remembered() -> None:
    uplink = Uplink()
    uplink.connect()
    for number in range(1000):
        uplink.gateway(f"g{number}", True)
    assert len(uplink._gateways) == 16


def test_the_journal_of_a_whole_day_offline_arrives_complete(world: World) -> None:
    for _ in range(30):
        world.stamp(ANNA, IN)
        world.stamp(ANNA, OUT)
    gateway = Gateway()
    world.connect()
    gateway.serve_all(world)
    disk = on_disk(world.directory / "journal")
    taps = {key for key, entry in disk.items() if isinstance(entry, entries.Tap)}
    assert len(taps) == 60
    assert taps <= set(gateway.payloads)
