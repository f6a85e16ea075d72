"""The verdict in plain sentences of a language, and as values for programs. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ciao.evidence.lines import Manifest
from ciao.evidence.table import seen
from ciao.moments import shown, shown_text
from ciao.names import GATEWAY_PREFIX
from ciao.texts import N_, translations
from ciao.verifier.findings import Finding, Findings, Place, Stamped
from ciao.verifier.sentences import FAILS, PLACES, UNKNOWN
from ciao.verifier.verify import Terminal

MARKS = {"holds": N_("holds"), "fails": N_("FAILS"), "unknown": N_("unknown")}
# What of a place is a moment, and shown as people read it.
_MOMENTS = frozenset({"start", "end", "when"})
# Between thousands: French takes a space that is not broken.
_THOUSANDS = {"en": ",", "fr": "\N{NARROW NO-BREAK SPACE}"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a verification."""

    sha256: str
    manifest: Manifest
    terminals: Mapping[str, Terminal]
    findings: Findings
    stamped: Stamped | None = None


class Speech:
    """The texts in a language, with what they name filled in, and its numbers."""

    def __init__(self, language: str) -> None:
        self._texts = translations("ciao", language)
        self._thousands = _THOUSANDS.get(language, ".")

    def gettext(self, text: str, **named: str | int) -> str:
        """Say a text."""
        return self._texts.gettext(text).format(**named)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Say a text of a count."""
        return self._texts.ngettext(one, many, count).format(count=self.number(count))

    def number(self, number: int) -> str:
        """Write a number."""
        return f"{number:,}".replace(",", self._thousands)

    def place(self, place: Place) -> str:
        """Say where something was found."""
        said = {k: shown_text(str(v)) if k in _MOMENTS else v for k, v in place.said.items()}
        return self.gettext(PLACES[place.kind], **said)


def lines(verdict: Verdict, speech: Speech) -> Iterator[tuple[str, str]]:
    """Yield (style, line): style is `head`, `holds`, `fails`, `unknown` or `place`."""
    _, found = speech.gettext, verdict.findings
    yield "head", _("Bundle {sha256}", sha256=verdict.sha256)
    yield "head", _asked(verdict.manifest, speech)
    if found.whole:
        for one in verdict.terminals.values():
            for line in _holds(one, speech):
                yield "holds", _("{terminal}: {line}", terminal=one.stretch.terminal, line=line)
        if verdict.stamped is not None:
            yield "holds", _stamped(verdict.stamped, speech)
    for finding in found.failures.values():
        yield "fails", _counted(_(FAILS[finding.code]), finding, speech)
        yield from _places(finding, speech)
    for finding in found.unknowns.values():
        yield "unknown", _counted(_(UNKNOWN[finding.code]), finding, speech)
        yield from _places(finding, speech)
    if found.whole:
        yield "head", _("Everything that this bundle says holds, within what can be known.")
    else:
        yield "head", _("THIS BUNDLE DOES NOT HOLD. Nothing in it should be relied on.")


def _asked(manifest: Manifest, speech: Speech) -> str:
    _, made_by = speech.gettext, manifest.made_by
    where = f"{seen(manifest.site)}, " if manifest.site else ""
    start, end = shown_text(manifest.asked.start), shown_text(manifest.asked.end)
    if made_by == "gateway":
        return where + _("{start} to {end}, as the gateway has it", start=start, end=end)
    return where + _("{start} to {end}, as the terminal has it", start=start, end=end)


def _holds(one: Terminal, speech: Speech) -> Iterator[str]:
    _, counts = speech.gettext, one.stamps.counted
    until = _("not known to be whole")
    if one.stretch.end:
        start, end = shown_text(one.stretch.start), shown_text(one.stretch.end)
        until = _("complete from {start} up to {end}", start=start, end=end)
    entries = speech.ngettext("{count} entry", "{count} entries", one.entries)
    logs = speech.ngettext("of {count} log", "of {count} logs", one.logs)
    yield f"{entries} {logs}, {until}."
    if one.stretch.terminal.startswith(GATEWAY_PREFIX):
        yield _("its own journal.")
    else:
        said = (
            speech.ngettext("{count} stamp IN", "{count} stamps IN", counts["in"]),
            speech.ngettext("{count} OUT", "{count} OUT", counts["out"]),
            speech.ngettext("{count} refused", "{count} refused", counts["refused"]),
            speech.ngettext(
                "{count} outage begun", "{count} outages begun", counts["outage_begin"]
            ),
        )
        yield _(
            "{counts}; each as it was written, none added, none left out.", counts=", ".join(said)
        )
        for site, number in sorted(one.stamps.sites.items()):
            stamps = speech.ngettext("{count} stamp", "{count} stamps", number)
            yield _(
                "{stamps} under a declaration for {site}, in force by the employer's signature.",
                stamps=stamps,
                site=seen(site),
            )
        if counts["disclosed"]:
            yield speech.ngettext(
                "{count} badge is disclosed, as it was sealed.",
                "{count} badges are disclosed, each as it was sealed.",
                counts["disclosed"],
            )
    for name, (first, last) in sorted(one.cosigners.items()):
        since, until = _local(first), _local(last)
        yield _("cosigned by {name} from {since} to {until}.", name=name, since=since, until=until)


def _stamped(stamped: Stamped, speech: Speech) -> str:
    times = speech.ngettext("{count} time", "{count} times", stamped.stamps)
    known = speech.ngettext(
        "{count} checkpoint of this bundle existed by then",
        "{count} checkpoints of this bundle existed by then",
        stamped.known,
    )
    return speech.gettext(
        "An outside authority stamped {times}, from {first} to {last}: {known}.",
        times=times,
        first=shown(stamped.first),
        last=shown(stamped.last),
        known=known,
    )


def _local(seconds: int) -> str:
    return shown(datetime.fromtimestamp(seconds, UTC))


def _counted(sentence: str, finding: Finding, speech: Speech) -> str:
    if finding.count == 1:
        return sentence
    times = speech.ngettext("{count} time", "{count} times", finding.count)
    return f"{sentence} ({times})"


def _places(finding: Finding, speech: Speech) -> Iterator[tuple[str, str]]:
    for place in finding.places:
        yield "place", seen(speech.place(place))
    if finding.places and finding.count > len(finding.places):
        more = finding.count - len(finding.places)
        yield "place", speech.ngettext("… and {count} more", "… and {count} more", more)


def as_json(verdict: Verdict) -> dict[str, Any]:
    """Return the verdict for programs, the same in every language (docs/protocol/evidence.md)."""
    return {
        "bundle": verdict.sha256,
        "holds": verdict.findings.whole,
        "fails": _findings(verdict.findings.failures, FAILS),
        "unknown": _findings(verdict.findings.unknowns, UNKNOWN),
        "terminals": [_terminal(one) for one in verdict.terminals.values()],
    }


def _findings(found: Mapping[str, Finding], english: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "code": f.code,
            "sentence": english[f.code],
            "count": f.count,
            "places": [{"kind": place.kind, **place.said} for place in f.places],
        }
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


def _at(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
