"""The whole verification, in the order in which trust is built: files, keys, logs, table. Pure.

What it is given is read once, line by line: time is linear in it, and memory does not grow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ciao.evidence import lines, table, titles
from ciao.evidence.lines import CheckpointLine, DeletionLine, Manifest, Row, SegmentLine, Stretch
from ciao.names import GATEWAY_PREFIX, Origin
from ciao.reading import parse_rfc3339
from ciao.verifier.ahead import Ahead
from ciao.verifier.chain import Chain
from ciao.verifier.deletions import Deletions
from ciao.verifier.deletions import read as read_deletions
from ciao.verifier.findings import Findings, Place, at, row_place
from ciao.verifier.gaps import Gaps
from ciao.verifier.policy import Policy
from ciao.verifier.seen import add_times
from ciao.verifier.segment import Passed, Segment
from ciao.verifier.stamps import Stamps
from ciao.verifier.trust import Trust, trust
from ciao.verifier.vouched import Vouched, compare, covers


class Lines(Protocol):
    """What is read of a bundle (`bundle.Bundle`)."""

    manifest: Manifest

    def bindings(self) -> Iterator[tuple[str, str]]: ...  # noqa: D102
    def succession(self) -> list[str]: ...  # noqa: D102
    def checkpoints(self) -> Iterator[CheckpointLine]: ...  # noqa: D102
    def rows(self) -> Iterator[Row]: ...  # noqa: D102
    def original(self, origin: str, seq: int) -> Row | None: ...  # noqa: D102
    def deletions(self) -> Iterator[DeletionLine]: ...  # noqa: D102
    def table(self) -> Iterator[str]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Demand:
    """The period that the inspector wants to see complete; None where the bundle's own will do."""

    start: datetime | None = None
    end: datetime | None = None


@dataclass(slots=True)
class Terminal:
    """What was found of one terminal."""

    stretch: Stretch
    chain: Chain
    stamps: Stamps
    gaps: Gaps
    vouched: Vouched
    entries: int = 0
    logs: int = 0
    cosigners: dict[str, tuple[int, int]] = field(default_factory=dict)


def verify(
    bundle: Lines, policy: Policy, demand: Demand, findings: Findings
) -> dict[str, Terminal]:
    """Verify everything that rows, checkpoints, bindings and table say; findings are said."""
    trusted = trust(policy.provisioning, bundle.succession(), bundle.bindings(), findings)
    deletions = read_deletions(bundle.deletions(), trusted, policy, findings)
    terminals = {
        stretch.terminal: _terminal(stretch, bundle, trusted, deletions, findings)
        for stretch in bundle.manifest.stretches
    }
    if len(terminals) < len(bundle.manifest.stretches):
        findings.fail("form", at("terminal_twice"))
    _demanded(bundle.manifest, demand, findings)
    shown = _Table(bundle, trusted, findings)
    checkpoints, rows = Ahead(bundle.checkpoints()), Ahead(bundle.rows())
    while (header := checkpoints.peek) is not None:
        checkpoints.take()
        if isinstance(header, SegmentLine) and header.origin in deletions.whole:
            findings.fail("not_deleted", at("log", origin=header.origin))
        if not isinstance(header, SegmentLine):
            findings.fail("form", at("no_log"))
            continue
        _log(header, checkpoints, rows, terminals, trusted, policy, findings, shown.passed)
    while (row := rows.peek) is not None:
        findings.fail("row_order", row_place(row))
        rows.take()
    for one in terminals.values():
        _close(one, terminals, policy, findings)
    if not any(name.startswith(GATEWAY_PREFIX) for name in terminals):
        findings.unknown("no_journal")
    shown.close()
    return terminals


def _close(
    one: Terminal, terminals: dict[str, Terminal], policy: Policy, findings: Findings
) -> None:
    """Everything was read: say what is missing of a terminal."""
    name, gateway = one.stretch.terminal, one.stretch.terminal.startswith(GATEWAY_PREFIX)
    covered = covers((terminals[by].stretch for by in one.vouched.by), one.stretch)
    # Nobody tells of a gateway's own journal but its witnesses, where there are any.
    one.chain.close(covered or (gateway and not policy.journals))
    one.stamps.close()
    if not one.logs:
        findings.fail("fresh", at("terminal", terminal=name))
    if policy.journals and not gateway:
        if not covered:
            findings.fail("journal", at("terminal", terminal=name))
        elif one.vouched.beyond:
            findings.unknown("unnamed", at("count", terminal=name, count=one.vouched.beyond))


def _terminal(
    stretch: Stretch, bundle: Lines, trusted: Trust, deletions: Deletions, findings: Findings
) -> Terminal:
    # What a terminal says that it deleted is its own copy: of a gateway's its own journal speaks.
    gateways = deletions if bundle.manifest.made_by == "gateway" else None
    vouched = Vouched(findings)
    return Terminal(
        stretch,
        Chain(stretch, bundle.original, vouched, findings),
        Stamps(stretch.terminal, trusted, bundle.manifest.full, findings, gateways),
        Gaps(findings),
        vouched,
    )


def _log(
    header: SegmentLine,
    checkpoints: Ahead[CheckpointLine],
    rows: Ahead[Row],
    terminals: dict[str, Terminal],
    trusted: Trust,
    policy: Policy,
    findings: Findings,
    shown: Callable[[str, Passed], None],
) -> None:
    """Walk one log, for its terminal."""
    stretches = {name: (t.stretch.start, t.stretch.end) for name, t in terminals.items()}
    vouched = {name: t.vouched for name, t in terminals.items()}
    one = _whose(header.origin, terminals)
    key = trusted.log_key(header.origin, header.certificate)
    if one is None or key is None:
        code = "unlisted" if one is None else "certificate"
        findings.fail(code, at("log", origin=header.origin))
    elif header.origin in one.chain.ended:
        findings.fail("form", at("log_twice", origin=header.origin))
        key = None
    if one is None or key is None:
        _pass_over(header.origin, checkpoints, rows)
        return
    segment = Segment(header, key, policy, findings)
    segment.seen, segment.moment_before = one.vouched.add, one.chain.moment
    is_gateway = one.stretch.terminal.startswith(GATEWAY_PREFIX)
    one.logs += 1
    for passed in segment.walk(checkpoints, rows):
        one.entries += not passed.claimed
        one.chain.passed(passed)
        one.stamps.passed(passed)
        one.gaps.passed(passed)
        shown(header.origin, passed)
        if is_gateway:
            compare(passed, stretches, vouched)
    unseen = segment.witnessed < header.end or not segment.witnessed
    if is_gateway and policy.journals and unseen:
        code = "unwitnessed" if segment.witnessed else "witness"
        place = at("from_entry", origin=header.origin, seq=segment.witnessed)
        (findings.unknown if segment.witnessed else findings.fail)(code, place)
    one.chain.end(segment)
    add_times(one.cosigners, segment.cosigners)


def _whose(origin: str, terminals: dict[str, Terminal]) -> Terminal | None:
    try:
        return terminals.get(Origin.parse(origin).owner)
    except ValueError:
        return None


def _pass_over(origin: str, checkpoints: Ahead[CheckpointLine], rows: Ahead[Row]) -> None:
    """Nothing of a log counts whose key nobody certified."""
    while checkpoints.peek is not None and not isinstance(checkpoints.peek, SegmentLine):
        checkpoints.take()
    while rows.peek is not None and rows.peek.origin == origin:
        rows.take()


def _demanded(manifest: Manifest, demand: Demand, findings: Findings) -> None:
    """Hold what the bundle says of its completeness to what was asked for."""
    if not manifest.stretches:
        findings.fail("asked", at("no_terminal"))
    for stretch in manifest.stretches:
        name, start = stretch.terminal, parse_rfc3339(stretch.start)
        end = parse_rfc3339(stretch.end) if stretch.end else None
        if demand.start is not None and start > demand.start:
            findings.fail("asked", at("from", terminal=name, start=stretch.start))
        if demand.end is not None and (end is None or end < demand.end):
            findings.fail("asked", _end_of("until", stretch))
        if start > parse_rfc3339(manifest.asked.start):
            findings.unknown("not_begun", at("before", terminal=name, start=stretch.start))
        if end is None or end < parse_rfc3339(manifest.asked.end):
            findings.unknown("not_reached", _end_of("after", stretch))


def _end_of(kind: str, stretch: Stretch) -> Place:
    if stretch.end is None:
        return at("no_end", terminal=stretch.terminal)
    return at(kind, terminal=stretch.terminal, end=stretch.end)


class _Table:
    """`report.csv`, compared line by line with what the rows say."""

    def __init__(self, bundle: Lines, trusted: Trust, findings: Findings) -> None:
        self._lines = Ahead(bundle.table())
        asked = bundle.manifest.asked
        self._period = parse_rfc3339(asked.start), parse_rfc3339(asked.end)
        self._sites = {sha: signed.binding.site.name for sha, signed in trusted.bindings.items()}
        self._findings = findings
        self._number = 0
        self._expect(table.MARK + table.line(titles.titles(bundle.manifest.lang)))

    def passed(self, origin: str, one: Passed) -> None:
        """The next entry of the rows."""
        if table.belongs(one.facts, *self._period):
            self._expect(table.line(table.cells(origin, one.facts, self._sites)))

    def close(self) -> None:
        """There is no line more than the rows have."""
        if self._lines.peek is not None and self._findings.whole:
            self._findings.fail("table", at("line", file=lines.TABLE, line=self._number + 1))

    def _expect(self, expected: str) -> None:
        self._number += 1
        if self._lines.peek != expected:
            self._findings.fail("table", at("line", file=lines.TABLE, line=self._number))
        self._lines.take()
