"""A segment that ended, sound or damaged, is sent again as far as it was cosigned, no further."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ciao import notes
from ciao.checkpoint import Checkpoint
from ciao.entries import SeqRange
from ciao.journal import OlderSegment, Row, StoreDamaged
from ciao.tree import Frontier, leaf_hash
from tests.journal.making import (
    ENROLLED,
    a_clock,
    a_journal,
    cosigned,
    everything,
    heartbeat,
    opened,
    settle,
    tap,
)


def a_segment_that_ended(directory: Path) -> tuple[Path, str, list[Row]]:
    """Twelve entries, of which nine are receipted, then another segment; file, origin, entries."""
    with opened(directory) as journal:
        while journal.size < 4:
            tap(journal)
        heartbeat(journal, settle(journal))
        while journal.size < 9:
            tap(journal)
        settle(journal)
        while journal.size < 12:
            tap(journal)
        rows, path, origin = everything(journal), journal.current.path, journal.origin
        journal.begin("rolled_back", a_clock()())
        return path, origin, rows


@contextmanager
def older(path: Path, origin: str) -> Iterator[OlderSegment]:
    with closing(OlderSegment.open(path, origin, [ENROLLED.verifier()])) as segment:
        yield segment


def root_of(rows: list[Row]) -> bytes:
    frontier = Frontier()
    for row in rows:
        frontier, _ = frontier.append(leaf_hash(row.leaf))
    return frontier.root()


def signed(segment: OlderSegment, size: int) -> Checkpoint:
    """The checkpoint of a size, by the segment's own key."""
    note = notes.parse(segment.checkpoint(size))
    notes.verify(note, segment._signer.verifier())
    return Checkpoint.parse(note.text)


def test_it_gives_what_was_cosigned_with_checkpoints_of_every_size(tmp_path: Path) -> None:
    path, origin, rows = a_segment_that_ended(tmp_path)
    with older(path, origin) as segment:
        assert segment.end == 9
        assert list(segment.rows(0, 200)) == rows[:9]
        assert list(segment.rows(5, 7)) == rows[5:7]
        for size in range(1, 10):
            assert signed(segment, size) == Checkpoint(origin, size, root_of(rows[:size]))


def test_nothing_beyond_what_was_cosigned_is_signed(tmp_path: Path) -> None:
    """The disk may have been rolled back: another tree of that size may be known elsewhere."""
    path, origin, _ = a_segment_that_ended(tmp_path)
    with older(path, origin) as segment, pytest.raises(StoreDamaged, match="nothing from 10"):
        segment.checkpoint(10)


def test_notes_that_its_entries_name_come_with_it(tmp_path: Path) -> None:
    path, origin, _ = a_segment_that_ended(tmp_path)
    with older(path, origin) as segment:
        (named,) = segment.notes_named(segment.rows(0, 12))
        newest = segment.newest_note()
    assert named.startswith(f"{origin}\n4\n")
    assert newest is not None and newest.startswith(f"{origin}\n9\n")


def test_the_journal_finds_it_by_its_origin_and_only_its_own(tmp_path: Path) -> None:
    _, origin, _ = a_segment_that_ended(tmp_path)
    with opened(tmp_path) as journal:
        found = journal.older(origin)
        assert found is not None
        found.close()
        assert journal.older(journal.origin) is None, "that one is written"
        assert journal.older(origin[:-1] + ("0" if origin[-1] != "0" else "1")) is None
        assert journal.older(origin.replace("hall-3", "hall-4")) is None


def test_one_that_was_put_aside_gives_what_can_still_be_read(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for _ in range(8):
            tap(journal)
        settle(journal)
        origin, rows, path = journal.origin, everything(journal), journal.current.path
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE entry SET leaf = x'00' WHERE seq = 6")
        db.execute("UPDATE entry SET payload = x'00' WHERE seq = 2")
    journal = a_journal(tmp_path, seed=2)
    journal.open(a_clock()())
    with pytest.raises(StoreDamaged):
        list(journal.rows(6, 7))
    journal.recover(a_clock()())
    segment = journal.older(origin)
    assert segment is not None
    with closing(segment):
        found = list(segment.rows(0, 200))
        assert [row.leaf for row in found] == [row.leaf for row in rows[:6]]
        assert [row.payload for row in found] == [
            None if row.seq == 2 else row.payload for row in rows[:6]
        ]
        assert signed(segment, 6).root == root_of(rows[:6])
    journal.close()


def test_payloads_that_retention_deleted_are_gone_and_their_leaves_are_not(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for _ in range(4):
            tap(journal)
        settle(journal)
        origin, rows = journal.origin, everything(journal)
        journal.begin("yearly", a_clock()())
        journal.forget([SeqRange(origin, 0, 2)])
        segment = journal.older(origin)
        assert segment is not None
        with closing(segment):
            found = list(segment.rows(0, 200))
    assert [row.leaf for row in found] == [row.leaf for row in rows]
    assert [row.payload for row in found] == [None, None, None, *(r.payload for r in rows[3:])]


@pytest.mark.parametrize(
    "ruin",
    [
        "UPDATE segment SET seed = zeroblob(32)",
        "UPDATE segment SET seed = 'gone'",
        "UPDATE segment SET certificate = 'gone'",
        "DELETE FROM segment",
        "DROP TABLE segment",
    ],
)
def test_one_whose_key_is_gone_is_told_apart(tmp_path: Path, ruin: str) -> None:
    path, origin, _ = a_segment_that_ended(tmp_path)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(ruin)
    with opened(tmp_path) as journal, pytest.raises(StoreDamaged):
        journal.older(origin)


def test_a_tree_that_does_not_lead_to_what_was_cosigned_signs_nothing(tmp_path: Path) -> None:
    path, origin, _ = a_segment_that_ended(tmp_path)
    with closing(sqlite3.connect(path)) as db, db:
        (hashes,) = db.execute("SELECT hashes FROM entry WHERE seq = 3").fetchone()
        db.execute("UPDATE entry SET hashes = ? WHERE seq = 3", (hashes[:-1] + b"\x00",))
    with older(path, origin) as segment:
        assert list(segment.rows(3, 4)), "the leaf itself is what it was"
        with pytest.raises(StoreDamaged, match="no proof of 4"):
            segment.checkpoint(4)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_however_it_was_damaged_it_says_nothing_that_was_not_written(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    directory = tmp_path_factory.mktemp("older")
    path, origin, rows = a_segment_that_ended(directory)
    rng = random.Random(seed)
    content = bytearray(path.read_bytes())
    for _ in range(rng.randint(1, 4)):
        start, length = rng.randrange(len(content)), rng.choice((1, 40, 512, 4096))
        content[start : start + length] = rng.randbytes(min(length, len(content) - start))
    path.write_bytes(content)
    try:
        with older(path, origin) as segment:
            found = list(segment.rows(0, 200))
            assert [row.leaf for row in found] == [row.leaf for row in rows[: len(found)]]
            for row, before in zip(found, rows, strict=False):
                assert row.payload in (None, before.payload)
            for size in range(1, 13):
                assert signed(segment, size).root == root_of(rows[:size])
    except StoreDamaged:
        pass


def test_a_receipt_it_never_had_changes_nothing(tmp_path: Path) -> None:
    """A segment nobody receipted has nothing to send again: all of it was carried."""
    with opened(tmp_path) as journal:
        tap(journal)
        assert cosigned(journal)
        origin = journal.origin
        journal.begin("rolled_back", a_clock()())
        segment = journal.older(origin)
        assert segment is not None
        with closing(segment):
            assert segment.end == 0 and not list(segment.rows(0, 200))
