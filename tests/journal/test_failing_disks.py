"""A disk that refuses: nothing is acknowledged, nothing is lost, nothing is thrown away."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from ciao.journal import Journal, StoreFailed
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


def fill(journal: Journal) -> None:
    """Let SQLite take no more pages; a real SQLITE_FULL follows."""
    (pages,) = journal.current._db.execute("PRAGMA page_count").fetchone()
    journal.current._db.execute(f"PRAGMA max_page_count = {pages}")


def test_an_append_that_fails_is_not_there_and_the_next_one_is(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        tap(journal)
        before, root = everything(journal), journal.root(2)
        with full_disk(), pytest.raises(StoreFailed):
            tap(journal)
        assert (journal.size, everything(journal), journal.root(2)) == (2, before, root)
        sealed = tap(journal)
        assert everything(journal)[-1].payload == sealed
    with opened(tmp_path) as journal:
        assert [entry.seq for entry in decoded(journal)] == [0, 1, 2]


def test_a_store_without_room_refuses_and_works_on_when_there_is_room(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        fill(journal)
        with pytest.raises(StoreFailed, match="full"):
            for _ in range(100):
                tap(journal, b"s" * 2000)
        size = journal.size
        with pytest.raises(StoreFailed):
            tap(journal, b"s" * 20_000)
        journal.current._db.execute("PRAGMA max_page_count = 1000000")
        tap(journal)
        assert journal.size == size + 1
    with opened(tmp_path) as journal:
        assert journal.size == size + 1


@pytest.mark.parametrize("room", [0, 4096, 9000, 13_000, 17_000, 25_000])
def test_a_heartbeat_that_fails_leaves_no_transaction_behind(tmp_path: Path, room: int) -> None:
    """Else the next append would land in it, and be acknowledged without a commit."""
    with opened(tmp_path) as journal:
        tap(journal)
        note = settle(journal)
        with full_disk(room):
            try:
                for _ in range(20):
                    heartbeat(journal, note)
            except StoreFailed:
                pass
            else:
                pytest.fail("the disk was not full")
        assert not journal.current._db.in_transaction
        tap(journal)
        size = journal.size
        # As it is on the disk, seen by somebody else, not through our own connection.
        with opened_copy(tmp_path) as seen:
            assert seen.size == size


def test_a_receipt_that_could_not_be_kept_settles_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        tap(journal)
        first = settle(journal)
        tap(journal)
        with full_disk(), pytest.raises(StoreFailed):
            journal.settle(cosigned(journal), journal.size)
        assert (journal.settled, journal.newest_note()) == (2, first)
        assert not journal.current._db.in_transaction
        tap(journal)
        second = settle(journal)
        assert (journal.settled, journal.newest_note()) == (4, second)


def test_a_full_disk_at_the_start_puts_nothing_aside(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for _ in range(3):
            tap(journal)
        origin = journal.origin
    with full_disk(), pytest.raises(StoreFailed):
        a_journal(tmp_path).open(a_clock()())
    assert not list(tmp_path.glob("*.damaged"))
    with opened(tmp_path) as journal:
        assert (journal.origin, journal.size) == (origin, 4)


def test_a_file_in_the_way_is_an_error_that_names_it(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        boot(journal)
        path = journal.current.path
    path.unlink()
    path.mkdir()
    with pytest.raises(StoreFailed, match=path.name):
        a_journal(tmp_path).open(a_clock()())


def opened_copy(directory: Path) -> AbstractContextManager[Journal]:
    """The journal as a power cut right now would leave it: a copy of its files."""
    copied = directory.with_name(directory.name + "-copy")
    copied.mkdir(exist_ok=True)
    for path in directory.iterdir():
        if not path.name.endswith("-shm"):
            (copied / path.name).write_bytes(path.read_bytes())
    return opened(copied, seed=9)


def test_two_writers_never_overwrite_each_other_and_leave_no_transaction(tmp_path: Path) -> None:
    """The lock of a state folder keeps it from happening; the file itself refuses it too."""
    with opened(tmp_path) as first, opened(tmp_path) as second:
        tap(first)
        note = settle(first)
        before = everything(first)
        with pytest.raises(StoreFailed, match="UNIQUE"):
            second.current.append(b"{}", None, note_digest(note))
        assert not second.current._db.in_transaction
        assert everything(first) == before
        tap(first)
        second.current.reload()
        assert second.size == first.size


def test_after_a_refusal_the_journal_believes_the_file_not_its_memory(tmp_path: Path) -> None:
    """A write may be done and not acknowledged; here somebody else's stands for it."""
    with opened(tmp_path) as first, opened(tmp_path) as second:
        tap(first)
        with pytest.raises(StoreFailed):
            tap(second)
        assert (second.size, second.root(2)) == (first.size, first.root(2))
        tap(second)
        assert [entry.seq for entry in decoded(second)] == [0, 1, 2]
