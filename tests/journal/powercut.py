"""A disk that remembers what was written and what was flushed, and what a power cut may leave.

Layer A of the durability tests: SQLite runs on a recording VFS (APSW); a crash image holds all
that was flushed, and any part of what was not: any subset, any order, torn at 512 bytes.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512
_SYNCS_ITS_FOLDER = (
    apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL
)


@dataclass(frozen=True)
class Write:
    """`file` is a number for each file that ever was: a name may be another's later."""

    file: int
    offset: int
    data: bytes


@dataclass(frozen=True)
class Truncate:
    file: int
    size: int


@dataclass(frozen=True)
class Sync:
    """Flush a file; with no file, the folder."""

    file: int | None


@dataclass(frozen=True)
class Create:
    name: str
    file: int


@dataclass(frozen=True)
class Delete:
    name: str


@dataclass(frozen=True)
class Acknowledged:
    """From here on somebody relies on it."""

    what: object


Op = Write | Truncate | Sync | Create | Delete | Acknowledged


class RecordingVfs(apsw.VFS):
    """SQLite's own unix VFS, writing down what passes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ops: list[Op] = []
        self.known: dict[str, int] = {}
        self._numbers = itertools.count()
        super().__init__(name, "unix")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        short = Path(path).name
        created = short not in self.known
        if created:
            self.known[short] = next(self._numbers)
            self.ops.append(Create(short, self.known[short]))
        # As the unix VFS does: the first flush of a new log flushes its folder, too.
        flush_folder = created and bool(flags[0] & _SYNCS_ITS_FOLDER)
        return RecordedFile(self.ops, self.known[short], flush_folder, name, flags)

    def xDelete(self, name: str, syncdir: bool) -> None:
        super().xDelete(name, syncdir)
        short = Path(name).name
        self.known.pop(short, None)
        self.ops.append(Delete(short))
        if syncdir:
            self.ops.append(Sync(None))


class RecordedFile(apsw.VFSFile):
    """One open file."""

    def __init__(
        self, ops: list[Op], file: int, flush_folder: bool, name: Any, flags: list[int]
    ) -> None:
        self._ops, self._file, self._flush_folder = ops, file, flush_folder
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        self._ops.append(Write(self._file, offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        super().xTruncate(size)
        self._ops.append(Truncate(self._file, size))

    def xSync(self, flags: int) -> None:
        self._ops.append(Sync(self._file))
        if self._flush_folder:
            self._flush_folder = False
            self._ops.append(Sync(None))


@dataclass(frozen=True)
class Answer:
    """What a lying connection says instead of what SQLite said."""

    row: tuple[object, ...]

    def fetchone(self) -> tuple[object, ...]:
        return self.row


# What the store asks for -> what is done instead, and what it is told.
Lies = dict[str, tuple[str, tuple[object, ...]]]


class RecordedConnection:
    """As much of `sqlite3.Connection` as the store uses, on APSW's SQLite and a recording VFS."""

    def __init__(self, path: Path, vfs: RecordingVfs, lies: Lies) -> None:
        self._db = apsw.Connection(str(path), vfs=vfs.name)
        self._lies = lies
        # So that checkpoints happen all the time, not after a thousand pages.
        self._db.execute("PRAGMA wal_autocheckpoint = 6")

    @property
    def in_transaction(self) -> bool:
        return self._db.in_transaction

    def execute(self, statement: str, values: Iterable[Any] = ()) -> Any:
        if statement in self._lies:
            instead, told = self._lies[statement]
            self._db.execute(instead).fetchall()
            return Answer(told)
        return self._db.execute(statement, tuple(values))

    def executemany(self, statement: str, rows: Iterable[Any]) -> Any:
        return self._db.executemany(statement, rows)

    def close(self) -> None:
        self._db.close()


@dataclass
class Medium:
    """What is on the medium for certain, and what may be, at one moment."""

    files: dict[int, bytearray] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    pending: list[Write | Truncate] = field(default_factory=list)
    pending_names: list[Create | Delete] = field(default_factory=list)
    flushes: bool = True

    def take(self, op: Op) -> None:
        """Go one operation further."""
        match op:
            case Write() | Truncate():
                self.pending.append(op)
            case Create() | Delete():
                self.pending_names.append(op)
            case Sync(None) if self.flushes:
                for change in self.pending_names:
                    self._rename(self.names, change)
                self.pending_names.clear()
            case Sync(file) if self.flushes:
                for change in self.pending:
                    if change.file == file:
                        apply(self.files, change)
                self.pending = [change for change in self.pending if change.file != file]

    def crash(self, rng: random.Random) -> dict[str, bytes]:
        """Cut the power: return the files that may be found afterwards."""
        files = {name: bytearray(content) for name, content in self.files.items()}
        names = dict(self.names)
        luck = rng.choice((0.0, 0.3, 0.7, 1.0))
        for name_change in self.pending_names:
            if rng.random() < luck or rng.random() < 0.3:
                self._rename(names, name_change)
        pending = list(self.pending)
        if rng.random() < 0.5:
            rng.shuffle(pending)
        for change in pending:
            if rng.random() < luck:
                for part in torn(change, rng):
                    apply(files, part)
        return {name: bytes(files.get(file, b"")) for name, file in names.items()}

    def _rename(self, names: dict[str, int], change: Create | Delete) -> None:
        if isinstance(change, Create):
            names[change.name] = change.file
        else:
            names.pop(change.name, None)


def apply(files: dict[int, bytearray], change: Write | Truncate) -> None:
    content = files.setdefault(change.file, bytearray())
    if isinstance(change, Truncate):
        del content[change.size :]
        return
    end = change.offset + len(change.data)
    content.extend(bytes(max(0, end - len(content))))
    content[change.offset : end] = change.data


def torn(change: Write | Truncate, rng: random.Random) -> list[Write | Truncate]:
    """Half the time a write arrives in part only: some of its sectors."""
    if isinstance(change, Truncate) or rng.random() < 0.5:
        return [change]
    first = change.offset // SECTOR * SECTOR
    parts: list[Write | Truncate] = []
    for sector in range(first, change.offset + len(change.data), SECTOR):
        start = max(sector, change.offset)
        data = change.data[start - change.offset : sector + SECTOR - change.offset]
        if rng.random() < 0.5:
            parts.append(Write(change.file, start, data))
    return parts


def crashes(
    ops: list[Op], rng: random.Random, each: Callable[[Op | None], int], flushes: bool = True
) -> Iterator[tuple[list[object], dict[str, bytes]]]:
    """Yield, for moments all along, what was acknowledged by then and what may be found.

    `each` says how many images to make right before an operation (None: at the end).
    """
    medium, known = Medium(flushes=flushes), list[object]()
    for op in [*ops, None]:
        for _ in range(each(op)):
            yield list(known), medium.crash(rng)
        if isinstance(op, Acknowledged):
            known.append(op.what)
        elif op is not None:
            medium.take(op)
