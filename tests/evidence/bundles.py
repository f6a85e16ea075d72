"""Bundles in memory and on disk, honest and altered: what the mutation suite works with."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from ciao import binding
from ciao.evidence import facts, lines, table, titles, writer
from ciao.evidence.facts import Facts
from ciao.evidence.lines import CheckpointLine, DeletionLine, Manifest, Row
from ciao.evidence.writer import Asked
from ciao.journal.store import Row as Stored
from ciao.reading import parse_rfc3339
from ciao.verifier.findings import Findings
from ciao.verifier.policy import Policy
from ciao.verifier.verify import Demand, Terminal, verify
from ciao.verifier.words import Speech
from tests.evidence.making import START, Twin, policy

NOBODY = Demand()


def asked(
    twin: Twin, start: datetime = START, end: datetime | None = None, **more: object
) -> Asked:
    last = end or twin.now
    return Asked(start, last, twin.now, "gateway", "en", **more)  # type: ignore[arg-type]


def disclosed(_: str, found: Facts, row: Stored) -> tuple[str | None, None]:
    """Open what a twin sealed (a `ciao.evidence.writer.Disclose`)."""
    return (row.payload.removeprefix(b"sealed ").decode() if row.payload else None), None


def write(twin: Twin, folder: Path, how: Asked | None = None) -> Manifest:
    """Export as the commands do."""
    bundle = writer.begin(folder, how or asked(twin))
    bundle.add_terminals([twin.terminal])
    return bundle.finish()


@dataclass(slots=True)
class Memory:
    """A bundle in memory (a `ciao.verifier.verify.Lines`), made to be altered."""

    manifest: Manifest
    said: list[CheckpointLine]
    entries: list[Row]
    notes: list[tuple[str, str]]
    links: list[str] = field(default_factory=list)
    shown: list[str] | None = None
    gone: list[DeletionLine] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> Memory:
        """Read what was written."""
        checkpoints = (folder / lines.CHECKPOINTS).read_bytes().splitlines(keepends=True)
        rows = (folder / lines.ROWS).read_bytes().split(b"\n")[:-1]
        bindings = sorted((folder / lines.BINDINGS).glob("*.note"))
        deletions = folder / lines.DELETIONS
        gone = deletions.read_bytes().splitlines(keepends=True) if deletions.exists() else []
        return cls(
            lines.read_manifest((folder / lines.MANIFEST).read_bytes()),
            [lines.read_checkpoint(line) for line in checkpoints],
            [lines.read_row(line + b"\n") for line in rows],
            [(path.name, path.read_text()) for path in bindings],
            gone=[lines.read_deletion(line) for line in gone],
        )

    def copy(self) -> Memory:
        return copy.copy(self)._with_lists()

    def _with_lists(self) -> Memory:
        self.said, self.entries = list(self.said), list(self.entries)
        self.notes, self.links = list(self.notes), list(self.links)
        self.gone = list(self.gone)
        return self

    def bindings(self) -> Iterator[tuple[str, str]]:
        return iter(self.notes)

    def succession(self) -> list[str]:
        return self.links

    def deletions(self) -> Iterator[DeletionLine]:
        return iter(self.gone)

    def checkpoints(self) -> Iterator[CheckpointLine]:
        return iter(self.said)

    def rows(self) -> Iterator[Row]:
        return iter(self.entries)

    def original(self, origin: str, seq: int) -> Row | None:
        return next((r for r in self.entries if (r.origin, r.seq) == (origin, seq)), None)

    def table(self) -> Iterator[str]:
        """A careful attacker makes the table again, from whatever the rows say now."""
        return iter(self.made_table() if self.shown is None else self.shown)

    def made_table(self) -> list[str]:
        opened = [binding.read_unverified(note) for _, note in self.notes]
        sites = {one.sha256: one.binding.site.name for one in opened}
        asked = self.manifest.asked
        period = parse_rfc3339(asked.start), parse_rfc3339(asked.end)
        made = [table.MARK + table.line(titles.titles(self.manifest.lang))]
        for row in self.entries:
            try:
                found = facts.read(row.leaf.encode())
            except ValueError:
                continue
            if table.belongs(found, *period):
                made.append(table.line(table.cells(row.origin, found, sites)))
        return made

    def verified(
        self, whom: Policy | None = None, demand: Demand = NOBODY
    ) -> tuple[Findings, dict[str, Terminal]]:
        findings = Findings()
        terminals = verify(self, whom or policy(), demand, findings)
        # Whatever a test finds can be put into words.
        for found in (*findings.failures.values(), *findings.unknowns.values()):
            assert all(Speech("fr").place(place) for place in found.places)
        return findings, terminals

    def failures(self, whom: Policy | None = None, demand: Demand = NOBODY) -> set[str]:
        return set(self.verified(whom, demand)[0].failures)


def rebuilt(folder: Path, files: Sequence[str] = ()) -> None:
    """Make the manifest fit whatever lies in the folder, as a careful attacker does."""
    manifest = lines.read_manifest((folder / lines.MANIFEST).read_bytes())
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != lines.MANIFEST:
            content = path.read_bytes()
            found[name] = lines.FileName(len(content), hashlib.sha256(content).hexdigest())
    changed = msgspec.structs.replace(manifest, files=found)
    (folder / lines.MANIFEST).write_bytes(lines.encode(changed))


def soon(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)
