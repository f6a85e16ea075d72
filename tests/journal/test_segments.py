"""A new segment carries on: what no receipt covers goes with it, under its first name."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import pytest

from ciao import entries
from ciao.journal import StoreFailed
from ciao.journal.store import note_digest
from tests.journal.making import (
    a_clock,
    a_journal,
    boot,
    cosigned,
    decoded,
    everything,
    full_disk,
    heartbeat,
    opened,
    settle,
    tap,
)


def first_places(rows: list[entries.Entry]) -> list[tuple[str, int]]:
    return [(entry.carried.origin, entry.carried.seq) for entry in rows if entry.carried]


def test_the_unreceipted_tail_goes_into_the_new_segment(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        sealed = [tap(journal) for _ in range(5)]
        note = settle(journal, 3)
        old_origin, old_rows, old_root = journal.origin, everything(journal), journal.root(6)
        journal.begin("rolled_back", a_clock()())
        head, *carried = decoded(journal)
        assert isinstance(head, entries.Segment)
        assert head.why == "rolled_back"
        assert head.previous == entries.Previous(old_origin, 6, old_root.hex(), note_digest(note))
        assert first_places(carried) == [(old_origin, 3), (old_origin, 4), (old_origin, 5)]
        assert [row.payload for row in everything(journal)] == [None, *sealed[2:]]
        assert journal.settled == 0
        # But for their numbers they say what they said.
        old = [entries.decode(row.leaf) for row in old_rows[3:]]
        for now, before in zip(carried, old, strict=True):
            assert (now.at, now.boot, now.up_ms) == (before.at, before.boot, before.up_ms)
            assert isinstance(now, entries.Tap) and isinstance(before, entries.Tap)
            assert now.payload == before.payload


def test_what_was_carried_twice_still_names_its_first_place(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        first = journal.origin
        tap(journal)
        journal.begin("rolled_back", a_clock()())
        second = journal.origin
        tap(journal)
        journal.begin("damaged", a_clock()())
        _, *carried = decoded(journal)
        places = {
            entry.carried.seq: entry.carried.origin
            for entry in carried
            if entry.carried and isinstance(entry, entries.Tap)
        }
        assert places == {1: first, 3: second}
        assert [entry.seq for entry in decoded(journal)] == list(range(journal.size))
    with opened(tmp_path) as journal:
        assert len(decoded(journal)) == len(carried) + 1


def test_every_origin_of_the_chain_is_known_also_those_without_a_file(tmp_path: Path) -> None:
    with opened(tmp_path / "lost") as elsewhere:
        tap(elsewhere)
        witness, lost = cosigned(elsewhere), elsewhere.origin
    with opened(tmp_path / "here", seed=2) as journal:
        own = [journal.origin]
        journal.begin("rolled_back", a_clock()(), witness)
        own.append(journal.origin)
        journal.begin("rolled_back", a_clock()())
        own.append(journal.origin)
        assert set(journal.origins()) == {lost, *own}


def test_a_witness_of_another_segment_is_named_and_kept(tmp_path: Path) -> None:
    with opened(tmp_path / "lost") as elsewhere:
        tap(elsewhere)
        witness, lost, root = cosigned(elsewhere), elsewhere.origin, elsewhere.root(2)
    with opened(tmp_path / "here", seed=2) as journal:
        journal.begin("rolled_back", a_clock()(), witness)
        (head, *_) = decoded(journal)
        assert isinstance(head, entries.Segment)
        assert head.previous == entries.Previous(lost, 2, root.hex(), note_digest(witness))
        assert journal.notes_named(journal.rows(0, 1)) == [witness]


def test_a_note_that_a_heartbeat_names_is_kept_and_the_others_are_replaced(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        tap(journal)
        named = settle(journal)
        heartbeat(journal, named)
        replaced = settle(journal)
        tap(journal)
        newest = settle(journal)
        kept = [journal.current.note(note_digest(note)) for note in (named, replaced, newest)]
        assert [k.note if k else None for k in kept] == [named, None, newest]
        assert journal.notes_named(everything(journal)) == [named]


def test_the_notes_that_carried_entries_name_come_along(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        tap(journal)
        first = settle(journal)
        tap(journal)
        second = settle(journal)
        heartbeat(journal, second)
        assert first != second
        journal.begin("yearly", a_clock()())
        assert journal.notes_named(everything(journal)) == [second]
        journal.begin("yearly", a_clock()())
        assert journal.notes_named(everything(journal)) == [second]


def test_a_settled_segment_hands_nothing_over(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        tap(journal)
        settle(journal)
        journal.begin("yearly", a_clock()())
        assert journal.size == 1


def test_the_new_segment_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """Every prefix of what SQLite wrote: either the old segment goes on, or all was carried."""
    with opened(tmp_path / "made") as journal:
        for _ in range(20):
            tap(journal)
        old = journal.current.path
        journal.begin("rolled_back", a_clock()())
        new, carried = journal.current.path, journal.size
        log = new.with_name(new.name + "-wal").read_bytes()
        main = new.read_bytes()
    seen = set()
    for number, cut in enumerate([0, 31, 32, *range(1000, len(log), 3000), len(log)]):
        crashed = tmp_path / f"crashed-{number}"
        crashed.mkdir()
        (crashed / old.name).write_bytes(old.read_bytes())
        (crashed / new.name).write_bytes(main)
        (crashed / (new.name + "-wal")).write_bytes(log[:cut])
        with opened(crashed, seed=9) as journal:
            seen.add(journal.size)
            assert journal.size in (21, carried)
    assert seen == {21, carried}


def test_a_half_made_file_is_removed_and_the_old_segment_goes_on(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        tap(journal)
        origin = journal.origin
    for name in ("0002-00000000000000aa.db", "0003-00000000000000bb.db"):
        (tmp_path / name).touch()
    sqlite3.connect(tmp_path / "0003-00000000000000bb.db").execute("PRAGMA journal_mode=WAL")
    journal = a_journal(tmp_path)
    assert journal.open(a_clock()()) is None
    assert (journal.origin, journal.size) == (origin, 2)
    journal.close()
    assert [path.name[:4] for path in tmp_path.iterdir()] == ["0001"]


def test_a_segment_that_could_not_be_written_leaves_the_old_one_in_use(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        tap(journal)
        before, origin = everything(journal), journal.origin
        with full_disk(), pytest.raises(StoreFailed):
            journal.begin("rolled_back", a_clock()())
        assert (journal.origin, everything(journal)) == (origin, before)
        tap(journal)
        assert [path.name[:4] for path in tmp_path.glob("*.db")] == ["0001"], "nothing half made"
    with opened(tmp_path) as journal:
        assert (journal.origin, journal.size) == (origin, 3)


def test_a_damaged_segment_is_put_aside_and_the_one_before_hands_over(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        tap(journal)
        first = journal.origin
        journal.begin("rolled_back", a_clock()())
        damaged = journal.current.path
    damaged.write_bytes(b"x" * 20_000)
    journal = a_journal(tmp_path, seed=3)
    assert journal.open(a_clock()()) == "damaged"
    head, *carried = decoded(journal)
    assert isinstance(head, entries.Segment)
    assert (head.why, head.previous and head.previous.origin) == ("damaged", first)
    assert (first, 1) in first_places(carried)
    assert damaged.with_name(damaged.name + ".damaged").read_bytes() == b"x" * 20_000
    journal.close()
    assert a_journal(tmp_path).open(a_clock()()) is None, "and that is that"


@pytest.mark.parametrize("what", ["key", "newest leaf", "tree hashes", "missing table"])
def test_damage_that_sqlite_does_not_see_is_found_at_opening(tmp_path: Path, what: str) -> None:
    with opened(tmp_path) as journal:
        for _ in range(5):
            tap(journal)
        path = journal.current.path
    statement = {
        "key": "UPDATE segment SET seed = x'00'",
        "newest leaf": "UPDATE entry SET leaf = x'7b7d' WHERE seq = 5",
        "tree hashes": "UPDATE entry SET hashes = x'' WHERE seq = 3",
        "missing table": "DROP TABLE note",
    }[what]
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(statement)
    db.close()
    kept = path.read_bytes()
    journal = a_journal(tmp_path, seed=3)
    assert journal.open(a_clock()()) == "damaged"
    assert hashlib.sha256(path.with_name(path.name + ".damaged").read_bytes()).digest() == (
        hashlib.sha256(kept).digest()
    )
    journal.close()


def test_an_emptied_file_beside_its_log_is_damage_not_a_new_file(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        tap(journal)
        path = journal.current.path
        log = path.with_name(path.name + "-wal").read_bytes()
    path.write_bytes(b"")
    path.with_name(path.name + "-wal").write_bytes(log)
    journal = a_journal(tmp_path, seed=3)
    assert journal.open(a_clock()()) == "damaged"
    assert path.with_name(path.name + ".damaged-wal").read_bytes() == log
    journal.close()


def test_damage_is_not_forgotten_by_a_crash_before_the_next_segment(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        boot(journal)
        path = journal.current.path
    path.write_bytes(b"x" * 20_000)
    journal = a_journal(tmp_path, seed=3)
    with full_disk(), pytest.raises(StoreFailed):
        journal.open(a_clock()())
    assert path.with_name(path.name + ".damaged").exists()
    journal = a_journal(tmp_path, seed=4)
    assert journal.open(a_clock()()) == "damaged"
    assert journal.current.path.name.startswith("0002-")
    journal.close()
