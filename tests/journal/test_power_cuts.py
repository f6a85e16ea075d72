"""A power cut at any moment loses nothing that was acknowledged; and this test would see it."""

from __future__ import annotations

import itertools
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from ciao import entries
from ciao.journal import Journal, Owner, StoreDamaged, StoreFailed
from ciao.journal.store import SegmentStore
from tests.journal.making import (
    DOMAIN,
    ENROLLED,
    TERMINAL,
    a_clock,
    a_journal,
    heartbeat,
    settle,
    tap,
)
from tests.journal.powercut import (
    Acknowledged,
    Create,
    Lies,
    Op,
    RecordedConnection,
    RecordingVfs,
    Sync,
    crashes,
)

_NUMBERS = itertools.count()
MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Promise:
    """An entry that a person was told of."""

    origin: str
    seq: int
    leaf: bytes
    payload: bytes | None


@contextmanager
def folder() -> Iterator[Path]:
    """A folder in memory where there is one: a thousand images are written and read."""
    made = Path(tempfile.mkdtemp(prefix="powercut-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        yield made
    finally:
        shutil.rmtree(made)


def a_working_day(directory: Path, lies: Lies, early: bool = False) -> list[Op]:
    """Run the production journal through all it does; return what its disk was told.

    `early`: acknowledge before the commit, as it must never be.
    """
    vfs = RecordingVfs(f"recording-{next(_NUMBERS)}")

    def connect(path: Path) -> sqlite3.Connection:
        return cast(sqlite3.Connection, RecordedConnection(path, vfs, lies))

    owner = Owner(DOMAIN, TERMINAL, ENROLLED)
    journal = Journal(directory, owner, random.Random(1).randbytes, "test", connect)

    def stamp(sealed: bytes) -> None:
        if early:
            vfs.ops.append(Acknowledged(Promise(journal.origin, journal.size, b"", sealed)))
            tap(journal, sealed)
        else:
            tap(journal, sealed)
            (row,) = journal.rows(journal.size - 1, journal.size)
            promise = Promise(journal.origin, row.seq, row.leaf, row.payload)
            vfs.ops.append(Acknowledged(promise))

    journal.open(a_clock()())
    for turn in range(4):
        for number in range(4):
            stamp(f"{turn} {number} ".encode() * (1 + 90 * (number % 2)))
        note = settle(journal, journal.size - turn)
        vfs.ops.append(Acknowledged((journal.origin, journal.settled)))
        heartbeat(journal, note)
        if turn == 1:
            journal.begin("rolled_back", a_clock()())
        if turn == 2:
            journal.close()
            assert journal.open(a_clock()()) is None
    journal.close()
    vfs.unregister()
    return vfs.ops


def often_where_it_hurts(times: int) -> Callable[[Op | None], int]:
    """Just before a flush, and just after an acknowledgement, more often than elsewhere."""
    after_acknowledgement = False

    def each(op: Op | None) -> int:
        nonlocal after_acknowledgement
        hurts = after_acknowledgement or op is None or isinstance(op, Sync | Create)
        after_acknowledgement = isinstance(op, Acknowledged)
        return times * 3 if hurts else times

    return each


def lost(known: list[object], image: dict[str, bytes], directory: Path) -> str | None:
    """Start the production journal on what a power cut left; say what is missing, if anything."""
    directory.mkdir()
    for name, content in image.items():
        (directory / name).write_bytes(content)
    journal = a_journal(directory, seed=99)
    try:
        why = journal.open(a_clock()())
        if why is not None and known:
            return f"a segment was begun: {why}"
        journal.check(0, journal.size)
        found = entries_in(directory)
    except StoreDamaged as error:
        return str(error)
    finally:
        journal.close()
        shutil.rmtree(directory)
    for promise in known:
        if isinstance(promise, Promise):
            row = found.get((promise.origin, promise.seq))
            if row is None or row[1] != promise.payload or promise.leaf not in (b"", row[0]):
                return f"entry {promise.seq} of {promise.origin} was promised"
    return None


def entries_in(directory: Path) -> dict[tuple[str, int], tuple[bytes, bytes | None]]:
    found = {}
    for path in directory.glob("*.db"):
        segment = SegmentStore.open(path)
        assert segment is not None
        for row in segment.rows(0, segment.size):
            assert entries.decode(row.leaf).seq == row.seq
            found[segment.origin, row.seq] = (row.leaf, row.payload)
        segment.close()
    return found


def losses(
    lies: Lies, times: int, early: bool = False, flushes: bool = True, until: int | None = None
) -> tuple[int, list[str]]:
    """Cut the power again and again; return how often, and what was lost each time."""
    with folder() as work:
        ops = a_working_day(work / "made", lies, early)
        found: list[str] = []
        count = 0
        for known, image in crashes(ops, random.Random(5), often_where_it_hurts(times), flushes):
            count += 1
            said = lost(known, image, work / str(count))
            found += [said] if said else []
            if until is not None and len(found) >= until:
                break
        return count, found


def test_no_power_cut_loses_what_was_acknowledged() -> None:
    count, found = losses({}, times=3)
    assert found == []
    assert count > 1000


WAL: Lies = {"PRAGMA journal_mode = WAL": ("PRAGMA journal_mode = DELETE", ("wal",))}


def synchronous(level: str) -> Lies:
    return {
        "PRAGMA synchronous = FULL": (f"PRAGMA synchronous = {level}", ()),
        "PRAGMA synchronous": ("PRAGMA synchronous", (2,)),
    }


@pytest.mark.parametrize(
    ("lies", "early", "flushes"),
    [
        pytest.param(synchronous("OFF"), False, True, id="synchronous OFF"),
        pytest.param(synchronous("NORMAL"), False, True, id="synchronous NORMAL"),
        pytest.param(WAL, False, True, id="DELETE and FULL, the default"),
        pytest.param({}, True, True, id="acknowledge before the commit"),
        pytest.param({}, False, False, id="a card that ignores flushes"),
    ],
)
def test_what_is_not_durable_is_caught(lies: Lies, early: bool, flushes: bool) -> None:
    _, found = losses(lies, times=3, early=early, flushes=flushes, until=1)
    assert found


def test_delete_mode_with_extra_would_do_as_well() -> None:
    """As DURABILITY says: so it is the mode that is caught above, not the model's mood."""
    _, found = losses(WAL | synchronous("EXTRA"), times=1)
    assert found == []


@pytest.mark.parametrize("pragma", ["PRAGMA synchronous", "PRAGMA journal_mode = WAL"])
def test_a_file_that_does_not_say_it_is_durable_is_not_used(pragma: str, tmp_path: Path) -> None:
    lies: Lies = {pragma: ("PRAGMA user_version", ("delete" if "WAL" in pragma else 1,))}
    with pytest.raises(StoreFailed, match="not durable"):
        a_working_day(tmp_path, lies)
