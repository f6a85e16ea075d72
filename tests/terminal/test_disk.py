"""The disk: full, nearly full, away at the start, damaged; and what goes from it in time."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ciao import entries, notes, wire
from ciao.journal.retention import forgettable_below
from ciao.journal.store import KeptNote, note_digest
from ciao.names import Origin
from ciao.reading import Reading
from hardware.panel import Light
from terminal import due
from terminal.held import PREDECESSOR
from tests.journal.making import full_disk
from tests.terminal.gateway import Gateway, cosigned, counted, fill
from tests.terminal.world import (
    ANNA,
    BRAM,
    COSIGNER,
    IN,
    OUT,
    TERMINAL,
    World,
    bound_world,
    hint,
    on_disk,
    signer,
)

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def world(tmp_path: Path) -> World:
    return bound_world(tmp_path / "state")


def beats(world: World) -> list[entries.Heartbeat]:
    return [entry for entry in world.entries() if isinstance(entry, entries.Heartbeat)]


def head_of(world: World) -> entries.Segment:
    head = world.entries()[0]
    assert isinstance(head, entries.Segment)
    return head


def flip(world: World, seq: int, column: str = "leaf") -> None:
    with closing(sqlite3.connect(world.journal.current.path, isolation_level=None)) as db:
        (value,) = db.execute(f"SELECT {column} FROM entry WHERE seq = ?", (seq,)).fetchone()
        bad = value[:-1] + bytes([value[-1] ^ 1])
        db.execute(f"UPDATE entry SET {column} = ? WHERE seq = ?", (bad, seq))


def test_a_disk_that_becomes_full_is_shown_while_nobody_is_there(world: World) -> None:
    with full_disk():
        world.wait(60_200)
        assert (world.shown[-1].light, world.shown[-1].headline) == (Light.FAULT, "Out of order")
    assert world.tap(ANNA) is not None
    world.wait(60_200)
    assert (world.shown[-1].light, world.shown[-1].headline) == (Light.OFF, "IN / OUT")


def test_little_room_is_told_early_on_the_panel_and_in_the_journal(world: World) -> None:
    world.free_bytes = due.DISK_FREE_MIN - 1
    world.wait(60_200)
    assert "The disk is nearly full." in world.shown[-1].lines
    assert beats(world)[-1].works["disk"] is False
    assert world.stamp(ANNA, IN).stamp is not None, "and it goes on stamping"
    world.free_bytes = due.DISK_FREE_MIN
    world.wait(60_200)
    assert world.shown[-1].lines == ("Press IN or OUT.",)
    assert beats(world)[-1].works["disk"] is True


def test_a_disk_without_room_at_the_start_is_shown_and_asked_again(tmp_path: Path) -> None:
    world = bound_world(tmp_path / "state")
    world.stamp(ANNA, IN)
    before = on_disk(tmp_path / "state" / "journal")
    world.power_cut()
    with full_disk():
        world.power_on()
        assert (world.shown[-1].light, world.shown[-1].headline) == (Light.FAULT, "Out of order")
        world.connect()
        world.wait(3_000)
        world.press(IN)
        assert world.tap(ANNA).headline == "Not recorded"
        world.wait(10_000)
    world.wait(1_200)
    assert world.shown[-1].light is Light.OFF
    assert world.stamp(BRAM, OUT).stamp is not None
    after = on_disk(tmp_path / "state" / "journal")
    assert {key: after[key] for key in before} == before
    boots = [entry.clean for entry in world.entries() if isinstance(entry, entries.Boot)]
    assert boots == [True, False], "one for each start"
    gateway = Gateway()
    gateway.serve_all(world)
    assert world.journal.settled == world.journal.size, "the session was there all the while"


def test_a_folder_that_can_not_be_made_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "journal").write_text("in the way")
    world = World(tmp_path / "state")
    assert world.shown[-1].headline == "Out of order"
    (tmp_path / "state" / "journal").unlink()
    world.wait(1_200)
    world.bind()
    assert world.stamp(ANNA, IN).stamp is not None


@pytest.mark.parametrize("column", ["leaf", "payload"])
def test_damage_found_while_sending_carries_on_in_another_segment(
    world: World, column: str
) -> None:
    stamps = [world.stamp(uid, IN).stamp for uid in (ANNA, BRAM, ANNA)]
    assert stamps[1] is not None
    flip(world, stamps[1].seq, column)
    world.connect()
    world.wait(400)
    assert head_of(world).why == "damaged"
    gateway = Gateway()
    gateway.serve_all(world)
    world.wait(60_200)
    gateway.serve_all(world)
    assert world.journal.settled == world.journal.size
    taps = [entry for entry in world.entries() if isinstance(entry, entries.Tap)]
    assert len(taps) == (2 if column == "leaf" else 3)
    (gone,) = [entry for entry in world.entries() if isinstance(entry, entries.Deletion)]
    assert (gone.why, [(p.first, p.last) for p in gone.ranges]) == (
        "unreadable", [(stamps[1].seq, stamps[1].seq)],
    )  # fmt: skip
    assert world.stamp(ANNA, OUT).stamp is not None


def test_damage_that_nobody_reads_is_found_by_the_check_each_minute(world: World) -> None:
    fill(world, 300)
    gateway = Gateway()
    world.connect()
    gateway.serve_all(world)
    flip(world, 250)
    origin = world.journal.origin
    world.wait(60_200)
    assert world.journal.origin == origin, "the first portion was sound"
    world.wait(60_400)
    assert head_of(world).why == "damaged"


def test_damaged_notes_are_found_at_the_next_heartbeat(world: World) -> None:
    world.stamp(ANNA, IN)
    with closing(sqlite3.connect(world.journal.current.path, isolation_level=None)) as db:
        db.execute("DROP TABLE note")
    world.wait(60_400)
    assert head_of(world).why == "damaged"
    world.wait(60_200)
    assert beats(world)[-1].works["disk"] is True
    assert "tap in" in world.kinds()


def test_a_refused_root_makes_it_look_at_its_own_tree(world: World) -> None:
    """The hint changes nothing by itself; what is found does."""
    fill(world, 20)
    origin = world.journal.origin
    world.connect()
    (batch,) = world.batches()
    refused = wire.Refusal("root", note_digest(batch.checkpoint))
    world.do(hint(refused=refused))
    assert world.journal.origin == origin, "it was sound: the pause is all"
    world.wait(5_200)
    (batch,) = world.batches()
    flip(world, 11, "hashes")
    world.do(hint(refused=wire.Refusal("root", note_digest(batch.checkpoint))))
    world.wait(1_200)
    assert head_of(world).why == "damaged"


def test_damage_without_room_for_another_segment_waits_for_room(world: World) -> None:
    stamp = world.stamp(ANNA, IN).stamp
    assert stamp is not None
    flip(world, stamp.seq - 1)
    origin = world.journal.origin
    with full_disk():
        world.connect()
        world.wait(5_000)
        assert world.journal.origin == origin
        assert world.shown[-1].light is Light.FAULT
    world.wait(1_200)
    assert head_of(world).why == "damaged"
    assert "tap in" in world.kinds()
    assert world.shown[-1].light is Light.OFF


def test_a_planned_segment_begins_after_a_year_once_all_is_settled(world: World) -> None:
    origin = world.journal.origin
    world.clock.advance(364 * DAY_MS)
    gateway = Gateway()
    world.connect()
    gateway.serve_all(world)
    world.wait(60_200)
    assert world.journal.origin == origin
    gateway.serve_all(world)
    receipt = cosigned(world, world.journal.size)
    world.stamp(ANNA, IN)
    world.clock.advance(DAY_MS)
    world.wait(60_200)
    assert world.journal.origin == origin, "not while anything is under way"
    gateway.serve_all(world)
    # The outage that the gateway's silence was has to end first.
    world.wait(20_000)
    gateway.serve_all(world)
    world.wait(60_200)
    head = head_of(world)
    assert head.why == "yearly"
    assert head.previous is not None and head.previous.origin == origin
    assert not any(entry.carried for entry in world.entries())
    origin = world.journal.origin
    world.do(receipt)
    assert world.journal.origin == origin, "a receipt of the old one is only stale"
    world.wait(60_200)
    gateway.serve_all(world)
    assert world.journal.settled == world.journal.size


@pytest.mark.parametrize(
    ("days", "synced", "settled", "due_now"),
    [(365, True, 9, True), (364, True, 9, False), (365, False, 9, False), (365, True, 8, False),
     (-1, True, 9, False)],
)  # fmt: skip
def test_when_a_planned_segment_is_due(
    world: World, days: int, synced: bool, settled: int, due_now: bool
) -> None:
    began = world.clock()
    at = began.at.astimezone(UTC) + timedelta(days=days)
    quality = type(began.clock)("ntp" if synced else "none", synced)
    now = Reading(at, began.boot, began.up_ms, quality)
    assert due.yearly(began, now, settled, 9) is due_now


def test_payloads_go_30_days_after_they_were_in_custody_and_an_entry_says_so(
    world: World,
) -> None:
    stamp = world.stamp(ANNA, IN).stamp
    assert stamp is not None
    world.connect()
    at_s = int(world.clock.at.timestamp())
    note = COSIGNER.cosign(notes.parse(world.journal.checkpoint(world.journal.size)), at_s)
    size = world.journal.size
    world.journal.settle(note.encode(), size)
    world.clock.advance(30 * DAY_MS - 120_000)
    world.wait(60_200)
    late = world.stamp(BRAM, OUT).stamp
    assert late is not None
    assert payload_of(world, stamp.seq) is not None
    world.clock.advance(DAY_MS)
    world.wait(60_200)
    assert payload_of(world, stamp.seq) is None
    assert payload_of(world, late.seq) is not None, "never what nobody has"
    (gone,) = [entry for entry in world.entries() if isinstance(entry, entries.Deletion)]
    assert (gone.why, [(p.first, p.last) for p in gone.ranges]) == (
        "retention", [(0, size - 1)],
    )  # fmt: skip
    world.wait(180_000)
    assert world.kinds().count("deletion") == 1, "once a day at most"
    world.journal.check(0, world.journal.size)
    world.terminal.exchange.uplink.begin(0)
    gateway = Gateway()
    gateway.serve_all(world)
    assert gateway.payloads[world.journal.origin, stamp.seq] == b"", "declared gone"


def payload_of(world: World, seq: int) -> bytes | None:
    (row,) = world.journal.rows(seq, seq + 1)
    return row.payload


def test_what_an_old_segment_handed_over_goes_with_what_took_it_over(world: World) -> None:
    stamp = world.stamp(ANNA, IN).stamp
    assert stamp is not None
    old = world.journal.current.path
    world.journal.begin("rolled_back", world.clock())
    world.terminal.exchange.begin(world.clock())
    at_s = int(world.clock.at.timestamp())
    note = COSIGNER.cosign(notes.parse(world.journal.checkpoint(world.journal.size)), at_s)
    world.journal.settle(note.encode(), world.journal.size)
    world.clock.advance(31 * DAY_MS)
    world.wait(60_200)
    (gone,) = [entry for entry in world.entries() if isinstance(entry, entries.Deletion)]
    assert {part.origin for part in gone.ranges} == {stamp.origin, world.journal.origin}
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("SELECT count(payload) FROM entry").fetchone() == (0,)


def test_what_was_handed_over_stays_until_what_took_it_over_is_in_custody(world: World) -> None:
    """In both places: the old file's copy is not older than the new one's receipt."""
    stamp = world.stamp(ANNA, IN).stamp
    assert stamp is not None
    old = world.journal.current.path
    world.journal.begin("rolled_back", world.clock())
    world.clock.advance(31 * DAY_MS)
    world.wait(60_200)
    assert "deletion" not in world.kinds()
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("SELECT count(payload) FROM entry").fetchone() == (1,)


def test_nothing_goes_by_a_clock_that_is_not_trusted(world: World) -> None:
    world.stamp(ANNA, IN)
    world.connect()
    world.do(cosigned(world, world.journal.size))
    world.clock.step(world.clock.at + timedelta(days=400), type(world.clock.quality)("none", False))
    world.wait(60_200)
    assert "deletion" not in world.kinds()


def a_note(size: int, *times: datetime) -> KeptNote:
    note = signer("log", b"log").sign(f"o\n{size}\n{'A' * 43}=\n")
    for number, at in enumerate(times):
        note = signer(f"w{number}", b"w").cosign(note, int(at.timestamp()))
    return KeptNote("o", size, note.encode())


def test_the_last_cosigner_counts_and_a_time_to_come_counts_for_nothing() -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    old, new = now - timedelta(days=31), now - timedelta(days=29)
    kept = [a_note(5, old), a_note(6, old, old), a_note(7, now + timedelta(days=9)), a_note(8, old)]
    assert forgettable_below(kept, now) == 8
    assert forgettable_below([a_note(5, old), a_note(6, old, new), a_note(7, old)], now) == 5
    assert forgettable_below([], now) == 0


def test_new_hardware_names_the_note_that_enrolment_left(tmp_path: Path) -> None:
    old = bound_world(tmp_path / "old")
    old.stamp(ANNA, IN)
    old.connect()
    note = wire.decode(wire.Receipt, cosigned(old, old.journal.size).payload).checkpoint
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / PREDECESSOR).write_text(note)
    world = World(tmp_path / "new")
    previous = head_of(world).previous
    assert head_of(world).why == "replaced"
    assert previous is not None
    assert (previous.origin, previous.note) == (old.journal.origin, note_digest(note))
    boots = [entry.clean for entry in world.entries() if isinstance(entry, entries.Boot)]
    assert boots == [True]
    world.bind()
    world.connect()
    (batch,) = world.batches()
    assert note in batch.notes


@pytest.mark.parametrize("owner", ["hall-4", None])
def test_a_note_that_is_not_this_terminals_is_not_named(tmp_path: Path, owner: str | None) -> None:
    origin = str(Origin("badges.example.be", owner or TERMINAL, "0" * 16))
    text = f"{origin}\n1\n{'A' * 43}=\n" if owner else "nonsense\n"
    note = signer(origin, b"x").sign(text).encode()
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / PREDECESSOR).write_text(note)
    world = World(tmp_path / "state")
    assert head_of(world).why == "new"
    assert counted(world) == {"held": 1}


def test_more_messages_than_fit_are_lost_and_counted(world: World) -> None:
    world.terminal.upkeep.messages_lost = 3
    assert counted(world) == {"overrun": 3}
    world.wait(60_200)
    assert beats(world)[-1].refused == {}
