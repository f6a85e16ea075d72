"""The verdict in plain sentences, and the same for programs. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ciao.evidence.lines import Manifest
from ciao.evidence.table import seen
from ciao.moments import shown_text
from ciao.names import GATEWAY_PREFIX
from ciao.verifier.findings import Finding, Findings
from ciao.verifier.verify import Terminal


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a verification."""

    sha256: str
    manifest: Manifest
    terminals: Mapping[str, Terminal]
    findings: Findings


def lines(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """Yield (style, line): style is `head`, `holds`, `fails`, `unknown` or `place`."""
    found = verdict.findings
    yield "head", f"Bundle {verdict.sha256}"
    yield "head", _asked(verdict.manifest)
    if found.whole:
        for line in _holds(verdict):
            yield "holds", line
    for finding in found.failures.values():
        yield "fails", _counted(finding)
        yield from _places(finding)
    for finding in found.unknowns.values():
        yield "unknown", _counted(finding)
        yield from _places(finding)
    if found.whole:
        yield "head", "Everything that this bundle says holds, within what can be known."
    else:
        yield "head", "THIS BUNDLE DOES NOT HOLD. Nothing in it should be relied on."


def _asked(manifest: Manifest) -> str:
    where = f"{seen(manifest.site)}, " if manifest.site else ""
    start, end = shown_text(manifest.asked.start), shown_text(manifest.asked.end)
    return f"{where}{start} to {end}, as the {manifest.made_by} has it"


def _holds(verdict: Verdict) -> Iterator[str]:
    for one in verdict.terminals.values():
        name, end = one.stretch.terminal, one.stretch.end
        until = "not known to be whole"
        if end:
            until = f"complete from {shown_text(one.stretch.start)} up to {shown_text(end)}"
        yield f"{name}: {one.entries:,} entries of {one.logs} {_plural('log', one.logs)}, {until}."
        counts = one.stamps.counted
        if name.startswith(GATEWAY_PREFIX):
            yield f"{name}: its own journal."
            yield from _cosigned(one)
            continue
        yield (
            f"{name}: {counts['in']:,} stamps IN, {counts['out']:,} OUT, {counts['refused']:,}"
            f" refused, {counts['outage_begin']:,} outages begun; each as it was written, none"
            " added, none left out."
        )
        for site, number in sorted(one.stamps.sites.items()):
            yield f"{name}: {number:,} {_plural('stamp', number)} under a declaration for" + (
                f" {seen(site)}, in force by the employer's own signature."
            )
        if counts["disclosed"]:
            yield f"{name}: {counts['disclosed']:,} badges are disclosed, each as it was sealed."
        yield from _cosigned(one)
    yield from verdict.findings.confirmed


def _cosigned(one: Terminal) -> Iterator[str]:
    for name, (first, last) in sorted(one.cosigners.items()):
        yield f"{one.stretch.terminal}: cosigned by {name} from {_at(first)} to {_at(last)}."


def _at(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _plural(word: str, number: int) -> str:
    return word if number == 1 else word + "s"


def _counted(finding: Finding) -> str:
    return finding.sentence + (f" ({finding.count:,} times)" if finding.count > 1 else "")


def _places(finding: Finding) -> Iterator[tuple[str, str]]:
    for place in finding.places:
        yield "place", seen(place)
    if finding.places and finding.count > len(finding.places):
        yield "place", f"… and {finding.count - len(finding.places):,} more"


def as_json(verdict: Verdict) -> dict[str, Any]:
    """Return the verdict for programs; the codes are those of docs/protocol/evidence.md."""
    return {
        "bundle": verdict.sha256,
        "holds": verdict.findings.whole,
        "fails": _findings(verdict.findings.failures),
        "unknown": _findings(verdict.findings.unknowns),
        "terminals": [_terminal(one) for one in verdict.terminals.values()],
    }


def _findings(found: Mapping[str, Finding]) -> list[dict[str, Any]]:
    return [
        {"code": f.code, "sentence": f.sentence, "count": f.count, "places": f.places}
        for f in found.values()
    ]


def _terminal(one: Terminal) -> dict[str, Any]:
    return {
        "terminal": one.stretch.terminal,
        "complete_from": one.stretch.start,
        "complete_to": one.stretch.end,
        "entries": one.entries,
        "logs": one.logs,
        "counted": dict(Counter(one.stamps.counted)),
        "cosigners": {
            name: {"first": _at(first), "last": _at(last)}
            for name, (first, last) in sorted(one.cosigners.items())
        },
        "silent_ms": one.gaps.silent_ms,
    }
