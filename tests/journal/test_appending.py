"""What is appended is there afterwards: in order, in the tree, and after a restart."""

from __future__ import annotations

import hashlib
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ciao import entries, notes
from ciao.certificate import certified_key
from ciao.checkpoint import Checkpoint
from ciao.journal import StoreFailed
from ciao.journal.chain import RANGES_MAX
from ciao.journal.peek import peek
from ciao.journal.store import UNTIDIED_MAX
from tests.journal.making import (
    ENROLLED,
    a_clock,
    a_journal,
    boot,
    decoded,
    everything,
    opened,
    settle,
    tap,
)


def rfc6962_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = rfc6962_root(leaves[:split]), rfc6962_root(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def test_a_journal_begins_with_entry_0_that_says_why(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    assert journal.open(a_clock()()) == "new"
    (head,) = decoded(journal)
    assert isinstance(head, entries.Segment)
    assert (head.seq, head.why, head.previous, head.firmware) == (0, "new", None, "test")
    journal.close()


def test_what_was_appended_is_there_after_reopening(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        sealed = [tap(journal) for _ in range(5)]
        boot(journal)
        before, origin = everything(journal), journal.origin
    journal = a_journal(tmp_path)
    assert journal.open(a_clock()()) is None, "no new segment"
    assert journal.origin == origin
    assert everything(journal) == before
    assert [row.payload for row in before] == [None, *sealed, None]
    journal.close()


def test_sequence_numbers_are_gapless_from_0(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for _ in range(4):
            tap(journal)
        assert [row.seq for row in everything(journal)] == list(range(journal.size))
        assert [entry.seq for entry in decoded(journal)] == list(range(journal.size))


def test_an_entry_out_of_sequence_is_a_program_error(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        entry = entries.Boot(**entries.common(a_clock()(), journal.size + 1), clean=True)
        with pytest.raises(AssertionError, match="sequence"):
            journal.append(entry)
        assert journal.size == 1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.booleans(), max_size=40), st.integers(0, 40))
def test_the_root_of_every_size_is_rfc_6962s(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[bool], reopened_at: int
) -> None:
    directory = tmp_path_factory.mktemp("journal")
    journal = a_journal(directory)
    journal.open(a_clock()())
    for number, with_payload in enumerate(kinds):
        if number == reopened_at:
            journal.close()
            journal = a_journal(directory, seed=2)
            assert journal.open(a_clock()()) is None
        (tap if with_payload else boot)(journal)
    leaves = [row.leaf for row in everything(journal)]
    for size in range(len(leaves) + 1):
        assert journal.root(size) == rfc6962_root(leaves[:size])
    journal.close()


def test_a_checkpoint_verifies_by_the_certified_key_of_its_segment(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for _ in range(6):
            tap(journal)
        key = certified_key(journal.current.certificate, ENROLLED.verifier())
        leaves = [row.leaf for row in everything(journal)]
        for size in range(1, journal.size + 1):
            note = notes.parse(journal.checkpoint(size))
            notes.verify(note, key)
            expected = Checkpoint(journal.origin, size, rfc6962_root(leaves[:size]))
            assert Checkpoint.parse(note.text) == expected


def test_wal_with_full_sync_is_what_the_open_file_has(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        asked = journal.current._db.execute
        assert asked("PRAGMA journal_mode").fetchone() == ("wal",)
        assert asked("PRAGMA synchronous").fetchone() == (2,)


def test_a_file_that_can_not_be_in_wal_mode_is_not_used(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        path = journal.current.path
    # While another transaction holds it in the old mode, WAL can't be had.
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = DELETE")
    db.execute("BEGIN EXCLUSIVE")
    again = a_journal(tmp_path)
    with pytest.raises(StoreFailed):
        again.open(a_clock()())
    db.close()
    assert path.exists(), "a file that others hold is not put aside"


def test_only_its_owner_can_read_a_journal(tmp_path: Path) -> None:
    directory = tmp_path / "journal"
    with opened(directory) as journal:
        tap(journal)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
        assert len(modes) == 3, "the file, its write-ahead log, its index"
        assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_receipt_is_kept_over_a_restart_and_only_ever_grows(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for _ in range(4):
            tap(journal)
        note = settle(journal, 4)
        settle(journal, 2)
        assert (journal.settled, journal.newest_note()) == (4, note)
    with opened(tmp_path) as journal:
        assert (journal.settled, journal.newest_note()) == (4, note)


def test_somebody_may_look_while_the_owner_writes(tmp_path: Path) -> None:
    assert peek(tmp_path) is None
    with opened(tmp_path) as journal:
        for _ in range(5):
            tap(journal)
        settle(journal, 3)
        boot(journal)
        seen = peek(tmp_path)
        assert seen is not None
        assert (seen.origin, seen.size, seen.settled, seen.backlog) == (journal.origin, 7, 3, 3)
        assert (seen.segments, seen.quarantined) == (1, 0)
        assert seen.newest == everything(journal)[-1].leaf
        tap(journal)
    after = peek(tmp_path)
    assert after is not None
    assert after.size == 8, "and after the owner has left"


def test_looking_changes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        tap(journal)
        path = journal.current.path
    before = path.read_bytes()
    peek(tmp_path)
    assert path.read_bytes() == before


def test_the_write_ahead_log_is_emptied_while_nobody_waits_and_not_for_a_few_commits(
    tmp_path: Path,
) -> None:
    def in_the_file() -> int:
        """What the file holds without what waits beside it."""
        alone = tmp_path / "alone.db"
        alone.write_bytes(path.read_bytes())
        with closing(sqlite3.connect(f"file:{alone}?immutable=1", uri=True)) as db:
            tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
            return int(db.execute("SELECT count(*) FROM entry").fetchone()[0]) if tables else 0

    with opened(tmp_path / "journal") as journal:
        path = journal.current.path
        journal.current.tidy()
        assert in_the_file() == 0
        while journal.size < UNTIDIED_MAX + 1:
            tap(journal)
        journal.current.tidy()
        assert in_the_file() == journal.size
        log = path.with_name(path.name + "-wal")
        size = log.stat().st_size
        tap(journal)
        assert in_the_file() == journal.size - 1
        assert log.stat().st_size == size, "it begins at its beginning again"


def test_a_file_that_is_no_journal_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "0001-0123456789abcdef.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreFailed, match="not a database"):
        peek(tmp_path)


def test_the_longest_entries_that_a_journal_writes_of_itself_fit_a_leaf() -> None:
    """With the longest origin, and room to be carried."""
    origin, common = "d" * 256, entries.common(a_clock()(), 2**53 - 1)
    part = entries.SeqRange(origin, 2**53 - 2, 2**53 - 1)
    previous = entries.Previous(origin, 2**53 - 1, "a" * 64, "b" * 64)
    entries.encode(entries.Deletion(**common, ranges=[part] * RANGES_MAX, why="unreadable"))
    entries.encode(
        entries.Segment(**common, why="rolled_back", firmware="f" * 256, previous=previous)
    )
