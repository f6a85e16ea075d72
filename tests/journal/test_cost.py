"""The thousandth entry costs what the tenth did: counted in steps of SQLite's machine."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ciao.journal import Journal
from ciao.journal.files import CACHE_KIB
from ciao.journal.store import SegmentStore
from tests.journal.making import a_clock, a_journal, opened, tap


def steps_of(db: sqlite3.Connection, journal: Journal) -> int:
    """The virtual machine's steps for one append."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    db.set_progress_handler(count, 1)
    tap(journal)
    db.set_progress_handler(None, 1)
    return steps


def test_an_append_costs_the_same_however_long_the_journal(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        db = journal.current._db
        early = [steps_of(db, journal) for _ in range(20)]
        db.execute("PRAGMA synchronous = OFF")
        for _ in range(2000):
            tap(journal)
        late = [steps_of(db, journal) for _ in range(20)]
    assert max(late) <= max(early)


def test_memory_does_not_grow_with_the_pages_that_were_touched(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        (kept,) = journal.current._db.execute("PRAGMA cache_size").fetchone()
    assert kept == -CACHE_KIB


def test_reopening_costs_a_read_a_bit_of_the_size(tmp_path: Path) -> None:
    """A few steps more each time the size doubles; never one a row."""
    costs = {}
    with opened(tmp_path) as journal:
        journal.current._db.execute("PRAGMA synchronous = OFF")
        for size in (255, 2047):
            while journal.size < size:
                tap(journal)
            journal.current._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            costs[size] = steps_to_open(journal.current.path)
    per_doubling = (costs[2047] - costs[255]) / 3
    assert per_doubling <= 40
    assert costs[2047] < 1000


def steps_to_open(path: Path) -> int:
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    db.set_progress_handler(count, 1)
    SegmentStore(path, db)
    db.close()
    return steps


def test_sending_reads_only_what_is_sent(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    journal.open(a_clock()())
    for _ in range(300):
        tap(journal)
    db, steps = journal.current._db, 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    db.set_progress_handler(count, 1)
    assert len(list(journal.rows(280, 285))) == 5
    db.set_progress_handler(None, 1)
    journal.close()
    assert steps < 100
