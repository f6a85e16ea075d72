"""Edge: writes a bundle into a folder, line by line; the manifest comes last.

A folder without a manifest is no bundle: what was interrupted can't be taken for whole.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from ciao import binding, notes
from ciao.entries import Heartbeat
from ciao.errors import BadInput
from ciao.evidence import facts, lines, plan, readme, table, titles
from ciao.evidence.facts import Facts
from ciao.evidence.lines import Manifest, Period, Stretch
from ciao.evidence.plan import Part
from ciao.evidence.source import Log, Terminal, head, in_order
from ciao.journal.retention import cosigned_at_s
from ciao.journal.store import KeptNote, Row
from ciao.names import GATEWAY_PREFIX
from ciao.reading import rfc3339
from ciao.tree import consistency_proof, frontier_at

# Returns what a badge said, and why it can't be disclosed where it can't.
Disclose = Callable[[str, Facts, Row], tuple[str | None, Literal["deleted", "lost"] | None]]
# Behind the end of a period, its last entries may still name what was cosigned.
_NAMED_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a bundle is made of; `disclose` only for a full one, `claims` for a terminal's own."""

    start: datetime
    end: datetime
    made_at: datetime
    made_by: Literal["gateway", "terminal"]
    lang: Literal["fr", "nl", "de", "en"]
    site: str | None = None
    claims: bool = False
    disclose: Disclose | None = None

    @property
    def period(self) -> Period:
        """The period as the manifest says it."""
        return Period(rfc3339(self.start), rfc3339(self.end))


class File:
    """A file being written, with its size and hash as it grows."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        self._file = path.open("wb")
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self._file.write(data)
        self._digest.update(data)
        self._size += len(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def named(self) -> lines.FileName:
        """Name what was written."""
        return lines.FileName(self._size, self._digest.hexdigest())


@dataclass(slots=True)
class Bundle:
    """A bundle being written; `add` further files (a report, time stamps) before `finish`."""

    folder: Path
    asked: Asked
    files: dict[str, lines.FileName] = field(default_factory=dict)
    stretches: list[Stretch] = field(default_factory=list)
    # Which rows of each log are in it: [first, end).
    parts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, name: str, content: bytes) -> None:
        """Write a whole file."""
        with File(self.folder / name) as file:
            file.write(content)
        self.files[name] = file.named()

    def add_terminals(
        self, terminals: Sequence[Terminal], progress: Callable[[int], None] = lambda _: None
    ) -> None:
        """Write the entries of terminals, their checkpoints, bindings and the table."""
        for one in terminals:
            self._add_bindings(one)
        # Links of several employers stand together: each is followed from its own key only.
        succession = dict.fromkeys(link for one in terminals for link in one.succession)
        if succession:
            links = [lines.encode(lines.LinkLine(link)) for link in succession]
            self.add(lines.SUCCESSION, b"".join(links))
        vouched = any(one.name.startswith(GATEWAY_PREFIX) for one in terminals)
        with ExitStack() as stack:
            names = (lines.ROWS, lines.CHECKPOINTS, lines.TABLE)
            files = {name: stack.enter_context(File(self.folder / name)) for name in names}
            title = table.MARK + table.line(titles.titles(self.asked.lang))
            files[lines.TABLE].write(title.encode())
            for one in terminals:
                asked = self.asked
                if one.since is not None and one.since > asked.end:
                    continue
                found = plan.parts(in_order(one.logs), asked.start, asked.end, claims=asked.claims)
                whole_from = None
                if not vouched:
                    found, whole_from = plan.unbroken(found)
                if found:
                    scribe = _Scribe(files, asked, _sites(one.bindings), progress)
                    for part in found:
                        scribe.write(part)
                        self.parts[part.log.origin] = (part.first, part.claimed)
                    self.stretches.append(self._stretch(one, whole_from, scribe.latest))
        self.files |= {name: file.named() for name, file in files.items()}
        self.add(lines.KEYS, _keys(terminals).encode())

    def finish(self) -> Manifest:
        """Write what explains it, and the manifest, which makes it a bundle."""
        asked = self.asked
        self.add(lines.README, readme.text(asked.lang).encode())
        manifest = Manifest(
            format="ciao-evidence/1",
            asked=asked.period,
            stretches=self.stretches,
            made_at=rfc3339(asked.made_at),
            made_by=asked.made_by,
            lang=asked.lang,
            full=asked.disclose is not None,
            files=self.files,
            site=asked.site,
        )
        (self.folder / lines.MANIFEST).write_bytes(lines.encode(manifest))
        return manifest

    def _stretch(
        self, terminal: Terminal, whole_from: datetime | None, latest: datetime | None
    ) -> Stretch:
        """Say between when a terminal's entries are complete: never later than its last one."""
        start = self.asked.start
        for since in (whole_from, terminal.since):
            if since is not None and since > start:
                start = since.astimezone(self.asked.start.tzinfo)
        if latest is None:
            return Stretch(terminal.name, rfc3339(start))
        end = max(start, min(latest, self.asked.end))
        return Stretch(terminal.name, rfc3339(start), rfc3339(end))

    def _add_bindings(self, terminal: Terminal) -> None:
        for note in terminal.bindings:
            self.add(f"{lines.BINDINGS}{binding.digest(note)}.note", note.encode())


@dataclass(slots=True)
class _Scribe:
    """Writes one terminal's logs; `latest` is the latest time that a believed clock said."""

    files: dict[str, File]
    asked: Asked
    sites: dict[str, str]
    progress: Callable[[int], None]
    latest: datetime | None = None
    _ends: dict[str, tuple[Log, int]] = field(default_factory=dict)

    def write(self, part: Part) -> None:
        """Write a part of a log: its checkpoints, its rows, their lines in the table."""
        log = part.log
        self._checkpoints(part)
        for row in log.rows(part.first, part.claimed):
            found = facts.read(row.leaf)
            self._row(log.origin, row, found)
            if row.seq < part.end and found.believed and found.carried is None:
                self.latest = max(self.latest or found.at, found.at)
            self.progress(1)
        self._ends[log.origin] = (log, part.end)

    def _checkpoints(self, part: Part) -> None:
        log, write = part.log, self.files[lines.CHECKPOINTS].write
        edge = [peak.hex() for peak in frontier_at(part.first, log.subtree).peaks]
        header = lines.SegmentLine(
            log.origin, log.certificate, part.first, part.end, edge, self._previous(part)
        )
        write(lines.encode(header))
        for note in _earlier(part):
            proof = consistency_proof(note.size, part.first, log.subtree)
            write(lines.encode(lines.EarlierLine(note.note, [one.hex() for one in proof])))
        for note in _of_its_time(log.notes(max(part.first, 1), part.end), self.asked.end):
            write(lines.encode(lines.NoteLine(note.note)))
        claim = log.claim() if part.claimed > part.end else None
        if claim is not None:
            write(lines.encode(lines.ClaimLine(claim)))

    def _previous(self, part: Part) -> list[str] | None:
        """Prove what entry 0 says of the log before, where that is in the bundle."""
        found = head(part.log) if part.first == 0 else None
        if found is None or found.previous is None or found.previous.origin not in self._ends:
            return None
        before, end = self._ends[found.previous.origin]
        if not 0 < found.previous.size <= end:
            return None
        proof = consistency_proof(found.previous.size, end, before.subtree)
        return [one.hex() for one in proof]

    def _row(self, origin: str, row: Row, found: Facts) -> None:
        opening, gone = None, None
        if self.asked.disclose is not None:
            opening, gone = self.asked.disclose(origin, found, row)
        line = lines.Row(origin, row.seq, row.leaf.decode(), opening, gone)
        self.files[lines.ROWS].write(lines.encode(line))
        if table.belongs(found, self.asked.start, self.asked.end):
            cells = table.cells(origin, found, self.sites)
            self.files[lines.TABLE].write(table.line(cells).encode())


def _of_its_time(notes: Iterable[KeptNote], end: datetime) -> Iterator[KeptNote]:
    """Leave out of two notes of one size the one that was cosigned long after the period.

    A gateway's next key cosigns anew what the one before did; nothing here names that, and a policy
    of before, which holds for this period, does not know that key.
    """
    latest_s = int((end + _NAMED_WITHIN).timestamp())
    for _, group in groupby(notes, lambda note: note.size):
        for number, note in enumerate(sorted(group, key=lambda one: cosigned_at_s(one.note))):
            if number == 0 or cosigned_at_s(note.note) <= latest_s:
                yield note


def begin(folder: Path, asked: Asked) -> Bundle:
    """Begin a bundle in a new or empty folder; raise BadInput."""
    if asked.end <= asked.start:
        raise BadInput("the period ends before it begins", "give --from before --to")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise BadInput(f"{folder} is not an empty folder", "give --out a new one")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"can't make {folder}: {error.strerror}", "give --out a new one") from error
    return Bundle(folder, asked)


def abandon(bundle: Bundle) -> None:
    """Take away what was begun: nobody should take it for a bundle."""
    shutil.rmtree(bundle.folder)


def _earlier(part: Part) -> Iterator[KeptNote]:
    """The notes of sizes before the first row that rows name before any that is in the rows."""
    if part.first == 0:
        return
    found = {}
    for row in part.log.rows(part.first, part.end):
        entry = facts.read(row.leaf).entry
        if isinstance(entry, Heartbeat) and entry.note is not None and not entry.carried:
            note = part.log.named(entry.note)
            if note is not None and note.size >= part.first:
                break
            if note is not None:
                found[note.note] = note
    yield from sorted(found.values(), key=lambda note: note.size)


def _sites(bindings: Sequence[str]) -> dict[str, str]:
    return {one.sha256: one.binding.site.name for one in map(binding.read_unverified, bindings)}


def _keys(terminals: Sequence[Terminal]) -> str:
    """Collect the keys that bindings name: for convenience, never trusted."""
    cosigners: dict[str, None] = {}
    signers: dict[str, None] = {}
    for terminal in terminals:
        for note in terminal.bindings:
            for signature in notes.parse(note).signatures:
                signers[f"# signed by {signature.name} {signature.key_id.hex()}"] = None
            for gateway in binding.read_unverified(note).binding.gateways:
                cosigners[f"witness gateway-{gateway.id} {gateway.cosigner}"] = None
    head_line = "# For convenience only. Get the keys that you trust from somewhere else.\n"
    return head_line + "".join(f"{line}\n" for line in (*cosigners, *signers))
