"""A file that is not what was written: put aside whole; what can be read of it goes on."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ciao import entries
from ciao.entries import Deletion, Previous, Segment
from ciao.journal import Journal, Row, StoreDamaged
from ciao.journal.store import note_digest
from tests.journal.making import (
    a_clock,
    a_journal,
    boot,
    decoded,
    everything,
    full_disk,
    heartbeat,
    opened,
    settle,
    tap,
)


@contextmanager
def behind_its_back(path: Path) -> Iterator[sqlite3.Connection]:
    """Another hand on the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        yield db


def flip(path: Path, seq: int, column: str) -> None:
    """One bit of an entry turns over, as it does on a tired card; SQLite does not notice."""
    with behind_its_back(path) as db:
        (value,) = db.execute(f"SELECT {column} FROM entry WHERE seq = ?", (seq,)).fetchone()
        bad = value[:-1] + bytes([value[-1] ^ 1])
        db.execute(f"UPDATE entry SET {column} = ? WHERE seq = ?", (bad, seq))


def ruin_page(path: Path, inside: bytes) -> None:
    """The page with these bytes comes back as ones."""
    content = bytearray(path.read_bytes())
    page = content.index(inside) // 4096 * 4096
    content[page : page + 4096] = b"\xff" * 4096
    path.write_bytes(content)


def lost(journal: Journal) -> list[tuple[int, int]]:
    """What the new segment says could not be read."""
    told = [entry for entry in decoded(journal) if isinstance(entry, Deletion)]
    assert all(entry.why == "unreadable" for entry in told)
    return [(part.first, part.last) for entry in told for part in entry.ranges]


def carried(journal: Journal) -> dict[tuple[str, int], Row]:
    """The entries that were taken over, by first place."""
    found = {}
    for row in everything(journal):
        first = entries.decode(row.leaf).carried
        if first is not None:
            found[first.origin, first.seq] = row
    return found


def head_of(journal: Journal) -> Segment:
    (row,) = journal.rows(0, 1)
    head = entries.decode(row.leaf)
    assert isinstance(head, Segment)
    return head


def test_a_flipped_bit_is_found_when_it_is_read_and_only_its_entry_is_lost(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for _ in range(6):
            tap(journal)
        note = settle(journal, 2)
        origin, wreck, root = journal.origin, journal.current.path, journal.root(7)
        flip(wreck, 4, "leaf")
        with pytest.raises(StoreDamaged, match="entry 4"):
            list(journal.rows(2, 7))
        assert journal.damaged
        journal.recover(a_clock()())
        assert not journal.damaged
        assert head_of(journal).why == "damaged"
        assert head_of(journal).previous == Previous(origin, 7, root.hex(), note_digest(note))
        assert set(carried(journal)) == {(origin, seq) for seq in (2, 3, 5, 6)}
        assert lost(journal) == [(4, 4)]
        assert [entry.seq for entry in decoded(journal)] == list(range(journal.size))
        assert not wreck.exists()
        assert wreck.with_name(wreck.name + ".damaged").exists(), "put aside, never deleted"
        tap(journal)
    journal = a_journal(tmp_path)
    assert journal.open(a_clock()()) is None, "and that is that"
    journal.close()


def test_of_a_flipped_payload_the_entry_goes_on(tmp_path: Path) -> None:
    """Sent as it is, the gateway would refuse the whole batch, again and again."""
    with opened(tmp_path) as journal:
        sealed = [tap(journal) for _ in range(3)]
        origin = journal.origin
        flip(journal.current.path, 2, "payload")
        with pytest.raises(StoreDamaged):
            list(journal.rows(0, 4))
        journal.recover(a_clock()())
        rows = carried(journal)
        assert [rows[origin, seq].payload for seq in (1, 2, 3)] == [sealed[0], None, sealed[2]]
        assert lost(journal) == [(2, 2)]


@pytest.mark.parametrize("statement", [
    "UPDATE entry SET hashes = CAST(substr(hashes, 1, 63) || x'ff' AS BLOB) WHERE seq = 5",
    "UPDATE entry SET hashes = substr(hashes, 1, 32) WHERE seq = 3",
    "DELETE FROM entry WHERE seq = 4",
    "UPDATE entry SET leaf = 'text', hashes = 7 WHERE seq = 2",
])  # fmt: skip
def test_a_check_finds_what_reading_would_not(tmp_path: Path, statement: str) -> None:
    with opened(tmp_path) as journal:
        for _ in range(9):
            tap(journal)
        journal.check(0, journal.size)
        assert not journal.damaged
        with behind_its_back(journal.current.path) as db:
            db.execute(statement)
        with pytest.raises(StoreDamaged):
            journal.check(0, journal.size)
        assert journal.damaged


def test_nothing_beyond_a_gap_is_handed_out(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for _ in range(6):
            tap(journal)
        with behind_its_back(journal.current.path) as db:
            db.execute("DELETE FROM entry WHERE seq = 4")
        read = []
        with pytest.raises(StoreDamaged, match="entry 4"):
            for row in journal.rows(0, 7):
                read.append(row.seq)
        assert read == [0, 1, 2, 3]


def test_a_tree_that_no_longer_leads_to_the_cosigned_root_is_damage(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for _ in range(8):
            tap(journal)
        settle(journal, 6)
        path = journal.current.path
        flip(path, 3, "hashes")
        with pytest.raises(StoreDamaged, match="cosigned"):
            journal.check(8, 9)
    journal = a_journal(tmp_path, seed=2)
    assert journal.open(a_clock()()) == "damaged", "also at the start"
    assert len(carried(journal)) == 3, "what is settled need not be carried"
    assert lost(journal) == []
    journal.close()


def test_entries_that_are_gone_from_below_a_receipt_are_damage(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for _ in range(5):
            tap(journal)
        note = settle(journal, 6)
        path = journal.current.path
    with behind_its_back(path) as db:
        db.execute("DELETE FROM entry WHERE seq >= 4")
    journal = a_journal(tmp_path, seed=2)
    assert journal.open(a_clock()()) == "damaged"
    previous = head_of(journal).previous
    assert previous is not None
    assert (previous.size, previous.note) == (6, note_digest(note)), "by what others keep"
    journal.close()


def test_a_ruined_page_costs_what_was_on_it_and_no_more(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for _ in range(60):
            tap(journal)
        note = settle(journal, 5)
        origin, path, rows = journal.origin, journal.current.path, everything(journal)
    ruin_page(path, rows[30].leaf)
    journal = a_journal(tmp_path, seed=2)
    journal.open(a_clock()())
    if not journal.damaged and journal.origin == origin:
        # The two ends are whole, so it opens: found at the next check.
        with pytest.raises(StoreDamaged):
            journal.check(0, journal.size)
        journal.recover(a_clock()())
    assert head_of(journal).previous is not None
    found, gaps = carried(journal), lost(journal)
    missing = {seq for first, last in gaps for seq in range(first, last + 1)}
    assert 30 in missing and len(missing) < 12
    assert {seq for _, seq in found} | missing == set(range(5, 61))
    assert journal.notes_named(journal.rows(0, 1)) == [note]
    journal.close()


def test_without_its_notes_all_of_it_is_carried(tmp_path: Path) -> None:
    """The gateway knows each tap by its payload; too much is only said twice."""
    with opened(tmp_path) as journal:
        for _ in range(5):
            tap(journal)
        settle(journal, 4)
        origin = journal.origin
        with behind_its_back(journal.current.path) as db:
            db.execute("DROP TABLE note")
        with pytest.raises(StoreDamaged):
            journal.newest_note()
        journal.recover(a_clock()())
        assert set(carried(journal)) == {(origin, seq) for seq in range(6)}
        assert lost(journal) == []


def test_a_note_that_was_altered_settles_nothing_more(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for _ in range(5):
            tap(journal)
        settle(journal, 2)
        path, origin = journal.current.path, journal.origin
    with behind_its_back(path) as db:
        db.execute(
            "UPDATE note SET size = 6, note = replace(note, char(10) || '2', char(10) || '6')"
        )
    journal = a_journal(tmp_path, seed=2)
    assert journal.open(a_clock()()) == "damaged"
    assert set(carried(journal)) == {(origin, seq) for seq in range(6)}
    journal.close()


@pytest.mark.parametrize("column", ["origin", "certificate", "seed"])
def test_a_flipped_bit_in_its_name_or_its_key_is_found_at_the_start(
    tmp_path: Path, column: str
) -> None:
    """The gateway would take nothing of it any more."""
    with opened(tmp_path) as journal:
        tap(journal)
        path, origin = journal.current.path, journal.origin
    with behind_its_back(path) as db:
        (value,) = db.execute(f"SELECT CAST({column} AS BLOB) FROM segment").fetchone()
        bad = value[:20] + bytes([value[20] ^ 1]) + value[21:]
        kind = "BLOB" if column == "seed" else "TEXT"
        db.execute(f"UPDATE segment SET {column} = CAST(? AS {kind})", (bad,))
    journal = a_journal(tmp_path, seed=2)
    assert journal.open(a_clock()()) == "damaged"
    assert set(carried(journal)) == {(origin, 0), (origin, 1)}
    assert lost(journal) == []
    journal.close()


def test_where_a_carried_entry_is_lost_the_segment_before_hands_it_over_again(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as journal:
        first = journal.origin
        sealed = [tap(journal) for _ in range(3)]
        journal.begin("rolled_back", a_clock()())
        second, path = journal.origin, journal.current.path
        tap(journal)
        boot(journal)
    flip(path, 3, "leaf")
    with behind_its_back(path) as db:
        db.execute("UPDATE segment SET seed = x''")
    journal = a_journal(tmp_path, seed=2)
    assert journal.open(a_clock()()) == "damaged"
    found = carried(journal)
    assert set(found) == {
        *((first, seq) for seq in range(4)),
        (second, 0),
        (second, 5),
        (second, 6),
    }
    assert [found[first, seq].payload for seq in (1, 2, 3)] == sealed
    places = [entry.carried for entry in decoded(journal) if entry.carried]
    assert len(places) == len(set(places)), "each once"
    assert lost(journal) == [(3, 3)]
    journal.close()


def test_the_first_place_survives_any_number_of_segments(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        first = journal.origin
        sealed = tap(journal)
        whys: list[entries.SegmentReason] = ["rolled_back", "damaged", "yearly", "rolled_back"]
        for why in whys:
            if why == "damaged":
                journal.recover(a_clock()())
            else:
                journal.begin(why, a_clock()())
            tap(journal)
        assert carried(journal)[first, 1].payload == sealed
        places = [entry.carried for entry in decoded(journal) if entry.carried]
        assert len(places) == len(set(places)), "each once"


def test_many_gaps_are_all_named(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for _ in range(50):
            tap(journal)
        for seq in range(1, 50, 2):
            flip(journal.current.path, seq, "leaf")
        journal.recover(a_clock()())
        assert lost(journal) == [(seq, seq) for seq in range(1, 50, 2)]
        assert len([e for e in decoded(journal) if isinstance(e, Deletion)]) == 4


def test_without_room_for_another_segment_the_damaged_one_stays_in_use(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for _ in range(5):
            tap(journal)
        flip(journal.current.path, 2, "leaf")
        path, size = journal.current.path, journal.size
        with pytest.raises(StoreDamaged):
            journal.check(0, size)
        with full_disk(), pytest.raises(Exception, match="disk"):
            journal.recover(a_clock()())
        assert journal.damaged and journal.current.path == path
        tap(journal)
        journal.recover(a_clock()())
        assert len(carried(journal)) == size, "all but the one that is lost"
        assert lost(journal) == [(2, 2)]


def test_new_hardware_begins_where_the_old_log_is_known_to_have_ended(tmp_path: Path) -> None:
    with opened(tmp_path / "old") as journal:
        tap(journal)
        note, origin, root = settle(journal), journal.origin, journal.root(2)
    journal = a_journal(tmp_path / "new", seed=2)
    assert journal.open(a_clock()(), predecessor=note) == "replaced"
    assert head_of(journal).why == "replaced"
    assert head_of(journal).previous == Previous(origin, 2, root.hex(), note_digest(note))
    assert journal.notes_named(journal.rows(0, 1)) == [note], "sent along, to be checked"
    journal.close()
    again = a_journal(tmp_path / "new", seed=3)
    assert again.open(a_clock()(), predecessor=note) is None, "once"
    again.close()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), strokes=st.integers(1, 6))
def test_whatever_is_written_over_the_file_nothing_is_dropped_in_silence(
    tmp_path_factory: pytest.TempPathFactory, seed: int, strokes: int
) -> None:
    """Each entry of the tail is carried as it was, or named; unless the end itself is gone."""
    directory, rng = tmp_path_factory.mktemp("journal"), random.Random(seed)
    with opened(directory) as journal:
        for _ in range(40):
            tap(journal)
        heartbeat(journal, settle(journal, 10))
        origin, path, before = journal.origin, journal.current.path, everything(journal)
    content = bytearray(path.read_bytes())
    for _ in range(strokes):
        start, length = rng.randrange(len(content)), rng.choice((1, 8, 512, 4096))
        stroke = rng.randbytes(len(content[start : start + length]))
        content[start : start + length] = stroke
    path.write_bytes(content)
    journal = a_journal(directory, seed=2)
    why = journal.open(a_clock()())
    if why is None:
        try:
            journal.check(0, journal.size)
        except StoreDamaged:
            journal.recover(a_clock()())
    if journal.origin == origin:
        # Sound, as far as anybody can see: an end that is gone without a trace is seen by who
        # holds a receipt for it, and by nobody else.
        assert everything(journal) == before[: journal.size]
    else:
        check_carried(journal, origin, before, directory)
    journal.close()


def check_carried(journal: Journal, origin: str, before: list[Row], directory: Path) -> None:
    found, gaps = carried(journal), lost(journal)
    missing = {seq for first, last in gaps for seq in range(first, last + 1)}
    for (where, seq), row in found.items():
        was, now = entries.decode(before[seq].leaf), entries.decode(row.leaf)
        assert where == origin
        assert (now.at, now.boot, type(now)) == (was.at, was.boot, type(was))
        assert row.payload == before[seq].payload or seq in missing
    end = max([*missing, *(seq for _, seq in found)], default=0)
    carried_seqs = {seq for _, seq in found}
    start = min(carried_seqs | missing, default=0)
    assert start in (0, 10) or not found
    assert carried_seqs | missing >= set(range(10, end + 1)) or not found
    assert list(directory.glob("*.damaged")), "the file itself is kept"
