"""A receipt is the proof: only a checked one settles, and only a lying disk begins a segment."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from ciao import entries, names, notes
from ciao.binding import GatewayKeys
from ciao.link import Message
from ciao.names import Origin
from ciao.notes import Signer
from ciao.reading import ClockQuality
from hardware.panel import Receipt
from tests.journal.making import full_disk
from tests.terminal.gateway import AT_S, Gateway, cosigned, counted, fill
from tests.terminal.world import (
    ANNA,
    COSIGNER,
    IN,
    OUT,
    TERMINAL,
    World,
    a_binding,
    binding_message,
    bound_world,
    outcome,
    receipt,
    signer,
)

FOREIGN = signer(names.cosigner_name("badges.example.be", "other"), b"other")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return bound_world(tmp_path / "state")


def state_of(world: World) -> tuple[str, int, int]:
    return world.journal.origin, world.journal.size, world.journal.settled


def test_a_checked_receipt_settles_and_is_shown_as_received(world: World) -> None:
    world.press(IN)
    world.tap(ANNA)
    world.connect()
    views = world.do(cosigned(world, world.journal.size))
    assert [v.stamp.receipt for v in views if v.stamp] == [Receipt.RECEIVED]
    assert views[-1].lines[1] == "Recorded and received."
    assert world.journal.settled == world.journal.size


@pytest.mark.parametrize(
    ("reason", "forge"),
    [
        ("receipt_cosignature", lambda w: cosigned(w, 2, by=FOREIGN)),
        (
            "receipt_cosignature",
            lambda w: receipt(w.journal.checkpoint(2), w.journal.current.certificate),
        ),
        (
            "receipt_signature",
            lambda w: receipt(
                COSIGNER.cosign(
                    signer(w.journal.origin, b"not ours").sign(
                        notes.parse(w.journal.checkpoint(2)).text
                    ),
                    AT_S,
                ).encode(),
                w.journal.current.certificate,
            ),
        ),
        ("receipt_malformed", lambda w: receipt("nonsense", "")),
        ("receipt_malformed", lambda w: receipt(w.journal.current.certificate, "")),
        (
            "receipt_foreign",
            lambda w: receipt(
                COSIGNER.cosign(
                    signer(str(Origin("badges.example.be", "hall-4", "0" * 16)), b"x").sign(
                        f"badges.example.be/ciao/hall-4/{'0' * 16}\n1\n"
                        f"{base64.b64encode(bytes(32)).decode()}\n"
                    ),
                    AT_S,
                ).encode(),
                w.journal.current.certificate,
            ),
        ),
        ("malformed", lambda w: Message(names.topic(TERMINAL, "receipt"), b'{"checkpoint":')),
        ("oversized", lambda w: Message(names.topic(TERMINAL, "receipt"), b" " * 70_000)),
        (
            "malformed",
            lambda w: Message(names.topic("hall-4", "outcome"), outcome("o", 1, "held").payload),
        ),
    ],
)
def test_what_is_no_receipt_for_us_changes_nothing_and_is_counted(
    world: World, reason: str, forge: object
) -> None:
    world.stamp(ANNA, IN)
    world.connect()
    before = state_of(world)
    world.do(forge(world))  # type: ignore[operator]
    assert state_of(world) == before
    assert counted(world) == {reason: 1}


def test_a_cosigner_of_the_next_binding_counts_already(world: World) -> None:
    coming = a_binding(
        serial=1001,
        effective_from="2027-01-01T00:00:00.000+01:00",
        gateways=[
            type(a_binding().gateways[0])(
                "other", a_binding().gateways[0].hpke, str(FOREIGN.verifier(notes.COSIGNATURE_V1))
            )
        ],
    )
    world.do(binding_message(a_binding(), coming))
    world.connect()
    world.do(cosigned(world, 2, by=FOREIGN))
    assert world.journal.settled == 2


def named(*cosigners: Signer, serial: int) -> Message:
    """A binding that names these cosigners, from today on."""
    hpke = a_binding().gateways[0].hpke
    keys = [GatewayKeys("main", hpke, str(one.verifier(notes.COSIGNATURE_V1))) for one in cosigners]
    return binding_message(a_binding(serial=serial, gateways=keys))


@pytest.mark.parametrize("synced", [True, False])
def test_a_cosigner_that_was_ended_settles_nothing_more_and_its_successor_does(
    world: World, synced: bool
) -> None:
    world.clock.step(world.clock.at, ClockQuality("ntp" if synced else "rtc", synced=synced))
    world.connect()
    world.do(named(COSIGNER, FOREIGN, serial=1001))
    fill(world, 4)
    for size, by in ((2, COSIGNER), (3, FOREIGN)):
        world.do(cosigned(world, size, by=by))
        assert world.journal.settled == size
    # Also where the clock can't be believed, and the bundle of before stays in force.
    world.do(named(FOREIGN, serial=1002))
    world.do(cosigned(world, 5, by=COSIGNER))
    assert world.journal.settled == 3
    world.do(cosigned(world, 4, by=FOREIGN))
    assert world.journal.settled == 4
    assert counted(world) == {"receipt_cosignature": 1}


def test_stale_and_repeated_receipts_change_nothing(world: World) -> None:
    fill(world, 10)
    world.connect()
    world.do(cosigned(world, 8))
    before = state_of(world)
    for size in (8, 3, 8):
        world.do(cosigned(world, size))
    assert state_of(world) == before
    assert counted(world) == {}


def rolled_back(world: World, folder: Path) -> tuple[World, Message]:
    """The card of a moment ago, put back; and the receipt for what came after it."""
    world.stamp(ANNA, IN)
    world.power_cut()
    old = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    world.power_on()
    world.stamp(ANNA, OUT)
    lost = cosigned(world, world.journal.size)
    world.power_cut()
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()
    for path, content in old.items():
        path.write_bytes(content)
    world.power_on()
    return world, lost


def test_a_receipt_beyond_our_disk_begins_a_segment_with_the_whole_tail(
    world: World, tmp_path: Path
) -> None:
    # What the lost card promised is not on this one: that is the point.
    world, lost = rolled_back(world, tmp_path / "state")
    old_origin, old = world.journal.origin, world.entries()
    world.connect()
    world.do(lost)
    head, *carried = world.entries()
    assert isinstance(head, entries.Segment)
    assert (head.why, head.previous and head.previous.origin) == ("rolled_back", old_origin)
    assert [e.carried for e in carried] == [entries.Carried(old_origin, n) for n in range(len(old))]
    world.do(lost)
    assert world.journal.origin == head_origin(world), "told again, nothing more happens"
    gateway = Gateway()
    gateway.serve_all(world)
    assert world.journal.settled == world.journal.size


def head_origin(world: World) -> str:
    (newest,) = set((world.directory / "journal").glob("0002-*.db"))
    return f"badges.example.be/ciao/{TERMINAL}/{newest.name[5:21]}"


def test_a_receipt_against_our_tree_begins_a_segment(world: World) -> None:
    fill(world, 5)
    world.connect()
    text = notes.parse(world.journal.checkpoint(4)).text.split("\n")
    text[2] = base64.b64encode(b"r" * 32).decode()
    lie = world.journal.current.signer.sign("\n".join(text))
    world.do(receipt(COSIGNER.cosign(lie, AT_S).encode(), world.journal.current.certificate))
    assert world.entries()[0].why == "rolled_back"  # type: ignore[union-attr]


def test_a_receipt_for_a_segment_that_our_chain_lacks_begins_one(
    world: World, tmp_path: Path
) -> None:
    other = World(tmp_path / "other")
    lost = cosigned(other, 2)
    world.stamp(ANNA, IN)
    world.connect()
    world.do(lost)
    head = world.entries()[0]
    assert isinstance(head, entries.Segment) and head.previous is not None
    assert (head.why, head.previous.origin) == ("rolled_back", other.journal.origin)
    # However often it comes again, and whatever happened since.
    origin = world.journal.origin
    world.do(lost)
    assert world.journal.origin == origin
    world.journal.begin("yearly", world.clock())
    origin = world.journal.origin
    world.do(lost)
    assert world.journal.origin == origin
    assert world.stamp(ANNA, OUT).stamp is not None
    assert "tap in" in map(str, world.taps_and_refusals())


def against(world: World) -> Message:
    """A receipt for a history that this terminal's own key signed, and its disk does not hold."""
    text = notes.parse(world.journal.checkpoint(world.journal.size)).text.split("\n")
    text[2] = base64.b64encode(b"r" * 32).decode()
    lie = world.journal.current.signer.sign("\n".join(text))
    return receipt(COSIGNER.cosign(lie, AT_S).encode(), world.journal.current.certificate)


def beyond(world: World) -> Message:
    """A receipt for more than this disk holds."""
    text = notes.parse(world.journal.checkpoint(world.journal.size)).text.split("\n")
    text[1] = str(world.journal.size + 5)
    lie = world.journal.current.signer.sign("\n".join(text))
    return receipt(COSIGNER.cosign(lie, AT_S).encode(), world.journal.current.certificate)


def lacking(world: World) -> Message:
    """A receipt for a segment that this chain lacks."""
    return cosigned(World(world.directory.with_name("other")), 2)


@pytest.mark.parametrize("told", [against, beyond, lacking])
def test_a_retained_receipt_begins_one_segment_however_often_it_comes(
    world: World, told: Callable[[World], Message]
) -> None:
    world.stamp(ANNA, IN)
    first, size = world.journal.origin, world.journal.size
    message = told(world)
    world.connect()
    world.do(message)
    second = world.journal.origin
    assert second != first
    carried = [entry.carried for entry in world.entries() if entry.carried]
    assert carried == [entries.Carried(first, seq) for seq in range(size)], "the whole tail"
    for _ in range(2):
        world.do(message)
        world.restart()
        world.connect()
        world.do(message)
    assert world.journal.origin == second
    gateway = Gateway()
    gateway.serve_all(world)
    assert world.journal.settled == world.journal.size, "nothing else need be acknowledged here"


@pytest.mark.parametrize("told", [against, beyond, lacking])
def test_without_room_for_it_the_old_segment_goes_on_until_it_is_told_again(
    world: World, told: Callable[[World], Message]
) -> None:
    message, origin = told(world), world.journal.origin
    world.connect()
    with full_disk():
        world.do(message)
    assert world.journal.origin == origin
    stamp = world.stamp(ANNA, IN).stamp
    assert stamp is not None and stamp.origin == origin
    if told is against:
        # Its size is now within our tree: the root still tells.
        assert world.journal.size > 1
    world.do(message)
    assert world.journal.origin != origin
    assert "tap in" in world.kinds()


def test_receipts_in_any_order_settle_as_far_as_the_largest(world: World) -> None:
    fill(world, 30)
    world.connect()
    receipts = [cosigned(world, size) for size in range(1, world.journal.size + 1)]
    random.Random(3).shuffle(receipts)
    settled = []
    for message in receipts:
        world.do(message, message)
        settled.append(world.journal.settled)
    assert settled == sorted(settled)
    assert settled[-1] == world.journal.size
    assert counted(world) == {}


def test_a_lost_receipt_costs_ten_seconds_and_nothing_else(world: World) -> None:
    world.stamp(ANNA, IN)
    world.connect()
    gateway = Gateway()
    (batch,) = world.batches()
    assert gateway.take(batch) is not None, "and it is lost on the way"
    world.wait(10_200)
    gateway.serve_all(world)
    assert world.journal.settled == world.journal.size
    assert world.journal.origin == batch.origin
