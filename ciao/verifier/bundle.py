"""Edge: a bundle's folder, read and never written: files by their hashes, lines in order."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from ciao.errors import BadInput
from ciao.evidence import lines
from ciao.evidence.lines import LINE_SIZE_MAX, LineBroken, Manifest, Row
from ciao.notes import NOTE_SIZE_MAX
from ciao.verifier.findings import Findings, at

_CHUNK = 1 << 20
# One place of every so many rows is remembered, to find a row again.
_EVERY = 256
BINDINGS_MAX = 10_000


class Bundle:
    """An open bundle. What is wrong with its files is said as findings; the rest is read on."""

    def __init__(self, folder: Path, findings: Findings, progress: Callable[[int], None]) -> None:
        self.folder = folder
        self._findings = findings
        self._progress = progress
        self._places: dict[str, list[tuple[int, int]]] = defaultdict(list)
        content = self._whole(lines.MANIFEST, lines.MANIFEST_SIZE_MAX)
        if content is None:
            raise BadInput(f"there is no {lines.MANIFEST} in {folder}", "give a bundle's folder")
        self.sha256 = hashlib.sha256(content).hexdigest()
        try:
            self.manifest: Manifest = lines.read_manifest(content)
        except LineBroken as error:
            raise BadInput(
                f"{folder / lines.MANIFEST}: {error}", "the bundle is damaged"
            ) from error
        self._again: BinaryIO | None = None

    @property
    def size(self) -> int:
        """How many bytes the manifest names."""
        return sum(file.size for file in self.manifest.files.values())

    def check_files(self) -> None:
        """Hold every file to the manifest, and the manifest to every file."""
        named = self.manifest.files
        for name in (*lines.REQUIRED, *sorted(named)):
            if name in lines.REQUIRED and name not in named:
                self._findings.fail("file_missing", at("file", file=name))
        for name, known in sorted(named.items()):
            path = self.folder / name
            if not self._here(name):
                self._findings.fail("file_missing", at("file", file=name))
            elif (path.stat().st_size, self._digest(path)) != (known.size, known.sha256):
                self._findings.fail("file_altered", at("file", file=name))
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            folder = path.is_dir() and not path.is_symlink()
            if not folder and name != lines.MANIFEST and name not in named:
                self._findings.fail("file_unnamed", at("file", file=name))

    def attachments(self) -> list[str]:
        """List the files that are neither rows nor checkpoints nor what explains them."""
        own = {*lines.REQUIRED, lines.SUCCESSION, lines.DELETIONS}
        named = [name for name in self.manifest.files if name not in own]
        further = sorted(name for name in named if not name.startswith(lines.BINDINGS))
        # What is no file was said to be missing; whoever opened a pipe would wait for ever.
        return [name for name in further if self._here(name)]

    def bindings(self) -> Iterator[tuple[str, str]]:
        """Read each binding: its file's name, and the note."""
        names = sorted(n for n in self.manifest.files if n.startswith(lines.BINDINGS))
        if len(names) > BINDINGS_MAX:
            self._findings.fail("form", at("bindings", count=BINDINGS_MAX))
        for name in names[:BINDINGS_MAX]:
            text = None if name == lines.SUCCESSION else self._text(name)
            if text is not None:
                yield name.removeprefix(lines.BINDINGS), text

    def succession(self) -> list[str]:
        """Read the links from one provisioning key to the next, in order."""
        found: list[str] = []
        for _, line in self._lines(lines.SUCCESSION):
            try:
                found.append(lines.read_link(line).link)
            except LineBroken as error:
                self._findings.fail(
                    "form", at("file_error", file=lines.SUCCESSION, error=str(error))
                )
        return found

    def deletions(self) -> Iterator[lines.DeletionLine]:
        """Read `deletions.jsonl` line by line, where it is there."""
        for number, (_, line) in enumerate(self._lines(lines.DELETIONS), 1):
            try:
                yield lines.read_deletion(line)
            except LineBroken as error:
                self._findings.fail(
                    "form", at("line_error", file=lines.DELETIONS, line=number, error=str(error))
                )

    def checkpoints(self) -> Iterator[lines.CheckpointLine]:
        """Read `checkpoints.jsonl` line by line."""
        for number, (_, line) in enumerate(self._lines(lines.CHECKPOINTS), 1):
            try:
                yield lines.read_checkpoint(line)
            except LineBroken as error:
                self._findings.fail(
                    "form", at("line_error", file=lines.CHECKPOINTS, line=number, error=str(error))
                )

    def rows(self) -> Iterator[Row]:
        """Read `rows.jsonl` line by line."""
        for number, (place, line) in enumerate(self._lines(lines.ROWS), 1):
            try:
                row = lines.read_row(line)
            except LineBroken as error:
                self._findings.fail(
                    "form", at("line_error", file=lines.ROWS, line=number, error=str(error))
                )
                continue
            known = self._places[row.origin]
            if not known or row.seq >= known[-1][0] + _EVERY:
                known.append((row.seq, place))
            yield row

    def original(self, origin: str, seq: int) -> Row | None:
        """Read a row again that `rows` has passed; None where there was none."""
        known = self._places.get(origin, [])
        index = bisect_right(known, (seq, 1 << 62)) - 1
        if index < 0:
            return None
        if self._again is None:
            self._again = (self.folder / lines.ROWS).open("rb")
        self._again.seek(known[index][1])
        for _ in range(_EVERY):
            try:
                row = lines.read_row(self._again.readline(LINE_SIZE_MAX))
            except LineBroken:
                return None
            if row.origin != origin or row.seq > seq:
                return None
            if row.seq == seq:
                return row
        return None

    def table(self) -> Iterator[str]:
        """Read `report.csv` line by line, each with its end."""
        for _, line in self._lines(lines.TABLE):
            try:
                yield line.decode()
            except UnicodeDecodeError:
                yield ""

    def close(self) -> None:
        """Let the file go."""
        if self._again is not None:
            self._again.close()

    def _lines(self, name: str) -> Iterator[tuple[int, bytes]]:
        """Read lines with the place each begins at; a missing file has none."""
        if name not in self.manifest.files or not self._here(name):
            return
        place = 0
        with (self.folder / name).open("rb") as file:
            while line := file.readline(LINE_SIZE_MAX):
                yield place, line
                place += len(line)
                self._progress(len(line))

    def _digest(self, path: Path) -> str:
        with path.open("rb") as file:
            digest = hashlib.sha256()
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    def _text(self, name: str) -> str | None:
        content = self._whole(name, NOTE_SIZE_MAX)
        if content is None:
            self._findings.fail("form", at("file", file=name))
            return None
        try:
            return content.decode()
        except UnicodeDecodeError:
            self._findings.fail("form", at("file", file=name))
            return None

    def _here(self, name: str) -> bool:
        """Say whether a name is that of a file in the folder: no pipe, no link, no nonsense."""
        path = self.folder / name
        try:
            return _inside(name) and path.is_file() and not path.is_symlink()
        except OSError:
            return False

    def _whole(self, name: str, size_max: int) -> bytes | None:
        if not self._here(name):
            return None
        try:
            with (self.folder / name).open("rb") as file:
                content = file.read(size_max + 1)
        except OSError:
            return None
        return content if len(content) <= size_max else None


def _inside(name: str) -> bool:
    """Whether a name stays in the folder: no way up, no way out."""
    parts = name.split("/")
    return not {"\\", "\0"} & set(name) and not {"", ".", ".."} & set(parts)
