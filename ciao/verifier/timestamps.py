"""Edge: `timestamps/`: what an outside authority stamped, held to the checkpoints that lie here.

A stamp says that a list of checkpoints existed at a moment. So a checkpoint on it that ought to be
here and is not was kept back, or another history took its place; and none of them can have been
cosigned later than it was stamped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from ciao import notes
from ciao.evidence import lines, stamped
from ciao.evidence.lines import EarlierLine, LineBroken, NoteLine, SegmentLine
from ciao.evidence.stamped import DocumentBroken
from ciao.notes import NoteBroken
from ciao.verifier.findings import Findings, Stamped, at
from ciao.verifier.policy import Policy

# Cosignatures are in whole seconds; two clocks that are right may differ by this.
TOLERANCE = timedelta(seconds=2)


class Timestamps:
    """Looks at each file of the folder; what the checkpoints say is read once, when first asked."""

    def __init__(self) -> None:
        self._ranges: dict[str, range] | None = None
        self._moments: dict[str, int | None] = {}
        self._stamped: list[tuple[datetime, int]] = []

    def confirmed(self) -> Stamped | None:
        """Return what is confirmed, once all files were looked at."""
        if not self._stamped:
            return None
        times = sorted(when for when, _ in self._stamped)
        known = sum(number for _, number in self._stamped)
        return Stamped(times[0], times[-1], len(times), known)

    def look(self, folder: Path, name: str, policy: Policy, findings: Findings) -> None:
        """Look at a document and its reply; the reply is looked at with its document."""
        try:
            from ciao import timestamps  # noqa: PLC0415
        except ImportError:
            # A small installation checks no time stamps.
            findings.unknown("attachment", at("file", file=name))
            return
        document = folder / name
        if name.endswith(stamped.REPLY):
            if not document.with_suffix(stamped.DOCUMENT).is_file():
                findings.fail("stamp_form", at("file", file=name))
            return
        try:
            content = _bounded(document, stamped.DOCUMENT_SIZE_MAX)
            listed = stamped.decode(content)
            reply = _bounded(document.with_suffix(stamped.REPLY), timestamps.REPLY_SIZE_MAX)
        except (OSError, DocumentBroken):
            findings.fail("stamp_form", at("file", file=name))
            return
        if not policy.tsa:
            findings.unknown("stamp_untrusted", at("file", file=name))
            return
        try:
            stamp = timestamps.read(reply, content, policy.tsa)
        except timestamps.NotStamped as error:
            findings.fail("stamp", at("file_error", file=name, error=str(error)))
            return
        ranges = self._load(folder, policy)
        latest_s = (stamp.at + stamp.accuracy + TOLERANCE).timestamp()
        for one in listed.checkpoints:
            if one.sha256 in self._moments:
                moment = self._moments[one.sha256]
                if moment is not None and moment > latest_s:
                    findings.fail("stamp_time", at("size", origin=one.origin, size=one.size))
            elif one.size in ranges.get(one.origin, ()):
                findings.fail("stamp_note", at("size", origin=one.origin, size=one.size))
        known = sum(one.sha256 in self._moments for one in listed.checkpoints)
        self._stamped.append((stamp.at, known))

    def _load(self, folder: Path, policy: Policy) -> dict[str, range]:
        """Read the sizes that ought to be here, and when the stamped ones were cosigned."""
        if self._ranges is not None:
            return self._ranges
        wanted = set(_stamped(folder))
        self._ranges = {}
        if not (folder / lines.CHECKPOINTS).is_file():
            return self._ranges
        with (folder / lines.CHECKPOINTS).open("rb") as file:
            while line := file.readline(lines.LINE_SIZE_MAX):
                try:
                    found = lines.read_checkpoint(line)
                except LineBroken:
                    continue
                if isinstance(found, SegmentLine):
                    self._ranges[found.origin] = range(max(found.first, 1), found.end + 1)
                elif isinstance(found, NoteLine | EarlierLine):
                    digest = hashlib.sha256(found.note.encode()).hexdigest()
                    if digest in wanted:
                        self._moments[digest] = _moment(found.note, policy)
        return self._ranges


def _stamped(folder: Path) -> Iterator[str]:
    """Name every checkpoint that is on a list, so that only these are remembered."""
    for path in sorted((folder / stamped.FOLDER).glob(f"*{stamped.DOCUMENT}")):
        try:
            listed = stamped.decode(_bounded(path, stamped.DOCUMENT_SIZE_MAX))
        except (OSError, DocumentBroken):
            continue
        yield from (one.sha256 for one in listed.checkpoints)


def _moment(note: str, policy: Policy) -> int | None:
    try:
        return policy.moment(policy.times(notes.parse(note)))
    except NoteBroken:
        return None


def _bounded(path: Path, size_max: int) -> bytes:
    if not path.is_file():
        raise OSError(f"{path} is no file: a pipe would be waited for")
    with path.open("rb") as file:
        return file.read(size_max + 1)
