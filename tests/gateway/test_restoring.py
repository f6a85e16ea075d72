"""A ledger copied back from a backup: nothing is taken back, and nothing is sent twice."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ciao import notes, wire
from ciao.checkpoint import Checkpoint
from ciao.link import Connected
from ciao.notes import COSIGNATURE_V1
from gateway import status
from gateway.events import Report, Tick
from gateway.ledger import report
from tests.gateway import twins
from tests.gateway.twins import Journal
from tests.gateway.world import TERMINAL, World, morning, online_message, retained_receipt


class Backup:
    """A copy of the ledger, to be put back later."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._copy = world.path.with_suffix(".backup")
        world.ledger._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(world.path, self._copy)

    def restore(self) -> None:
        self._world.ledger.close()
        for path in self._world.path.parent.glob("ledger.db*"):
            path.unlink()
        shutil.copy(self._copy, self._world.path)
        self._world.published.clear()
        self._world._open()


def last_receipt(world: World) -> bytes:
    return [one.payload for one in world.published if one.topic.endswith("/receipt")][-1]


def reconnected(world: World, *retained: bytes) -> None:
    """The gateway starts again and reads what the broker retained."""
    world.step(Connected())
    world.step(*(retained_receipt(one) for one in retained))
    world.second += 2
    world.settle(Tick())


def asked(world: World) -> list[tuple[str, int]]:
    hints = [hint.resend_from for hint in world.on("hint") if hint.resend_from]
    return [(hint.origin, hint.seq) for hint in hints]


def test_taps_between_backup_and_loss_are_found_not_sent_again(world: World) -> None:
    journal = morning([(twins.UID_ANN, 20, "in")])
    world.second = 40
    world.run(journal.message())
    backup = Backup(world)
    journal.tap(twins.UID_ANN, 50, "out")
    journal.tap(twins.UID_BEN, 51, "in")
    world.second = 60
    world.run(journal.message(2))
    kept = last_receipt(world)
    backup.restore()
    reconnected(world, kept)
    # The receipt in the backup is a smaller one: it is not said again.
    assert asked(world) == [(journal.origin, 2)] and not world.on("receipt")
    world.run(journal.message(2), seconds=10)
    assert world.states() == ["accepted"] * 3 and len(world.onss.rows) == 3


def test_a_tap_that_was_waiting_in_the_backup_is_searched_before_it_is_sent(world: World) -> None:
    world.onss.script = [twins.problem(503, "serviceUnavailable", retryAfterSec=60)]
    journal = morning([(twins.UID_ANN, 20, "in")])
    world.second = 25
    world.run(journal.message())
    assert world.states() == ["recorded"]
    backup = Backup(world)
    world.run(seconds=200, every=10)
    journal.heartbeat(100)
    world.run(journal.message(2))
    assert world.states() == ["accepted"] and len(world.onss.rows) == 1
    kept = last_receipt(world)
    backup.restore()
    reconnected(world, kept)
    world.run(seconds=600, every=10)
    assert world.states() == ["accepted"] and len(world.onss.rows) == 1


def test_a_badge_enrolled_since_the_backup_does_not_make_its_tap_go_twice(world: World) -> None:
    journal = morning([(twins.UID_NEW, 20, "in")])
    world.second = 25
    world.run(journal.message())
    backup = Backup(world)
    world.people.enrol(twins.UID_NEW, twins.Badge("worker-new", twins.BEN))
    world.run(Tick())
    journal.heartbeat(30)
    world.run(journal.message(2))
    assert len(world.onss.rows) == 1
    kept = last_receipt(world)
    backup.restore()
    reconnected(world, kept)
    world.run(seconds=300, every=10)
    assert world.states() == ["accepted"] and len(world.onss.rows) == 1


def test_nothing_is_sent_before_what_we_said_before_is_known(world: World) -> None:
    world.onss.script = [twins.problem(503, "serviceUnavailable")]
    world.second = 25
    world.run(morning([(twins.UID_ANN, 20, "in")]).message())
    world.restart()
    world.second += 3600
    world.settle(Tick())
    assert not world.submitted
    world.step(Connected())
    assert not world.submitted
    world.online()
    world.settle()
    assert world.submitted


def test_a_batch_whose_note_is_beyond_the_ledger_brings_no_new_taps(world: World) -> None:
    """No retained receipt, and the entries and the note that tells on it in one batch."""
    journal = morning([(twins.UID_ANN, 20, "in"), (twins.UID_BEN, 30, "in")])
    note = wire.decode(wire.Receipt, journal.receipted_by(2)).checkpoint
    world.second = 40
    world.settle(journal.message(notes=[note]))
    assert world.states() == ["unknown", "unknown"] and not world.submitted
    assert report.read(world.path).restored_ms and not asked(world)
    assert world.on("receipt")[-1].checkpoint.startswith(f"{journal.origin}\n3\n")


def test_entry_0_of_a_new_segment_tells_on_a_restored_ledger(world: World) -> None:
    first = morning([(twins.UID_ANN, 20, "in")])
    note = wire.decode(wire.Receipt, first.receipted_by(2)).checkpoint
    second = Journal(TERMINAL, "0123456789abcdef")
    second.segment(25, why="yearly")
    second.tap(twins.UID_BEN, 26)
    world.second = 30
    world.settle(second.message(notes=[note]))
    assert asked(world) == [(first.origin, 0)]
    assert world.states() == ["unknown"]
    world.run(first.message(), seconds=300)
    assert world.states() == ["accepted", "accepted"] and len(world.onss.rows) == 2
    assert not world.query("SELECT 1 FROM owed")


def test_what_is_owed_is_asked_for_again_until_it_comes(world: World) -> None:
    journal = morning([(twins.UID_ANN, 20, "in")])
    world.step(retained_receipt(journal.receipted_by(2)))
    world.published.clear()
    world.step(Tick())
    assert not asked(world)
    world.step(online_message())
    assert asked(world) == [(journal.origin, 0)]
    world.step(journal.message(0, 1))
    world.second += 61
    world.step(Tick())
    assert asked(world)[-1] == (journal.origin, 1)
    world.step(journal.message(1))
    world.published.clear()
    world.second += 61
    world.step(Tick(), online_message())
    assert not asked(world)


def test_an_older_segment_is_asked_for_batch_by_batch(world: World) -> None:
    """One hint is one batch, so that who sends needs no state of it."""
    first = morning([(twins.UID_ANN, 20, "in"), (twins.UID_ANN, 25, "out")])
    note = wire.decode(wire.Receipt, first.receipted_by(3)).checkpoint
    second = Journal(TERMINAL, "0123456789abcdef")
    second.segment(26, why="yearly")
    world.second = 30
    world.settle(second.message(notes=[note]))
    for seq in range(3):
        assert asked(world)[-1] == (first.origin, seq)
        assert not [one for one in world.on("receipt") if one.checkpoint.startswith(first.origin)]
        world.settle(first.message(seq, seq + 1))
    assert len(asked(world)) == 3 and not world.query("SELECT 1 FROM owed")
    assert world.on("receipt")[-1].checkpoint.startswith(f"{first.origin}\n3\n")
    # One that comes again, out of turn, is answered by what is lacking, or not at all.
    world.settle(first.message(0, 1))
    assert len(asked(world)) == 3


def test_asking_in_vain_is_given_up_where_people_see_it(world: World) -> None:
    """Its terminal is there and sends what is new: what is old it must have lost."""
    journal, new = morning(), Journal(TERMINAL, "0123456789abcdef")
    journal.heartbeat(10)
    new.segment(0)
    world.step(retained_receipt(journal.receipted_by(2)))

    def minutes(count: int, heard: bool = True) -> int:
        world.published.clear()
        for _ in range(count):
            world.second += 61
            if heard:
                new.heartbeat(world.second)
                world.settle(new.message(len(new.leaves) - 2))
            world.step(Tick())
        return len(asked(world))

    assert minutes(20, heard=False) == 20 and not report.read(world.path).alerts
    assert minutes(11) == 10
    (alert,) = report.read(world.path).alerts
    assert (alert.kind, alert.origin) == ("owed", journal.origin)
    assert alert.detail == f"entries 0 to 1 of {journal.origin} don't come again"
    assert "asked in vain" in "\n".join(status.lines(report.read(world.path), datetime.now(UTC)))
    assert minutes(120) == 2
    assert len([one for one in world.reports if one.event == "owed"]) == 1
    # Whoever comes online is asked; what comes after all is taken, and settles it.
    world.step(online_message())
    assert asked(world)[-1] == (journal.origin, 0)
    world.settle(journal.message())
    assert not report.read(world.path).owing and not report.read(world.path).alerts


def two_trees() -> tuple[Journal, Journal]:
    """One segment with two histories from entry 2 on."""
    told, other = morning([(twins.UID_ANN, 20, "in")]), morning([(twins.UID_ANN, 20, "in")])
    for second in (30, 31, 32):
        told.heartbeat(second)
        other.heartbeat(second + 100)
    other.heartbeat(200)
    return told, other


@pytest.mark.parametrize("end", [5, 6])
def test_a_restored_ledger_that_catches_up_with_another_tree_calls_it_a_fork(
    world: World, end: int
) -> None:
    told, other = two_trees()
    once = told.receipted_by(5)
    world.step(retained_receipt(once))
    world.step(other.message(0, 4))
    assert not world.on("receipt")
    world.step(other.message(4, end))
    assert world.on("hint")[-1].refused.reason == "fork"
    # The terminal sees what it signed before, and begins a new segment.
    assert last_receipt(world) == once
    assert world.query("SELECT count(*) FROM entry") == [(4,)]
    (alert,) = report.read(world.path).alerts
    assert (alert.terminal, alert.kind, alert.origin) == (TERMINAL, "fork", told.origin)
    (owing,) = report.read(world.path).owing
    assert owing.forked and (owing.held, owing.once) == (4, 5)
    # No smaller receipt ever; what both trees have in common comes when that segment has ended.
    world.published.clear()
    world.restart()
    world.online()
    world.second += 61
    world.step(Tick(), online_message())
    assert not world.on("receipt") and set(asked(world)) == {(told.origin, 4)}


def test_what_two_trees_have_in_common_still_comes_and_takes_nothing_back(world: World) -> None:
    """A card that was rolled back grew another tree; before that, both are what was cosigned."""
    told, other = two_trees()
    once = told.receipted_by(5)
    world.step(retained_receipt(once))
    world.step(other.message(0, 6))
    assert world.on("hint")[-1].refused.reason == "fork"
    assert not world.query("SELECT 1 FROM entry")
    world.published.clear()
    world.settle(other.message(0, 1))
    assert asked(world) == [(told.origin, 1)]
    world.settle(other.message(1, 2))
    assert world.query("SELECT count(*) FROM tap") == [(1,)]
    assert {one.payload for one in world.published if one.topic.endswith("/receipt")} == {once}


def test_the_tree_that_was_cosigned_pays_what_is_owed(world: World) -> None:
    told, _ = two_trees()
    world.step(retained_receipt(told.receipted_by(4)))
    world.step(told.message())
    assert world.on("receipt")[-1].checkpoint.startswith(f"{told.origin}\n5\n")
    assert not world.query("SELECT 1 FROM owed") and not report.read(world.path).alerts


def test_a_note_of_ours_over_another_tree_that_we_hold_is_reported(world: World) -> None:
    told, other = two_trees()
    world.step(other.message())
    note = wire.decode(wire.Receipt, told.receipted_by(4)).checkpoint
    other.heartbeat(201)
    effects = world.step(other.message(6, notes=[note]))
    assert [one.event for one in effects if isinstance(one, Report)] == ["fork"]
    assert report.read(world.path).alerts[0].kind == "fork"
    assert world.on("receipt")[-1].checkpoint.startswith(f"{other.origin}\n7\n")


def test_a_note_by_a_key_that_we_retired_still_counts(tmp_path: Path) -> None:
    retired = twins.signer("badges.example.be/ciao/gateway-north-before")
    world = World(tmp_path, retired=[retired.verifier(COSIGNATURE_V1)]).online()
    journal = morning()
    world.step(retained_receipt(journal.receipted_by(1, retired)))
    assert asked(world) == [(journal.origin, 0)]


def test_the_operator_can_say_that_the_ledger_was_restored(world: World) -> None:
    journal = morning([(twins.UID_ANN, 20, "in")])
    world.second = 25
    world.run(journal.message())
    with world.ledger.transaction():
        world.ledger.care.decide("restored", [""], "copied back after a disk failure", 1)
    world.settle(Tick())
    assert asked(world) == [(journal.origin, 2)]
    journal.tap(twins.UID_BEN, 24)
    world.settle(journal.message(2))
    assert world.states() == ["accepted", "unknown"]


def test_any_cut_of_history_can_be_restored_and_sends_nothing_twice(world: World) -> None:
    """The backup from after each batch in turn, the broker's receipt from the end."""
    journal = Journal(TERMINAL)
    backups = []
    for number in range(6):
        journal.tap(twins.UID_ANN, 10 * number, "out" if number % 2 else "in")
        world.second = 10 * number + 5
        world.run(journal.message(number))
        backup = Backup(world)
        backup._copy = backup._copy.rename(world.path.with_suffix(f".{number}"))
        backups.append(backup)
    kept = last_receipt(world)
    size = Checkpoint.parse(notes.parse(wire.decode(wire.Receipt, kept).checkpoint).text).size
    for number, backup in enumerate(backups):
        backup.restore()
        reconnected(world, kept)
        assert asked(world) == ([(journal.origin, number + 1)] if number + 1 < size else [])
        world.run(journal.message(number + 1) if number + 1 < size else Tick(), seconds=300)
        assert world.states() == ["accepted"] * 6 and len(world.onss.rows) == 6
