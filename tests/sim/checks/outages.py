"""What a terminal's journal calls an outage, against what really failed around it.

The truth is what was broken, when, and the cause that goes with it; journals are read as bytes, and
each entry is put at its true moment by its boot, whatever the wall clock said.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.sim.evidence import Evidence, Outside
from tests.sim.truth import Wrong

# On real networks the cause is there within 30 s, and the end (issue of tests/net); so here.
NAMED_MS = 30_000
ENDED_MS = 30_000
# A session comes back some time after the line; a start looks around first.
RECOVERY_MS = 6_000
# What was wrong so long ago may still be told of: it has to be well for 12 s before it ends.
REMEMBERED_MS = 25_000
# What takes an outage back: so long it was well.
WELL_MS = 12_000
# Between a moment, and the step that sees it.
SLACK_MS = 1_500
# From a gateway's start to when a terminal hears that it is there.
HEARD_MS = 8_000
# From the gateway's leaving to when a terminal hears of it.
_NEVER_MS = 10**12


@dataclass(frozen=True, slots=True)
class Told:
    """One outage entry of a terminal, at its true moment."""

    at_ms: int
    said: Mapping[str, Any]

    def moment_ms(self, field: str) -> int:
        """Put a time that it names at its true moment."""
        at, named = (datetime.fromisoformat(self.said[name]) for name in ("at", field))
        return self.at_ms + round((named - at).total_seconds() * 1000)


@dataclass(frozen=True, slots=True)
class Watching:
    """A terminal whose journal can be judged: what it told, and what was wrong around it."""

    name: str
    told: list[Told]
    wrong: list[Wrong]
    outside: Outside

    def awake(self, from_ms: int, until_ms: int) -> bool:
        """Say whether it ran, and could write, all that time."""
        lives = self.outside.lives[self.name]
        ran = any(began <= from_ms and until_ms <= ended for began, ended in lives)
        return ran and not self.was_full(from_ms, until_ms)

    def was_full(self, from_ms: int, until_ms: int) -> bool:
        """Say whether its disk said no in a time, and may have written all the same."""
        full = self.outside.full.get(self.name, ())
        return any(began < until_ms and ended > from_ms for began, ended in full)

    def wrongs(self, from_ms: int, until_ms: int, affected: str = "submit") -> list[Wrong]:
        """List what was wrong in a time."""
        return [
            one
            for one in self.wrong
            if one.affected == affected and one.from_ms < until_ms and one.until_ms > from_ms
        ]

    def open_at(self, at_ms: int, affected: str) -> str | None:
        """Return the cause that its journal has in force at a moment."""
        cause = None
        for told in self.told:
            if told.at_ms <= at_ms and told.said["affected"] == affected:
                cause = None if told.said["kind"] == "outage_end" else told.said["cause"]
        return cause


def watching(evidence: Evidence) -> Iterator[Watching]:
    """List the terminals whose journal is whole."""
    outside = evidence.outside
    absent = list(_absent(outside))
    for name in outside.lives:
        if name == outside.gateway or name in outside.unclear:
            continue
        told = []
        for segment in evidence.segments:
            if segment.terminal == name:
                told += [_told(outside, leaf) for leaf in segment.leaves if b'"outage_' in leaf]
        wrong = [one for one in outside.wrong if one.host == name]
        known = [one for one in told if one is not None]
        yield Watching(name, sorted(known, key=lambda one: one.at_ms), wrong + absent, outside)


def _told(outside: Outside, leaf: bytes) -> Told | None:
    said = json.loads(leaf)
    if said["kind"] not in ("outage_begin", "outage_update", "outage_end"):
        return None
    return Told(outside.boots[said["boot"]] + said["up_ms"], said)


def _absent(outside: Outside) -> Iterator[Wrong]:
    """List when no gateway was there, for any terminal."""
    lives = sorted(outside.lives[outside.gateway])
    before = [0, *(ended for _, ended in lives)]
    after = [*(began for began, _ in lives), outside.end_ms]
    for from_ms, until_ms in zip(before, after, strict=True):
        yield Wrong("", "gateway_down", "submit", from_ms, until_ms + HEARD_MS)
    for one in outside.wrong:
        if one.host == outside.gateway:
            yield Wrong("", "gateway_down", "submit", one.from_ms, one.until_ms + HEARD_MS)
    for from_ms, until_ms in outside.full.get(outside.gateway, ()):
        yield Wrong("", "gateway_down", "submit", from_ms, until_ms + HEARD_MS)


def a_fault_is_named(evidence: Evidence) -> Iterator[str]:
    """What fails alone for 30 s is an outage by then, with its cause."""
    for one in watching(evidence):
        for wrong in one.wrong:
            by_ms = wrong.from_ms + NAMED_MS
            if wrong.affected != "submit" or by_ms > wrong.until_ms or not wrong.host:
                continue
            others = one.wrongs(wrong.from_ms - REMEMBERED_MS, by_ms)
            if others != [wrong] or not one.awake(wrong.from_ms - RECOVERY_MS, by_ms):
                continue
            if evidence.outside.lossy and wrong.cause == "clock_untrusted":
                continue
            found = one.open_at(by_ms, "submit")
            if found != wrong.cause:
                yield f"{one.name}: {wrong} is called {found} at {by_ms} ms; {_list(one)}"


def an_outage_ends(evidence: Evidence) -> Iterator[str]:
    """What has been well for 30 s is no outage any more."""
    for one in watching(evidence):
        for wrong in one.wrong:
            by_ms = wrong.until_ms + ENDED_MS
            if evidence.outside.lossy or by_ms > evidence.outside.end_ms:
                continue
            if one.wrongs(wrong.until_ms, by_ms) or not one.awake(wrong.until_ms, by_ms):
                continue
            found = one.open_at(by_ms, "submit")
            if found:
                yield f"{one.name}: {wrong} is over, and still {found} at {by_ms} ms; {_list(one)}"


def a_power_cut_is_told_by_the_next_start(evidence: Evidence) -> Iterator[str]:
    """Whoever had no power says so when he is back: since when, and that nobody knows why."""
    for one in watching(evidence):
        for wrong in one.wrong:
            back_ms, by_ms = wrong.until_ms, wrong.until_ms + RECOVERY_MS
            if wrong.affected != "register" or not one.awake(back_ms, by_ms):
                continue
            if not one.awake(wrong.from_ms - RECOVERY_MS, wrong.from_ms):
                continue
            found = [
                told
                for told in one.told
                if back_ms <= told.at_ms <= by_ms and told.said["kind"] == "outage_begin"
            ]
            causes = {told.said["cause"] for told in found if told.said["affected"] == "register"}
            if causes != {wrong.cause}:
                yield f"{one.name}: {wrong} is told as {causes}; {_list(one)}"


def only_what_failed_is_blamed(evidence: Evidence) -> Iterator[str]:
    """No outage where all was well, and no cause but one of what had failed just before."""
    for one in watching(evidence):
        for told in one.told:
            cause, affected = told.said["cause"], told.said["affected"]
            if told.said["kind"] == "outage_end" or affected == "register":
                continue
            from_ms = told.at_ms - REMEMBERED_MS
            if one.was_full(from_ms, told.at_ms) and "since" in told.said:
                # It is told once the disk takes it, of when it was seen.
                from_ms = told.moment_ms("since") - REMEMBERED_MS
            failed = {wrong.cause for wrong in one.wrongs(from_ms, told.at_ms)}
            if evidence.outside.lossy:
                failed.add("gateway_down")
            if len(failed) > 1 or not one.awake(told.at_ms - RECOVERY_MS, told.at_ms):
                # What was seen before the one and after the other tells neither.
                failed.add("unclassified")
            if cause not in failed:
                yield f"{one.name}: {cause} at {told.at_ms} ms, where {failed} failed; {_list(one)}"


def an_end_says_since_when_it_is_well(evidence: Evidence) -> Iterator[str]:
    """From `well_since` on nothing was wrong, and it had been wrong until just before."""
    for one in watching(evidence):
        for told in one.told:
            if told.said["kind"] != "outage_end" or told.said["affected"] != "submit":
                continue
            well_ms = told.moment_ms("well_since")
            here = [wrong for wrong in one.wrongs(well_ms, told.at_ms) if wrong.host]
            meanwhile = [
                w
                for w in here
                if w.from_ms < told.at_ms - SLACK_MS and w.until_ms > well_ms + SLACK_MS
            ]
            if meanwhile:
                yield f"{one.name} was well from {well_ms} to {told.at_ms} ms, and {meanwhile}"
            ended_ms = max((w.until_ms for w in one.wrong if w.from_ms < well_ms), default=0)
            quiet = not evidence.outside.lossy and one.awake(ended_ms, told.at_ms)
            if quiet and ended_ms + WELL_MS < well_ms:
                yield f"{one.name} was well from {ended_ms} ms on, and says {well_ms}; {_list(one)}"


def flapping_is_one_outage(evidence: Evidence) -> Iterator[str]:
    """It ends once it has been well for 12 s, and the next one begins after it has ended."""
    for one in watching(evidence):
        under_way: dict[str, str] = {}
        if one.outside.full.get(one.name):
            continue
        for told in one.told:
            said = told.said
            known = under_way.get(said["affected"])
            if said["kind"] == "outage_begin":
                if known is not None:
                    yield f"{one.name}: {said['outage']} begins, while {known} is out"
                under_way[said["affected"]] = said["outage"]
            elif known != said["outage"]:
                yield f"{one.name}: {said['kind']} of {said['outage']}, while {known} is out"
            if said["kind"] == "outage_end":
                under_way.pop(said["affected"], None)
                if told.at_ms - told.moment_ms("well_since") < WELL_MS:
                    yield f"{one.name}: {said['outage']} ended after a moment; {_list(one)}"


def _list(one: Watching) -> str:
    """Write what a terminal told, for whoever looks for what went wrong."""
    return ", ".join(f"{t.said['kind'][7:]} {t.said['cause']} {t.at_ms}" for t in one.told)
